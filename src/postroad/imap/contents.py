"""SEARCH keys that need the messages themselves: fields, dates, text (RFC 3501 §6.4.4)."""

import asyncio
import re
from collections.abc import Callable, Iterable
from datetime import date
from functools import partial
from typing import Final, TypeAlias

from postroad.imap.folding import fold, folded_in
from postroad.imap.turns import Turns
from postroad.imap.wire.search_keys import BodyKey, HeaderKey, TextKey
from postroad.message.address_list import Mailbox, parse_addresses
from postroad.message.date import parse_date
from postroad.message.encoded_word import decode_header
from postroad.message.header import HeaderBlock
from postroad.message.part import Part
from postroad.message.text import decoded_text_parts
from postroad.model.octets import Octets
from postroad.obs.log import log
from postroad.store.account import Account
from postroad.store.errors import Damaged, NoSuchMessage
from postroad.store.messages import StoredMessage
from postroad.store.types import Entry

Rows: TypeAlias = list[Entry]
_BATCH: Final = 100
_INLINE: Final = 128 * 1024
"""Octets of a message up to which decoding it costs less than a hop to a thread."""
_PLAIN_WORD: Final = re.compile(r"[a-z0-9.@_-]+")
_ADDRESSES: Final = frozenset((b"from", b"to", b"cc", b"bcc", b"sender", b"reply-to"))


class Contents:
    """Looks into the messages of one account, and lets others have the loop in between."""

    def __init__(self, account: Account, turns: Turns, large: asyncio.Semaphore) -> None:
        """`large` bounds how many large messages are in memory at a time, over all searches."""
        self._account = account
        self._turns = turns
        self._large = large

    async def matching(self, key: HeaderKey | BodyKey | TextKey, rows: Rows) -> Rows:
        """Return the rows whose messages have the text."""
        match key:
            case HeaderKey(field=field, text=text):
                name = field.encode("utf-8").lower()
                return await self._by_header(
                    rows, partial(_has_field, name=name, wanted=fold(text)), _certain_sign(fold(text))
                )
            case BodyKey(text=text):
                return await self._by_text(rows, fold(text), header=False)
            case TextKey(text=text):
                return await self._by_text(rows, fold(text), header=True)

    async def sent(self, rows: Rows, first: date, end: date) -> Rows:
        """Return the rows whose Date field says a day from `first` on and before `end`."""
        return await self._by_header(rows, partial(_was_sent, first=first, end=end))

    async def _by_header(self, rows: Rows, test: Callable[[HeaderBlock], bool], sign: bytes = b"") -> Rows:
        """Test headers; one without `sign` is not even parsed, unless its text is encoded."""
        found: Rows = []
        for start in range(0, len(rows), _BATCH):
            batch = rows[start : start + _BATCH]
            headers = self._account.header_values([row.message_id for row in batch])
            for row in batch:
                header = headers.get(row.message_id)
                if header is not None and _may_have(header, sign) and test(HeaderBlock.parse(header)):
                    found.append(row)
                # Parsing may take a millisecond where somebody wrote a header for it.
                await self._turns.next()
        return found

    async def _by_text(self, rows: Rows, wanted: str, *, header: bool) -> Rows:
        if not wanted:
            return rows
        found: Rows = []
        for row in rows:
            try:
                message = self._account.open(row.message_id)
                if await self._has_text(message, wanted, header=header):
                    found.append(row)
            except NoSuchMessage:
                pass  # expunged meanwhile
            except Damaged as error:
                log.error("imap.damaged", account=self._account.id, message=row.message_id, reason=str(error))
            await self._turns.next()
        return found

    async def _has_text(self, message: StoredMessage, wanted: str, *, header: bool) -> bool:
        if header and _header_has(message.header(), wanted):
            return True
        tree = message.parts()
        if message.size <= _INLINE:
            return _body_has(message.shared(), tree, wanted)
        async with self._large:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(None, _body_has, message.shared(), tree, wanted)


def _certain_sign(wanted: str) -> bytes:
    """The octets that a plain header must have where it has the text; empty where nothing is certain.

    White space and what stands around addresses may be written in several ways.
    """
    return wanted.encode() if _PLAIN_WORD.fullmatch(wanted) else b""


def _may_have(header: bytes, sign: bytes) -> bool:
    return sign in header.lower() or b"=?" in header or not header.isascii()


def _body_has(octets: Octets, tree: Part, wanted: str) -> bool:
    return any(folded_in(wanted, text) for text in decoded_text_parts(octets, tree))


def _header_has(header: bytes, wanted: str) -> bool:
    block = HeaderBlock.parse(header)
    return any(
        wanted in fold(f"{field.name.decode('latin-1')}: {decode_header(block.value(field))}")
        for field in block.fields
    )


def _has_field(block: HeaderBlock, *, name: bytes, wanted: str) -> bool:
    values = block.all(name)
    if not wanted:
        return bool(values)  # RFC 3501 §6.4.4: an empty string asks for the field alone
    return any(wanted in fold(text) for value in values for text in _readings(name, value))


def _readings(name: bytes, value: bytes) -> Iterable[str]:
    """What a field says: as a line of text, and as addresses without quotes and comments."""
    yield decode_header(value)
    if name in _ADDRESSES:
        for item in parse_addresses(value):
            if isinstance(item, Mailbox):
                yield f"{item.display_name} <{item.address}>"


def _was_sent(block: HeaderBlock, *, first: date, end: date) -> bool:
    value = block.first(b"date")
    moment = parse_date(value) if value is not None else None
    # The day as it is written: time and zone do not count.
    return moment is not None and first <= moment.date() < end
