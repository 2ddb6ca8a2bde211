"""The grammar of SEARCH (RFC 3501 §6.4.4 and §9, RFC 4466 §2.6, RFC 4731)."""

import re
from collections.abc import Callable
from datetime import date
from typing import Final

from postroad.imap.wire import search_keys as keys
from postroad.imap.wire.extensions import Extension
from postroad.imap.wire.limits import SEARCH_DEPTH, SEARCH_KEYS, SEARCH_TEXTS
from postroad.imap.wire.parse_annotation import read_search_entry
from postroad.imap.wire.parse_returns import parse_returns
from postroad.imap.wire.reader import MAX_MODSEQ, BadSyntax, Reader
from postroad.imap.wire.search_commands import Search
from postroad.imap.wire.search_keys import DateField, DateTest, SearchKey, has_key
from postroad.imap.wire.sequence_set import MAX_NUMBER
from postroad.message.charset import decode_text, find_codec
from postroad.model.flags import Flag

_DATE: Final = re.compile(rb'("?)([0-9]{1,2})-([A-Za-z]{3})-([0-9]{4})\1')
_MONTHS: Final = {
    name: number
    for number, name in enumerate(
        (b"JAN", b"FEB", b"MAR", b"APR", b"MAY", b"JUN", b"JUL", b"AUG", b"SEP", b"OCT", b"NOV", b"DEC"), 1
    )
}
_RECENT: Final = keys.RecentKey(True)
_CONSTANTS: Final[dict[bytes, SearchKey]] = {
    b"ALL": keys.AllMessages(),
    b"SAVEDATESUPPORTED": keys.AllMessages(savedate=True),
    b"ANSWERED": keys.FlagKey(Flag.ANSWERED, True),
    b"DELETED": keys.FlagKey(Flag.DELETED, True),
    b"DRAFT": keys.FlagKey(Flag.DRAFT, True),
    b"FLAGGED": keys.FlagKey(Flag.FLAGGED, True),
    b"SEEN": keys.FlagKey(Flag.SEEN, True),
    b"UNANSWERED": keys.FlagKey(Flag.ANSWERED, False),
    b"UNDELETED": keys.FlagKey(Flag.DELETED, False),
    b"UNDRAFT": keys.FlagKey(Flag.DRAFT, False),
    b"UNFLAGGED": keys.FlagKey(Flag.FLAGGED, False),
    b"UNSEEN": keys.FlagKey(Flag.SEEN, False),
    b"NEW": keys.And((_RECENT, keys.FlagKey(Flag.SEEN, False))),
    b"RECENT": _RECENT,
    b"OLD": keys.RecentKey(False),
}
_HEADERS: Final = {b"BCC": "Bcc", b"CC": "Cc", b"FROM": "From", b"SUBJECT": "Subject", b"TO": "To"}
_DATES: Final = {
    b"BEFORE": (DateField.INTERNAL, DateTest.BEFORE),
    b"ON": (DateField.INTERNAL, DateTest.ON),
    b"SINCE": (DateField.INTERNAL, DateTest.SINCE),
    b"SENTBEFORE": (DateField.SENT, DateTest.BEFORE),
    b"SENTON": (DateField.SENT, DateTest.ON),
    b"SENTSINCE": (DateField.SENT, DateTest.SINCE),
    b"SAVEDBEFORE": (DateField.SAVED, DateTest.BEFORE),
    b"SAVEDON": (DateField.SAVED, DateTest.ON),
    b"SAVEDSINCE": (DateField.SAVED, DateTest.SINCE),
}
# RFC 7162 §3.1.5: an entry name and a type may stand in front of the number; both mean nothing here.
_MODSEQ_ENTRY: Final = re.compile(rb'"/flags/[^"\x00-\x1f]++" (?:priv|shared|all) ', re.IGNORECASE)


class UnknownCharset(Exception):
    """The client named a charset that is not known here (RFC 3501 §6.4.4 BADCHARSET)."""

    def __init__(self, *, saving: bool) -> None:
        super().__init__()
        self.saving = saving
        """The result was to be saved."""


def parse_search(tag: bytes, reader: Reader, uid: bool = False) -> Search:
    """Read the arguments of SEARCH or UID SEARCH.

    Raises:
        UnknownCharset: the grammar is right as far as the charset.
    """
    reader.space()
    returns, partial, items = parse_returns(reader)
    saving = returns is not None and "SAVE" in returns
    key = parse_criteria(reader, parse_charset(reader, saving=saving))
    require_fuzzy(key, returns)
    return Search(tag, key, uid, returns, partial, items)


