"""A client that changes its own mailboxes, and a model of what must be in them (SAFETY: A9).

It is the only one that touches them, and does one thing at a time. So after
any kind of death each of them is as it was before the last command, or as it
is after it: nothing between, and after an OK nothing but the latter.
"""

import random
import re
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias

from tests.faults.load import ADA, Line, Refused, log_in
from tests.faults.target import Target

Message: TypeAlias = tuple[str, frozenset[str]]
"""Its subject and its flags."""
FLAGS: Final = ("\\Seen", "\\Flagged", "\\Answered", "\\Deleted", "$Forwarded", "later")
_FETCHED: Final = re.compile(rb"\* \d+ FETCH \((.*)")
_ASSIGNED: Final = re.compile(rb"(?:APPENDUID|COPYUID) \d+ (?:\S+ )?([\d:,]+)\]")
_KEPT: Final = 40
"""Messages of a mailbox above which there is more expunging than adding."""


@dataclass(frozen=True, slots=True)
class Box:
    """One mailbox: what has a UID that we were told, and what came without our learning it."""

    known: dict[int, Message] = field(default_factory=dict)
    new: tuple[Message, ...] = ()

    def is_like(self, found: dict[int, Message], unused: int) -> bool:
        """Whether it is this what was found; what is new has a UID of at least `unused`."""
        rest = {uid: message for uid, message in found.items() if uid not in self.known}
        return (
            all(found.get(uid) == message for uid, message in self.known.items())
            and Counter(rest.values()) == Counter(self.new)
            and all(uid >= unused for uid in rest)
        )


State: TypeAlias = tuple[Box, Box]


