"""Responses of IMAP4rev1 held to the letter of the grammar (RFC 3501 §9, with errata).

Written from the RFC alone and sharing nothing with the server: what is read
here is what a client without mercy would read. Anything that the grammar does
not have raises `NotImap`.
"""

import re
from typing import Final

from tests.conformance.imap_scanner import Scanner
from tests.conformance.imap_values import (
    Address,
    Addresses,
    Body,
    Condition,
    Data,
    Envelope,
    Fetched,
    Listed,
    Numbered,
    Response,
)

_ATOM: Final = re.compile(rb'[^\x00-\x20(){%*"\\\]\x7f-\xff]+')
_QUOTED: Final = re.compile(rb'"((?:[^"\\\r\n\x00\x80-\xff]|\\["\\])*)"')
_DATE_TIME: Final = re.compile(
    rb'"([ 0-9][0-9])-(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)-([0-9]{4})'
    rb' ([0-9]{2}:[0-9]{2}:[0-9]{2}) ([+-][0-9]{4})"'
)
_SECTION: Final = re.compile(
    rb"BODY\[(?:[1-9][0-9]*(?:\.[1-9][0-9]*)*(?:\.(?:HEADER|TEXT|MIME))?|HEADER|TEXT)?"
    rb"(?P<fields>(?<=HEADER)\.FIELDS(?:\.NOT)? \()?",
)
_BINARY: Final = re.compile(rb"BINARY(?P<size>\.SIZE)?\[(?:[1-9][0-9]*(?:\.[1-9][0-9]*)*)?\](?:<[0-9]+>)?")
"""section-binary has numbers alone (RFC 3516 §7)."""
_TEXT: Final = re.compile(rb"[\x01-\x09\x0b\x0c\x0e-\x7f]+")
_RESP_CODE: Final = re.compile(
    rb"\[([^\x00-\x20(){%*\"\\\]\x7f-\xff]+)(?: ([\x01-\x09\x0b\x0c\x0e-\x5c\x5e-\x7f]+))?\] "
)
_PROGRESS: Final = re.compile(rb'\((?:NIL|"[^"\\]+") (?:NIL|[0-9]+) (?:NIL|[1-9][0-9]*)\)')  # RFC 9585 §5
_EVENTS: Final = re.compile(  # RFC 5465 §8 event-name
    rb"(?:(?:^|(?<=\()| )(?:MessageNew|MessageExpunge|FlagChange|AnnotationChange|MailboxName"
    rb"|SubscriptionChange|MailboxMetadataChange|ServerMetadataChange))+"
)
_LEVEL: Final = re.compile(rb"NONE|(?:READ-ONLY|[1-9][0-9]*)(?: NOPRIVATE)?")
_UID_SET: Final = re.compile(rb"[1-9][0-9]*(?::[1-9][0-9]*)?(?:,[1-9][0-9]*(?::[1-9][0-9]*)?)*")