def require_fuzzy(key: SearchKey, returns: frozenset[str] | None) -> None:
    """Refuse RELEVANCY without a FUZZY key (RFC 6203 §4)."""
    if returns is not None and "RELEVANCY" in returns and not has_key(key, keys.Fuzzy):
        raise BadSyntax(b"RELEVANCY needs a FUZZY key")


def parse_charset(reader: Reader, *, saving: bool) -> str | None:
    """Read `CHARSET name ` if it comes next.

    Raises:
        UnknownCharset
    """
    if reader.data[reader.at : reader.at + 8].upper() != b"CHARSET ":
        return "UTF-8" if reader.utf8 else None  # RFC 9051 §6.4.4
    if Extension.UTF8 in reader.offered:
        raise BadSyntax(b"texts are UTF-8, as was agreed by ENABLE")  # RFC 6855 §3
    reader.at += 8
    return known_charset(reader, saving=saving)


def known_charset(reader: Reader, *, saving: bool) -> str:
    """Read a charset and the space behind it.

    Raises:
        UnknownCharset
    """
    charset = reader.astring().decode("ascii", "replace")
    if find_codec(charset) is None:
        raise UnknownCharset(saving=saving)
    reader.space()
    return charset


def parse_criteria(reader: Reader, charset: str | None) -> SearchKey:
    """Read search keys to the end of the command; several become one `And`."""
    parser = _KeyParser(reader, charset)
    found = [parser.key(0)]
    while reader.skip(b" "):
        found.append(parser.key(0))
    reader.end()
    return found[0] if len(found) == 1 else keys.And(tuple(found))


