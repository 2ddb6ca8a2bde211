"""What is done for DKIM keys from time to time: make them, look whether the DNS shows them, replace them."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, Protocol

from postroad.db.database import Database
from postroad.db.transaction import Reader
from postroad.directory import dkim_keys, snapshot
from postroad.directory.dkim_keys import DkimKey
from postroad.directory.seal import Seal
from postroad.mailauth.dkim.key import parse_key_record
from postroad.mailauth.dkim.tags import TagError
from postroad.model.answers import Answer, Found, NoData, NoSuchDomain, TemporaryFailure
from postroad.model.clock import Clock
from postroad.obs.duties import repeat
from postroad.obs.log import log

EVERY_SECONDS: Final = 900.0
"""Between two rounds."""
LOOK_AGAIN: Final = 86400.0
"""Seconds after which the DNS is asked once more for a key that it has shown."""
_WHO: Final = "dkim rounds"


class TxtResolver(Protocol):
    """What is asked of the DNS; see `model.resolver`."""

    async def txt(self, name: str) -> Answer[bytes]: ...


@dataclass(frozen=True, slots=True)
class Seen:
    """What the DNS says about one key."""

    key: DkimKey
    shown: bool
    what: str
    """In words, such as "there is no such record"."""


async def mind_keys(
    database: Database,
    resolver: TxtResolver,
    seal: Seal,
    data: Path,
    clock: Clock,
    *,
    rotate: Callable[[], float],
) -> None:
    """Go round after round until cancelled; a failure is logged and tried again next time.

    `rotate` says after how many seconds a key is to be followed by another, 0 for never.
    """

    async def one() -> None:
        await go_round(database, resolver, seal, data, now=clock.now(), rotate=rotate())

    await repeat(clock, EVERY_SECONDS, (one,), failed="dkim.round_failed")


async def go_round(
    database: Database, resolver: TxtResolver, seal: Seal, data: Path, *, now: float, rotate: float
) -> None:
    """Make what is missing or due, ask the DNS for what waits, forget what no signature needs any more."""
    changed = await _make(database, seal, now - rotate if rotate else 0.0)
    for one in database.read(partial(_to_look_at, now=now)):
        seen = await look(resolver, one)
        if seen.shown and await database.write(partial(dkim_keys.note_shown, shown=one, who=_WHO)):
            log.info("dkim.signing", domain=one.domain, selector=one.selector)
            changed = True
        elif not seen.shown and one.state == "signing":
            log.warning("dkim.not_shown", name=one.name, why=seen.what)
    if await database.write(partial(dkim_keys.drop_expired, who=_WHO)):
        changed = True
    if changed:
        await database.read_long(partial(snapshot.save, data=data))


async def look(resolver: TxtResolver, key: DkimKey) -> Seen:
    """Ask the DNS whether it shows a key."""
    match await resolver.txt(key.name):
        case Found(records):
            if any(_shows(text, key) for text in records):
                return Seen(key, True, "the DNS shows it")
            return Seen(key, False, "the DNS shows another key or a record that cannot be read")
        case NoData() | NoSuchDomain():
            return Seen(key, False, "the DNS has no such record")
        case TemporaryFailure(reason):
            return Seen(key, False, f"the DNS gave no answer ({reason})")


async def _make(database: Database, seal: Seal, rotate_before: float) -> bool:
    """Draw the keys that are missing or due, one at a time: mail goes first."""
    missing = database.read(dkim_keys.without_keys)
    if rotate_before > 0:
        due = database.read(partial(dkim_keys.due_for_rotation, before=rotate_before))
        missing += [(one.domain, one.algorithm) for one in due]
    for domain, algorithm in missing:
        new = await asyncio.to_thread(dkim_keys.draw, algorithm)
        await database.write(partial(dkim_keys.add_keys, domain=domain, new=[new], seal=seal, who=_WHO))
        log.info("dkim.made", domain=domain, algorithm=algorithm)
    return bool(missing)


def _to_look_at(reader: Reader, *, now: float) -> list[DkimKey]:
    return [
        one
        for one in dkim_keys.keys(reader)
        if one.retired is None and (one.active is None or one.seen is None or one.seen < now - LOOK_AGAIN)
    ]


def _shows(text: bytes, key: DkimKey) -> bool:
    try:
        record = parse_key_record(text)
        ours = parse_key_record(key.record.encode())
    except TagError:
        return False
    return record.kind == ours.kind and record.key == ours.key