class Grammar(Scanner):
    """Reads responses."""

    # -- responses ---------------------------------------------------------

    def response(self) -> Response:
        """Read `* …`."""
        self.eat(b"* ")
        if self.data[self.at : self.at + 1].isdigit():
            return self._numbered()
        kind = self.atom()
        match kind:
            case b"OK" | b"NO" | b"BAD" | b"BYE" | b"PREAUTH":
                return self.condition(kind)
            case b"LIST" | b"LSUB":
                return self._listed(kind)
            case b"FLAGS":
                self.eat(b" ")
                flags = self.flags()
                self.end()
                return Data(kind, list(flags))
            case b"SEARCH" if not self.rev2:  # RFC 9051 appendix E, 4
                return self._search()
            case b"STATUS":
                return self._status()
            case b"VANISHED":
                return self._vanished()
            case b"UIDBATCHES":
                return self._batches()
            case b"CAPABILITY" | b"ENABLED":
                words = self._atoms()
                if kind == b"CAPABILITY" and b"IMAP4rev1" not in words:
                    self.fail("IMAP4rev1 among the capabilities")
                return Data(kind, list(words))
            case b"QUOTAROOT" | b"ACL" | b"LISTRIGHTS" | b"MYRIGHTS":
                names: list[object] = []
                while self.skip(b" "):
                    names.append(self.astring())
                self.end()
                return Data(kind, names)
            case b"NAMESPACE" | b"ID" | b"ESEARCH" | b"QUOTA" | b"METADATA":
                values: list[object] = []
                while self.skip(b" "):
                    values.append(self.any())
                self.end()
                return Data(kind, values)
            case _:
                self.fail("a response that there is")

    def _atoms(self) -> list[bytes]:
        words = []
        while self.skip(b" "):
            words.append(self.atom())
        self.end()
        return words

    def condition(self, status: bytes) -> Condition:
        """`resp-text` behind OK, NO, BAD, BYE, PREAUTH; the text must not be empty (§9 resp-text)."""
        self.eat(b" ")
        code = argument = b""
        if self.sees(b"["):
            found = self.match(_RESP_CODE, "a response code and a space behind it")
            code, argument = found[1], found[2] or b""
            self._check_code(code, argument)
        text = self.match(_TEXT, "text of 7-bit characters")[0]
        self.end()
        return Condition(status, code, argument, text)

    def _check_code(self, code: bytes, argument: bytes) -> None:
        inner = Grammar(argument)
        match code:
            case b"ALERT" | b"PARSE" | b"READ-ONLY" | b"READ-WRITE" | b"TRYCREATE" | b"UIDNOTSTICKY":
                inner.end()
            case b"UIDNEXT" | b"UIDVALIDITY" | b"UNSEEN":
                inner.nz_number()
                inner.end()
            case b"HIGHESTMODSEQ":  # RFC 7162 §7 mod-sequence-value
                if not inner.number64():
                    self.fail("a mod-sequence that is not 0")
                inner.end()
            case b"NOMODSEQ" | b"CLOSED" | b"UIDREQUIRED" | b"NOTIFICATIONOVERFLOW" | b"TOOFEW" | b"TOOMANY":
                inner.end()
            case b"ANNOTATIONS":  # RFC 5257 §5 ann-size
                inner.match(
                    re.compile(rb"NONE|(?:READ-ONLY|[1-9][0-9]*)(?: NOPRIVATE)?"), "a level of support"
                )
                inner.end()
            case b"ANNOTATE":
                inner.match(re.compile(rb"TOOBIG|TOOMANY"), "TOOBIG or TOOMANY")
                inner.end()
            case b"MODIFIED":
                inner.match(_UID_SET, "a sequence set")
                inner.end()
            case b"INPROGRESS":
                inner.match(_PROGRESS, "a tag, what is done, and the goal")
                inner.end()
            case b"MESSAGELIMIT":  # RFC 9738 §5
                inner.nz_number()
                if inner.skip(b" "):
                    inner.nz_number()
                inner.end()
            case b"BADEVENT":
                inner.eat(b"(")
                inner.match(_EVENTS, "names of events")
                inner.eat(b")")
                inner.end()
            case b"PERMANENTFLAGS":
                inner.flags()
                inner.end()
            case b"APPENDUID":
                inner.nz_number()
                inner.eat(b" ")
                inner.match(_UID_SET, "a uid-set")
                inner.end()
            case b"COPYUID":
                inner.nz_number()
                for _ in range(2):
                    inner.eat(b" ")
                    inner.match(_UID_SET, "a uid-set")
                inner.end()
            case b"CAPABILITY":
                words = argument.split(b" ")
                if b"IMAP4rev1" not in words or not all(_ATOM.fullmatch(word) for word in words):
                    self.fail("IMAP4rev1 among the capabilities")
            case _:
                pass

    def _numbered(self) -> Response:
        number = self.number()
        self.eat(b" ")
        kind = self.atom()
        if kind in (b"FETCH", b"UIDFETCH"):
            self.eat(b" (")
            fetched = self._fetched(number)
            fetched.by_uid = kind == b"UIDFETCH"  # RFC 9586 §3.3: the number is the UID
            return fetched
        if kind not in (b"EXISTS", b"RECENT", b"EXPUNGE"):
            self.fail("EXISTS, RECENT, EXPUNGE or FETCH")
        if kind == b"EXPUNGE" and not number:
            self.fail("a message number")
        self.end()
        return Numbered(number, kind)

    def _listed(self, kind: bytes) -> Listed:
        self.eat(b" ")
        attributes = self.flags()
        self.eat(b" ")
        delimiter: bytes | None = None
        if not self.skip(b"NIL"):
            delimiter = self.match(_QUOTED, "a delimiter")[1].replace(b"\\\\", b"\\")
            if len(delimiter) != 1:
                self.fail("a delimiter of one character")
        self.eat(b" ")
        name = self.astring()
        if name.upper() == b"INBOX" and name != b"INBOX":
            self.fail("INBOX in capitals")
        extended: list[object] = []
        if self.skip(b" "):
            value = self.any()
            if not isinstance(value, list):
                self.fail("extended data items")
            extended = value
        self.end()
        return Listed(kind, attributes, delimiter, name, extended)

    def _search(self) -> Data:
        numbers: list[object] = []
        while self.skip(b" "):
            if self.skip(b"(MODSEQ "):  # RFC 7162 §7 search-sort-mod-seq
                if not numbers or not self.number64():
                    self.fail("numbers in front of a mod-sequence that is not 0")
                self.eat(b")")
                break
            numbers.append(self.nz_number())
        self.end()
        return Data(b"SEARCH", numbers)

    def _vanished(self) -> Data:
        """RFC 7162 §7 expunged-resp."""
        self.eat(b" ")
        earlier = self.skip(b"(EARLIER) ")
        uids = self.match(_UID_SET, "known-uids")[0]
        self.end()
        return Data(b"VANISHED", [earlier, uids])

    def _batches(self) -> Data:
        """Ranges that descend and lie side by side (draft-ietf-mailmaint-imap-uidbatches)."""
        self.eat(b" (TAG ")
        tag = self.string()
        self.eat(b")")
        ranges: list[object] = []
        lead, below = b" ", 0
        while self.skip(lead):
            high = self.nz_number()
            self.eat(b":")
            low = self.nz_number()
            if low > high or (ranges and high != below - 1):
                self.fail("a range that begins below the one before it")
            ranges.append((high, low))
            lead, below = b",", low
        self.end()
        return Data(b"UIDBATCHES", [tag, *ranges])

    def _status(self) -> Data:
        self.eat(b" ")
        name = self.astring()
        self.eat(b" (")
        items: dict[bytes, int] = {}
        while not self.skip(b")"):
            if items:
                self.eat(b" ")
            item = self.atom()
            self.eat(b" ")
            items[item] = self.number64()
        self.end()
        return Data(b"STATUS", [name, items])

    # -- FETCH -------------------------------------------------------------

    def _fetched(self, number: int) -> Fetched:
        if not number:
            self.fail("a message number")
        fetched = Fetched(number)
        while True:
            self._item(fetched)
            if not self.skip(b" "):
                break
        self.eat(b")")
        self.end()
        return fetched

    def _item(self, fetched: Fetched) -> None:
        binary = _BINARY.match(self.data, self.at)
        if binary is not None:
            self._binary(fetched, binary)
            return
        section = _SECTION.match(self.data, self.at)
        name = self._section(section) if section else self.match(re.compile(rb"[A-Z0-9.]+"), "an item")[0]
        fetched.order.append(name)
        self.eat(b" ")
        if section:
            fetched.sections[name] = self.nstring()
            return
        match name:
            case b"FLAGS":
                fetched.flags = self.flags()
            case b"UID":
                fetched.uid = self.nz_number()
            case b"MODSEQ":
                self.eat(b"(")
                fetched.modseq = self.number64()
                self.eat(b")")
                if not fetched.modseq:
                    self.fail("a mod-sequence that is not 0")
            case b"RFC822.SIZE":
                fetched.size = self.number()
            case b"INTERNALDATE":
                fetched.internaldate = self.match(_DATE_TIME, "a date-time")[0]
            case b"ENVELOPE":
                fetched.envelope = self.envelope()
            case b"BODY":
                fetched.body = self.body(extended=False)
            case b"BODYSTRUCTURE":
                fetched.bodystructure = self.body(extended=True)
            case b"RFC822" | b"RFC822.HEADER" | b"RFC822.TEXT":
                fetched.sections[name] = self.nstring()
            case b"ANNOTATION":
                self._annotation(fetched)
            case _:
                self.fail("a FETCH item that there is")

    def _annotation(self, fetched: Fetched) -> None:
        """RFC 5257 §5: entries with values, or names alone; never none, and never both kinds."""
        self.eat(b"(")
        kinds: set[bool] = set()
        while True:
            values = fetched.annotations.setdefault(self.astring(), {})
            kinds.add(self.skip(b" ("))
            if True in kinds:
                while True:
                    attribute = self.match(re.compile(rb"(?:value|size)\.(?:priv|shared)"), "an attribute")[0]
                    self.eat(b" ")
                    values[attribute] = self.nstring8()
                    if not self.skip(b" "):
                        break
                self.eat(b")")
            if not self.skip(b" "):
                break
        self.eat(b")")
        if len(kinds) > 1:
            self.fail("values of all entries or of none")

    def _binary(self, fetched: Fetched, found: re.Match[bytes]) -> None:
        self.at = found.end()
        fetched.order.append(found[0])
        self.eat(b" ")
        if found["size"]:
            fetched.binary_sizes[found[0]] = self.number()
        else:
            fetched.sections[found[0]] = self.nstring8()

    def _section(self, found: re.Match[bytes]) -> bytes:
        start, self.at = self.at, found.end()
        if found["fields"]:
            self.astring()
            while self.skip(b" "):
                self.astring()
            self.eat(b")")
        self.eat(b"]")
        if self.skip(b"<"):
            self.number()
            self.eat(b">")
        return self.data[start : self.at]

    def envelope(self) -> Envelope:
        """ENVELOPE: ten fields."""
        self.eat(b"(")
        date = self.nstring()
        self.eat(b" ")
        subject = self.nstring()
        from_, sender, reply_to, to, cc, bcc = [self._next_addresses() for _ in range(6)]
        self.eat(b" ")
        in_reply_to = self.nstring()
        self.eat(b" ")
        message_id = self.nstring()
        self.eat(b")")
        for text in (date, subject, in_reply_to, message_id):
            if text is not None and (b"\r" in text or b"\n" in text):
                self.fail("an unfolded field")
        return Envelope(date, subject, from_, sender, reply_to, to, cc, bcc, in_reply_to, message_id)

    def _next_addresses(self) -> Addresses:
        self.eat(b" ")
        return self._addresses()

    def _addresses(self) -> Addresses:
        if self.skip(b"NIL"):
            return None
        self.eat(b"(")
        found = []
        while not self.skip(b")"):  # addresses stand side by side, without a space
            self.eat(b"(")
            name = self.nstring()
            self.eat(b" ")
            adl = self.nstring()
            self.eat(b" ")
            mailbox = self.nstring()
            self.eat(b" ")
            host = self.nstring()
            self.eat(b")")
            found.append(Address(name, adl, mailbox, host))
        if not found:
            self.fail("an address; an empty list is NIL")
        depth = 0
        for address in found:  # RFC 3501 §7.4.2: how groups are written
            if address.host is None:
                depth += 1 if address.mailbox is not None else -1
                if depth not in (0, 1):
                    self.fail("groups that begin and end in turn")
        if depth:
            self.fail("the end of a group")
        return found

    def body(self, *, extended: bool) -> Body:
        """BODY, or BODYSTRUCTURE where `extended`."""
        self.eat(b"(")
        body = Body(extended=extended)
        if self.sees(b"("):
            self._multipart(body)
        else:
            self._single(body)
        self.eat(b")")
        return body

    def _multipart(self, body: Body) -> None:
        body.type = b"multipart"
        while self.sees(b"("):
            body.parts.append(self.body(extended=body.extended))
        self.eat(b" ")
        body.subtype = self.string().lower()
        if body.extended and self.skip(b" "):
            body.parameters = self._parameters()
            self._extensions(body)

    def _single(self, body: Body) -> None:
        body.type = self.string().lower()
        self.eat(b" ")
        body.subtype = self.string().lower()
        self.eat(b" ")
        body.parameters = self._parameters()
        self.eat(b" ")
        body.id = self.nstring()
        self.eat(b" ")
        body.description = self.nstring()
        self.eat(b" ")
        body.encoding = self.string().lower()
        self.eat(b" ")
        body.octets = self.number()
        if body.type == b"message" and body.subtype == b"rfc822":
            self.eat(b" ")
            body.envelope = self.envelope()
            self.eat(b" ")
            body.inner = self.body(extended=body.extended)
        if body.type == b"text" or body.inner is not None:
            self.eat(b" ")
            body.lines = self.number()
        if body.extended and self.skip(b" "):
            body.md5 = self.nstring()
            self._extensions(body)

    def _parameters(self) -> dict[bytes, bytes]:
        if self.skip(b"NIL"):
            return {}
        self.eat(b"(")
        found: dict[bytes, bytes] = {}
        while True:
            name = self.string().lower()
            self.eat(b" ")
            found[name] = self.string()
            if not self.skip(b" "):
                break
        self.eat(b")")
        return found

    def _extensions(self, body: Body) -> None:
        if not self.skip(b" "):
            return
        if not self.skip(b"NIL"):
            self.eat(b"(")
            kind = self.string()
            self.eat(b" ")
            body.disposition = kind.lower(), self._parameters()
            self.eat(b")")
        if not self.skip(b" "):
            return
        if self.sees(b"("):
            self.at += 1
            body.language = [self.string()]
            while self.skip(b" "):
                body.language.append(self.string())
            self.eat(b")")
        elif (language := self.nstring()) is not None:
            body.language = [language]
        if self.skip(b" "):
            body.location = self.nstring()
        while self.skip(b" "):
            self.any()
