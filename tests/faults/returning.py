"""A QRESYNC client that every strike cuts off, and that comes back with what it remembers (SAFETY: A9)."""

import asyncio
import re
from typing import Final

from tests.faults.load import Line, Refused, log_in
from tests.faults.target import Target

_FETCHED: Final = re.compile(rb"\* \d+ FETCH \((.*)\)")
_UID: Final = re.compile(rb"UID (\d+)")
_FLAGS: Final = re.compile(rb"FLAGS \(([^)]*)\)")
_MODSEQ: Final = re.compile(rb"MODSEQ \((\d+)\)")
_VANISHED: Final = re.compile(rb"\* VANISHED (?:\(EARLIER\) )?([\d:,]+)")
_HIGHEST: Final = re.compile(rb"\S+ OK \[HIGHESTMODSEQ (\d+)\]")
_UIDVALIDITY: Final = re.compile(rb"\* OK \[UIDVALIDITY (\d+)\]")
_PAUSE: Final = 0.02


class Returning:
    """It knows one mailbox by UID, by nothing but what it was told, and never reads all of it again."""

    def __init__(self, mailbox: str) -> None:
        self.known: dict[int, frozenset[bytes]] = {}
        self.returns = 0
        """How often it came back with something to remember."""
        self._mailbox = mailbox.encode()
        self._uidvalidity = 0
        self._modseq = 0

    async def work(self, server: Target) -> None:
        """Come back, and hear of changes until the server is gone."""
        line = await log_in(server)
        try:
            await self._come_back(line)
            while True:
                await self._do(line, b"NOOP")
                await asyncio.sleep(_PAUSE)
        finally:
            line.abort()

    async def compare(self, server: Target) -> None:
        """Come back, and hold what is known then against what is there."""
        line = await log_in(server)
        try:
            await self._come_back(line)
            before = self.known
            self.known = {}
            await self._do(line, b"UID FETCH 1:* (FLAGS)")
            assert before == self.known, f"{self._mailbox!r} at {self._modseq}: {before} is not {self.known}"
        finally:
            await line.close()

    async def _come_back(self, line: Line) -> None:
        await self._do(line, b"ENABLE QRESYNC")
        known = b""
        if self.known:
            self.returns += 1
            known = b" (QRESYNC (%d %d 1:%d))" % (self._uidvalidity, self._modseq, max(self.known))
        await self._do(line, b"SELECT " + self._mailbox + known)
        await self._do(line, b"NOOP")

    async def _do(self, line: Line, command: bytes) -> None:
        """Do one thing; read what is new, and reach a modseq by the rules of RFC 7162 §6."""
        exists = seen = told = 0
        await line.send(b"r " + command + b"\r\n")
        while True:
            answer = await line.line()
            if answer.endswith(b" EXISTS"):
                exists = int(answer.split()[1])
            seen = max([seen, *map(int, _MODSEQ.findall(answer))])
            if (highest := _HIGHEST.match(answer)) is not None:
                told = int(highest[1])
            self._hear(answer)
            if answer.startswith(b"r "):
                break
        if not answer.startswith(b"r OK"):
            raise Refused(answer.decode())
        self._modseq = told or max(self._modseq, seen)
        if exists > len(self.known):
            await self._do(line, b"UID FETCH %d:* (FLAGS MODSEQ)" % (max(self.known, default=0) + 1))

    def _hear(self, answer: bytes) -> None:
        if (validity := _UIDVALIDITY.match(answer)) is not None:
            assert self._uidvalidity in (0, int(validity[1])), "the UIDs stay"
            self._uidvalidity = int(validity[1])
        if (gone := _VANISHED.fullmatch(answer)) is not None:
            for low, _, high in (part.partition(b":") for part in gone[1].split(b",")):
                for uid in range(int(low), int(high or low) + 1):
                    self.known.pop(uid, None)
        if (fetched := _FETCHED.fullmatch(answer)) is not None:
            named, flags = _UID.search(fetched[1]), _FLAGS.search(fetched[1])
            assert named is not None, answer
            if flags is not None:
                self.known[int(named[1])] = frozenset(flags[1].split()) - {b"\\Recent"}
