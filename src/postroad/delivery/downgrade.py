"""A message of the queue in other forms, for servers that cannot take it as it is (RFC 6152 §3, RFC 3030 §3).

A conversion breaks signatures over the message. Those of this server are made
anew; for others the trail says that they hold no more.
"""

import asyncio
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from types import TracebackType

from postroad.delivery.signing import Signer
from postroad.message.ascii_header import ascii_header
from postroad.message.header import HeaderBlock
from postroad.message.sevenbit import Inconvertible, seven_bit
from postroad.message.unbinary import without_binary
from postroad.model.octets import Octets
from postroad.queue.item import Item
from postroad.smtp.exchange import SLICE, Source
from postroad.smtp.wire.data import Inspector
from postroad.store.blobs.spool import Spool

_SIGNATURES = frozenset((b"dkim-signature", b"arc-seal"))
_TRACE = frozenset((b"received", b"dkim-signature"))


class Conversions:
    """What all conversions of one worker need."""

    def __init__(self, spool: Callable[[], Spool], signer: Signer) -> None:
        self.spool = spool
        self.signer = signer


class Downgrade:
    """The forms of one message, each made once; they are gone when the context ends."""

    def __init__(self, conversions: Conversions, item: Item, source: Source) -> None:
        self._spool = conversions.spool
        self._signer = conversions.signer
        self._item = item
        self._source = source
        self._kept: ExitStack | None = None  # most messages go as they are
        self._forms: dict[str, tuple[Source, str]] = {}
        self.change = ""
        """What the form that was made last differs in."""

    def __enter__(self) -> "Downgrade":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._kept is not None:
            self._kept.close()

    async def lines(self) -> Source:
        """Without binary parts.

        Raises:
            Inconvertible: binary octets stand where nothing says so.
            Unavailable: there is no room.
        """
        return await self._form("lines", without_binary, "its binary parts were put into base64")

    async def seven_bit(self) -> Source:
        """In ASCII alone.

        Raises:
            Inconvertible, Unavailable
        """
        text = "its 8-bit parts were put into quoted-printable or base64"
        return await self._form("seven_bit", seven_bit, text)

    async def ascii_header(self, *, eight_bit: bool) -> Source:
        """With a header in ASCII; the rest too unless it may be `eight_bit`.

        Raises:
            Inconvertible: or the message is somebody else's, and only its author may do that.
            Unavailable
        """
        if not self._is_own:
            raise Inconvertible("only who has written it could put its header into ASCII")
        change = "its header was put into ASCII"
        if eight_bit:
            return await self._form("ascii_header", ascii_header, change)
        change += ", and its 8-bit parts into quoted-printable or base64"
        return await self._form("ascii", lambda data: seven_bit(self._keep(ascii_header(data))), change)

    async def _form(self, name: str, convert: Callable[[Octets], Iterator[bytes]], change: str) -> Source:
        if name not in self._forms:
            made = await asyncio.to_thread(self._converted, convert)
            self._forms[name] = await self._signed(made, change)
        form, self.change = self._forms[name]
        return form

    def _converted(self, convert: Callable[[Octets], Iterator[bytes]]) -> Octets:
        with self._spool() as whole:
            for at in range(0, self._source.size, SLICE):
                whole.write(self._source.read(at, at + SLICE))
            return self._keep(convert(whole.finish()))

    def _keep(self, pieces: Iterator[bytes]) -> Octets:
        if self._kept is None:
            self._kept = ExitStack()
        spool = self._kept.enter_context(self._spool())
        inspector = Inspector(sys.maxsize, sys.maxsize)
        for piece in pieces:
            inspector.look(piece)
            spool.write(piece)
        if inspector.verdict() is not None:
            raise Inconvertible("it has binary octets where no part is labelled binary")
        return spool.finish()

    async def _signed(self, made: Octets, change: str) -> tuple[Source, str]:
        block = HeaderBlock.parse(made)
        if not any(field.name_lower in _SIGNATURES for field in block.fields):
            return _Form(made), change
        if not self._is_own:
            return _Form(made), f"{change}; signatures that it came with (DKIM, ARC) do not hold any more"
        above, rest = _parted(block, made, len(self._item.prefix) or block.body_start)
        signatures = await self._signer.sign(made[rest : block.body_start], made, block.body_start)
        head = above + signatures.fields
        anew = await asyncio.to_thread(self._keep, _with_head(head, made, rest))
        return _Form(anew), f"{change}, and it was signed anew"

    @property
    def _is_own(self) -> bool:
        """Whether it was written here, or by somebody who has an account here, and signed here."""
        return self._item.account_id is not None or not self._item.prefix


class _Form:
    def __init__(self, octets: Octets) -> None:
        self._octets = octets
        self.size = len(octets)

    def read(self, start: int, end: int) -> bytes:
        return self._octets[start:end]


def _parted(block: HeaderBlock, data: Octets, most: int) -> tuple[bytes, int]:
    """What this server has put on top, without its signatures, and where the message under it begins."""
    above, at = [], 0
    for field in block.fields:
        if field.name_lower not in _TRACE or field.end > most:
            break
        if field.name_lower == b"received":
            above.append(data[field.start : field.end])
        at = field.end
    return b"".join(above), at


def _with_head(head: bytes, data: Octets, start: int) -> Iterator[bytes]:
    yield head
    for at in range(start, len(data), SLICE):
        yield data[at : at + SLICE]