class Changer:
    """One user of two mailboxes; its commands are drawn from a seed."""

    def __init__(self, number: int, login: str = ADA) -> None:
        self.names = (f"Changes-{number}-a", f"Changes-{number}-b")
        self.done = 0
        """Commands that were answered with OK."""
        self._login = login
        self._number = number
        self._chance = random.Random(number)
        self._state: State = (Box(), Box())
        self._possible: State | None = None
        self._unused = [1, 1]
        self._sent = 0
        self._deaf = False

    def believe_nothing(self) -> None:
        """What is answered from here on is worth nothing, until the next `work` or `compare`."""
        self._deaf = True

    async def work(self, server: Target) -> None:
        """Change this and that, until the server is gone."""
        line = await log_in(server, self._login)
        try:
            await self._compare(line)
            while True:
                await self._step(line)
        finally:
            line.abort()

    async def compare(self, server: Target) -> None:
        """Look at both mailboxes, and hold them against what must be there."""
        line = await log_in(server, self._login)
        try:
            await self._compare(line)
        finally:
            await line.close()

    async def prepare(self, server: Target) -> None:
        """Make the mailboxes."""
        line = await log_in(server, self._login)
        for name in self.names:
            await line.send(f"b CREATE {name}\r\n".encode())
            await line.until(b"b")
        await line.close()

    async def _compare(self, line: Line) -> None:
        self._deaf = False
        found = [await self._read(line, name) for name in self.names]
        if self._deaf:
            raise Refused("the disk has gone meanwhile")
        wanted = [self._state] if self._possible is None else [self._state, self._possible]
        fits = [
            all(box.is_like(there, n) for box, there, n in zip(state, found, self._unused, strict=True))
            for state in wanted
        ]
        assert any(fits), f"{self.names} hold {found}, and none of {wanted}"
        self._state, self._possible = (Box(found[0]), Box(found[1])), None
        self._unused = [max([n - 1, *there]) + 1 for n, there in zip(self._unused, found, strict=True)]

    # -- one command -------------------------------------------------------

    async def _step(self, line: Line) -> None:
        here = self._chance.randrange(2)
        known = self._state[here].known
        if not known or (len(known) < _KEPT and self._chance.random() < 0.3):
            await self._append(line, here)
            return
        await self._do(line, f"SELECT {self.names[here]}", self._state)
        first = self._chance.choice(list(known))
        uids = sorted(uid for uid in known if first <= uid < first + 4)
        match self._chance.choice(("store", "store", "copy", "move", "expunge")):
            case "store":
                await self._store(line, here, uids)
            case "expunge":
                await self._expunge(line, here, uids)
            case "copy" if len(known) < _KEPT:
                await self._transfer(line, "COPY", here, uids)
            case _:
                await self._transfer(line, "MOVE", here, uids)

    async def _append(self, line: Line, here: int) -> None:
        self._sent += 1
        subject = f"change-{self._number}-{self._sent}"
        flags = frozenset(self._chance.sample([f for f in FLAGS if f != "\\Deleted"], 2))
        octets = f"From: eve@elsewhere.test\r\nSubject: {subject}\r\n\r\n{subject * 30}\r\n".encode()
        command = f"APPEND {self.names[here]} ({' '.join(flags)}) {{{len(octets)}+}}"
        box = replace(self._state[here], new=((subject, flags),))
        await self._do(line, command, self._with(here, box), octets)

    async def _store(self, line: Line, here: int, uids: list[int]) -> None:
        flags = set(self._chance.sample(FLAGS, 2))
        how = self._chance.choice(("+", "-", ""))
        known = dict(self._state[here].known)
        for uid in uids:
            subject, old = known[uid]
            known[uid] = (subject, frozenset(old | flags if how == "+" else old - flags if how else flags))
        command = f"UID STORE {_set(uids)} {how}FLAGS ({' '.join(flags)})"
        await self._do(line, command, self._with(here, Box(known)))

    async def _expunge(self, line: Line, here: int, uids: list[int]) -> None:
        known = self._state[here].known
        marked = {
            uid: (subject, flags | {"\\Deleted"} if uid in uids else flags)
            for uid, (subject, flags) in known.items()
        }
        await self._do(line, f"UID STORE {_set(uids)} +FLAGS (\\Deleted)", self._with(here, Box(marked)))
        left = {uid: message for uid, message in marked.items() if uid not in uids}
        await self._do(line, f"UID EXPUNGE {_set(uids)}", self._with(here, Box(left)))

    async def _transfer(self, line: Line, verb: str, here: int, uids: list[int]) -> None:
        known = self._state[here].known
        there = replace(self._state[1 - here], new=tuple(known[uid] for uid in uids))
        left = {uid: message for uid, message in known.items() if uid not in uids}
        source = Box(left if verb == "MOVE" else known)
        state = (source, there) if here == 0 else (there, source)
        await self._do(line, f"UID {verb} {_set(uids)} {self.names[1 - here]}", state)

    def _with(self, here: int, box: Box) -> State:
        return (box, self._state[1]) if here == 0 else (self._state[0], box)

    async def _do(self, line: Line, command: str, possible: State, literal: bytes | None = None) -> None:
        """Send one command; once it is answered with OK, `possible` is what must be."""
        if self._deaf:
            raise Refused("there is nothing left to believe")
        self._possible = possible
        await line.send(f"c {command}\r\n".encode() + (b"" if literal is None else literal + b"\r\n"))
        assigned: list[int] = []
        while not (answer := await line.line()).startswith(b"c "):
            assigned += _assigned(answer)
        if not answer.startswith(b"c OK") or self._deaf:
            raise Refused(answer.decode())
        assigned += _assigned(answer)
        self._settle(possible, assigned)

    def _settle(self, state: State, assigned: list[int]) -> None:
        boxes = []
        for n, box in enumerate(state):
            known = box.known | dict(zip(assigned, box.new, strict=True)) if box.new else box.known
            self._unused[n] = max([self._unused[n] - 1, *known]) + 1
            boxes.append(Box(known))
        self._state, self._possible = (boxes[0], boxes[1]), None
        self.done += 1

    async def _read(self, line: Line, name: str) -> dict[int, Message]:
        await line.send(f"d SELECT {name}\r\n".encode())
        answer = await line.until(b"d")
        if not answer.startswith(b"d OK"):
            raise Refused(answer.decode())
        await line.send(b"e UID FETCH 1:* (FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])\r\n")
        found: dict[int, Message] = {}
        uid, flags = 0, frozenset[str]()
        while not (answer := await line.line()).startswith(b"e "):
            if _FETCHED.match(answer):
                number, listed = re.search(rb"UID (\d+)", answer), re.search(rb"FLAGS \(([^)]*)\)", answer)
                assert number is not None, answer
                assert listed is not None, answer
                uid, flags = int(number[1]), frozenset(listed[1].decode().split()) - {"\\Recent"}
            elif answer.startswith(b"Subject: "):
                found[uid] = (answer[9:].decode(), flags)
        if not answer.startswith(b"e OK"):
            raise Refused(answer.decode())
        return found


def _set(uids: list[int]) -> str:
    return ",".join(map(str, uids))


def _assigned(answer: bytes) -> list[int]:
    """The UIDs that a response code tells, in their order."""
    found = _ASSIGNED.search(answer)
    if found is None:
        return []
    uids: list[int] = []
    for part in found[1].split(b","):
        first, _, last = part.partition(b":")
        uids += range(int(first), int(last or first) + 1)
    return uids
