"""SEARCH keys that need the messages themselves: fields, dates, text (RFC 3501 §6.4.4)."""

import asyncio
import re
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Final

from postroad.imap import annotations
from postroad.imap.turns import Turns
from postroad.imap.windows import stands_in
from postroad.imap.wire.search_keys import AnnotationKey, BodyKey, HeaderKey, TextKey
from postroad.message.address_list import Mailbox, parse_addresses
from postroad.message.collation import collated
from postroad.message.date import parse_date
from postroad.message.encoded_word import decode_header
from postroad.message.header import HeaderBlock
from postroad.message.summary import MAX_SUBJECT
from postroad.message.text import decoded_text_parts, is_plain, search_text
from postroad.model.address import AddressError, normal_domain, unicode_domain
from postroad.obs.log import log
from postroad.store.account import Account
from postroad.store.errors import Damaged
from postroad.store.listing import Batch
from postroad.store.messages import StoredMessage

_MESSAGES: Final = 100
"""Messages looked up together."""
_ROWS: Final = 1000
"""Rows read together."""
_INLINE: Final = 128 * 1024
"""Octets of a message up to which decoding it costs less than a hop to a thread."""
_MOST_RENAMED: Final = 100
"""Addresses of a message that are read with the other name of their domain, too: each costs 0.1 to 0.2 ms."""
_PLAIN_WORD: Final = re.compile(r"[A-Z0-9.@_-]+")
_ADDRESS_JOINT: Final = re.compile(r"[.@]")
_ADDRESSES: Final = frozenset((b"from", b"to", b"cc", b"bcc", b"sender", b"reply-to"))


class Contents:
    """Looks into the messages of one account, and lets others have the loop in between."""

    def __init__(self, account: Account, turns: Turns, large: asyncio.Semaphore) -> None:
        """`large` bounds how many large messages are in memory at a time, over all searches."""
        self._account = account
        self._turns = turns
        self._large = large

    async def matching(
        self, key: HeaderKey | BodyKey | TextKey, batch: Batch, places: Sequence[int]
    ) -> list[int]:
        """Return those of the places in a batch whose messages have the text."""
        match key:
            case HeaderKey(field=field, text=text):
                name = field.encode("utf-8").lower()
                test = partial(_has_field, name=name, wanted=collated(text))
                if name == b"subject" and text:
                    return await self._by_subject(batch, places, test, collated(text))
                return await self._by_header(batch, places, test, _certain_sign(name, collated(text)))
            case BodyKey(text=text):
                return await self._by_text(batch, places, collated(text), header=False)
            case TextKey(text=text):
                return await self._by_text(batch, places, collated(text), header=True)

    async def sent(self, batch: Batch, places: Sequence[int], days: range) -> list[int]:
        """Return the places whose Date field says one of the days, numbered as by `date.toordinal`."""
        return await self._by_header(batch, places, partial(_was_sent, days=days))

    async def noted(
        self, mailbox_id: int, key: AnnotationKey, batch: Batch, places: Sequence[int]
    ) -> list[int]:
        """Return the places whose messages are annotated so (RFC 5257 §4.8)."""
        return await annotations.matching(self._account, mailbox_id, key, batch, places, self._turns)

    async def _by_subject(
        self, batch: Batch, places: Sequence[int], test: Callable[[HeaderBlock], bool], wanted: str
    ) -> list[int]:
        """Test subjects, which the index has decoded; of a very long one it has only the beginning."""
        found: list[int] = []
        for start in range(0, len(places), _ROWS):
            some = places[start : start + _ROWS]
            ids, (subjects,) = self._account.rendered([batch.message_ids[at] for at in some], ["subject"])
            subject_of = dict(zip(ids, subjects, strict=True))
            for at in some:
                subject = subject_of.get(batch.message_ids[at], "")
                if wanted in collated(subject) or (
                    len(subject) >= MAX_SUBJECT and await self._by_header(batch, [at], test)
                ):
                    found.append(at)
            await self._turns.next()
        return found

    async def _by_header(
        self, batch: Batch, places: Sequence[int], test: Callable[[HeaderBlock], bool], sign: bytes = b""
    ) -> list[int]:
        """Test headers; one without `sign` is not even parsed, unless its text is encoded."""
        found: list[int] = []
        for start in range(0, len(places), _MESSAGES):
            some = places[start : start + _MESSAGES]
            messages = self._account.open_all([batch.message_ids[at] for at in some])
            for at in some:
                message = messages.get(batch.message_ids[at])
                header = message.header() if message is not None else b""
                if header and _may_have(header, sign) and test(HeaderBlock.parse(header)):
                    found.append(at)
                # Parsing may take a millisecond where somebody wrote a header for it.
                await self._turns.next()
        return found

    async def _by_text(self, batch: Batch, places: Sequence[int], wanted: str, *, header: bool) -> list[int]:
        if not wanted:
            return list(places)
        found: list[int] = []
        # Header fields are folded and encoded: what they say need not stand in their octets.
        rare = wanted.isascii() and not header
        for start in range(0, len(places), _MESSAGES):
            some = places[start : start + _MESSAGES]
            messages = self._account.open_all([batch.message_ids[at] for at in some])
            if rare:
                present = len(messages)
                messages = await self._perhaps(messages, wanted.lower().encode())
                # Where most are looked into all the same, looking twice is dearer.
                rare = 2 * len(messages) <= present
            for at in some:
                message = messages.get(batch.message_ids[at])
                if message is None:
                    continue
                try:
                    if await self._has_text(message, wanted, header=header):
                        found.append(at)
                except Damaged as error:
                    key = batch.message_ids[at]
                    log.error("imap.damaged", account=self._account.id, message=key, reason=str(error))
                await self._turns.next()
        return found

    async def _perhaps(self, messages: dict[int, StoredMessage], sign: bytes) -> dict[int, StoredMessage]:
        """Return the messages without those whose octets show that no text in them has `sign`."""
        lacking: set[StoredMessage] = set()
        for near in self._account.side_by_side(m for m in messages.values() if is_plain(m.tree)):
            lacking.update(near.without(sign))
            await self._turns.next()
        return {key: message for key, message in messages.items() if message not in lacking}

    async def _has_text(self, message: StoredMessage, wanted: str, *, header: bool) -> bool:
        if header and _header_has(message.header(), wanted):
            return True
        texts = search_text if header else decoded_text_parts
        if message.size <= _INLINE:
            return _any_has(texts(message.shared(), message.parts()), wanted)
        async with self._large:
            loop = asyncio.get_running_loop()
            found = texts(message.shared(), message.parts())
            return await loop.run_in_executor(None, _any_has, found, wanted)