class _KeyParser:
    """Search keys, which nest; the depth is what bounds the recursion."""

    __slots__ = ("_charset", "_keys", "_reader", "_texts")

    def __init__(self, reader: Reader, charset: str | None) -> None:
        self._reader = reader
        self._charset = charset
        self._keys = self._texts = 0

    def key(self, depth: int) -> SearchKey:
        """Read one search-key."""
        if depth >= SEARCH_DEPTH:
            raise BadSyntax(b"the search is nested too deeply")
        self._keys += 1
        if self._keys > SEARCH_KEYS:
            raise BadSyntax(b"the search has too many keys")
        reader = self._reader
        if reader.skip(b"("):
            return self._group(depth)
        if reader.data[reader.at : reader.at + 1] in _SET_START:
            return keys.NumberKey(reader.sequence_set())
        word = reader.word()
        constant = _CONSTANTS.get(word)
        if constant is not None:
            return constant
        reader.space()
        if word == b"NOT":
            return keys.Not(self.key(depth + 1))
        if word == b"FUZZY":
            return keys.Fuzzy(self.key(depth + 1))
        if word == b"OR":
            first = self.key(depth + 1)
            reader.space()
            return keys.Or(first, self.key(depth + 1))
        if word in _HEADERS:
            return keys.HeaderKey(_HEADERS[word], self._text())
        if word in _DATES:
            field, test = _DATES[word]
            return keys.DateKey(field, test, _day(reader))
        with_argument = _ARGUMENTS.get(word)
        if with_argument is None:
            raise BadSyntax(b"there is no such search key")
        return with_argument(self)

    def _group(self, depth: int) -> SearchKey:
        found = [self.key(depth + 1)]
        while self._reader.skip(b" "):
            found.append(self.key(depth + 1))
        self._reader.expect(b")")
        return found[0] if len(found) == 1 else keys.And(tuple(found))

    def _text(self) -> str:
        # Without a charset the text is ASCII by the book, and UTF-8 or Windows-1252 by looks.
        return decode_text(self._reader.astring(), self._charset)

    def _costly_text(self) -> str:
        self._count_text()
        return self._text()

    def _count_text(self) -> None:
        self._texts += 1
        if self._texts > SEARCH_TEXTS:
            raise BadSyntax(b"the search looks into messages too often")

    def header(self) -> SearchKey:
        """HEADER field text."""
        field = self._reader.astring().decode("ascii", "replace")
        self._reader.space()
        return keys.HeaderKey(field, self._text())

    def body(self) -> SearchKey:
        """BODY text."""
        return keys.BodyKey(self._costly_text())

    def text(self) -> SearchKey:
        """TEXT text."""
        return keys.TextKey(self._costly_text())

    def annotation(self) -> SearchKey:
        """ANNOTATION entry attribute value."""
        reader = self._reader
        entry, private = read_search_entry(reader)
        reader.space()
        value = reader.value()
        self._count_text()
        text = None if value is None else decode_text(value, self._charset)
        return keys.AnnotationKey(entry, private, text)

    def keyword(self) -> SearchKey:
        """KEYWORD flag."""
        return keys.KeywordKey(self._reader.atom().decode("ascii"), True)

    def unkeyword(self) -> SearchKey:
        """UNKEYWORD flag."""
        return keys.KeywordKey(self._reader.atom().decode("ascii"), False)

    def larger(self) -> SearchKey:
        """LARGER n."""
        return keys.SizeKey(self._reader.number(MAX_MODSEQ), larger=True)

    def smaller(self) -> SearchKey:
        """SMALLER n."""
        return keys.SizeKey(self._reader.number(MAX_MODSEQ), larger=False)

    def older(self) -> SearchKey:
        """OLDER n."""
        return keys.AgeKey(self._reader.number(MAX_NUMBER, 1), older=True)

    def younger(self) -> SearchKey:
        """YOUNGER n."""
        return keys.AgeKey(self._reader.number(MAX_NUMBER, 1), older=False)

    def uid(self) -> SearchKey:
        """UID sequence-set."""
        return keys.UidKey(self._reader.sequence_set())

    def after(self) -> SearchKey:
        """UIDAFTER uniqueid."""
        return keys.BoundKey(self._reader.number(MAX_NUMBER, 1), after=True)

    def before(self) -> SearchKey:
        """UIDBEFORE uniqueid."""
        return keys.BoundKey(self._reader.number(MAX_NUMBER, 1), after=False)

    def modseq(self) -> SearchKey:
        """MODSEQ [entry type] n."""
        self._reader.require(Extension.CONDSTORE)
        match = _MODSEQ_ENTRY.match(self._reader.data, self._reader.at)
        if match is not None:
            self._reader.at = match.end()
        return keys.ModseqKey(self._reader.number(MAX_MODSEQ))

    def emailid(self) -> SearchKey:
        """EMAILID objectid."""
        return keys.EmailKey(self._object_id())

    def threadid(self) -> SearchKey:
        """THREADID objectid."""
        return keys.ThreadKey(self._object_id())

    def _object_id(self) -> str:
        match = _OBJECT_ID.match(self._reader.data, self._reader.at)
        if match is None:
            raise BadSyntax(b"expected an object id")
        self._reader.at = match.end()
        return match[0].decode("ascii")


_OBJECT_ID: Final = re.compile(rb"[A-Za-z0-9_-]{1,255}+")
"""RFC 8474 §7."""
_SET_START: Final = frozenset(b"%d" % digit for digit in range(1, 10)) | {b"*", b"$"}
_ARGUMENTS: Final[dict[bytes, Callable[[_KeyParser], SearchKey]]] = {
    b"ANNOTATION": _KeyParser.annotation,
    b"BODY": _KeyParser.body,
    b"EMAILID": _KeyParser.emailid,
    b"HEADER": _KeyParser.header,
    b"KEYWORD": _KeyParser.keyword,
    b"LARGER": _KeyParser.larger,
    b"MODSEQ": _KeyParser.modseq,
    b"OLDER": _KeyParser.older,
    b"SMALLER": _KeyParser.smaller,
    b"TEXT": _KeyParser.text,
    b"THREADID": _KeyParser.threadid,
    b"UID": _KeyParser.uid,
    b"UIDAFTER": _KeyParser.after,
    b"UIDBEFORE": _KeyParser.before,
    b"UNKEYWORD": _KeyParser.unkeyword,
    b"YOUNGER": _KeyParser.younger,
}


def _day(reader: Reader) -> date:
    match = _DATE.match(reader.data, reader.at)
    month = _MONTHS.get(match[3].upper()) if match is not None else None
    if match is None or month is None:
        raise BadSyntax(b"expected a date")
    reader.at = match.end()
    try:
        return date(int(match[4]), month, int(match[2]))
    except ValueError:
        raise BadSyntax(b"there is no such day") from None