def _certain_sign(name: bytes, wanted: str) -> bytes:
    """The octets that a plain header must have where it has the text; empty where nothing is certain.

    White space and what stands around addresses may be written in several
    ways, and comments may stand about the dots and the @ of these (RFC 5322 §4.4).
    """
    if not _PLAIN_WORD.fullmatch(wanted):
        return b""
    sign = max(_ADDRESS_JOINT.split(wanted), key=len) if name in _ADDRESSES else wanted
    return sign.lower().encode()


def _may_have(header: bytes, sign: bytes) -> bool:
    return sign in header.lower() or b"=?" in header or not header.isascii()


def _any_has(texts: Iterable[str], wanted: str) -> bool:
    return any(stands_in(wanted, text) for text in texts)


def _header_has(header: bytes, wanted: str) -> bool:
    block = HeaderBlock.parse(header)
    return any(
        wanted in collated(f"{field.name.decode('latin-1')}: {decode_header(block.value(field))}")
        for field in block.fields
    )


def _has_field(block: HeaderBlock, *, name: bytes, wanted: str) -> bool:
    values = block.all(name)
    if not wanted:
        return bool(values)  # RFC 3501 §6.4.4: an empty string asks for the field alone
    return any(wanted in collated(text) for text in _readings(name, values))


def _readings(name: bytes, values: Sequence[bytes]) -> Iterable[str]:
    """What fields of a name say: as lines of text, and as addresses without quotes and comments.

    A domain has two names (RFC 5890 §2.3.2.1): people look for the one that they are shown.
    """
    renamed = 0
    for value in values:
        yield decode_header(value)
        for item in parse_addresses(value) if name in _ADDRESSES else ():
            if isinstance(item, Mailbox):
                yield f"{item.display_name} <{item.address}>"
                if renamed < _MOST_RENAMED and _has_two_names(item.address):
                    renamed += 1
                    yield _with_other_labels(item.address)


def _has_two_names(address: str) -> bool:
    return not address.isascii() or "xn--" in address.lower()


def _with_other_labels(address: str) -> str:
    """An address with U-labels for A-labels in its domain, and the other way; empty where there are none."""
    local, _, domain = address.rpartition("@")
    try:
        return f"{local}@{unicode_domain(domain.lower()) if domain.isascii() else normal_domain(domain)}"
    except AddressError:
        return ""


def _was_sent(block: HeaderBlock, *, days: range) -> bool:
    value = block.first(b"date")
    moment = parse_date(value) if value is not None else None
    # The day as it is written: time and zone do not count.
    return moment is not None and moment.toordinal() in days
