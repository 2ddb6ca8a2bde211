"""What reports of others have in common as they come in: where they are in a message, how much is kept."""

import asyncio
from collections.abc import Callable, Collection, Iterator
from itertools import islice
from typing import Final, TypeVar

from postroad.db.database import Database
from postroad.db.transaction import Transaction
from postroad.mailauth.inflate import BadReport
from postroad.message.part import parse_parts
from postroad.message.transfer import decoded_pieces
from postroad.model.octets import Octets
from postroad.model.refusal import Unavailable
from postroad.obs.log import log

K = TypeVar("K")
R = TypeVar("R")

ATTACHED_OCTETS: Final = 10 * 1024 * 1024
"""Of a report as it came; a larger one is mail like any other."""
PER_DOMAIN: Final = 10_000
"""Rows that are kept of one domain: strangers decide how many come."""
KEPT_SECONDS: Final = 90 * 86400.0
TEXT: Final = 200
"""Characters of what a report calls somebody or something."""


_CANDIDATES: Final = 5
"""Parts of a message that are tried."""


async def keep_what_is_read(
    database: Database, read: Callable[[], R | None], keep: Callable[[Transaction, R], K], events: str
) -> tuple[R, K] | None:
    """Read a report beside the loop and keep it; never raises for what is in it.

    Gives the report and what `keep` says of it, None where nothing is kept. The log
    has `events` in front of `unreadable` and `not_kept`.
    """
    try:
        report = await asyncio.to_thread(read)
    except BadReport as error:
        log.info(f"{events}unreadable", reason=str(error))
        return None
    if report is None:
        return None
    try:
        return report, await database.write(lambda tx: keep(tx, report))
    except Unavailable as error:
        log.warning(f"{events}not_kept", error=str(error))
        return None


def attached_report(
    body: Octets, types: Collection[str], endings: tuple[str, ...], read: Callable[[bytes], R]
) -> R | None:
    """Read the first report in a message, None if nothing in it says that it is one.

    That is, by its content type or the `endings` of its name: many a sender has either
    of them wrong. Messages inside are not entered.

    Raises:
        BadReport: nothing that says so could be read.
    """
    trouble: BadReport | None = None
    for octets in islice(_attached(body, types, endings), _CANDIDATES):
        if len(octets) > ATTACHED_OCTETS:
            trouble = trouble or BadReport("it is too large")
            continue
        try:
            return read(octets)
        except BadReport as error:
            trouble = trouble or error
    if trouble is not None:
        raise trouble
    return None


def _attached(body: Octets, types: Collection[str], endings: tuple[str, ...]) -> Iterator[bytes]:
    waiting = [parse_parts(body)]
    while waiting:
        part = waiting.pop()
        if part.is_multipart:
            waiting += part.children[::-1]
        elif f"{part.type}/{part.subtype}" in types or (part.filename or "").lower().endswith(endings):
            end = min(part.body_end, part.body_start + 2 * ATTACHED_OCTETS)
            yield b"".join(decoded_pieces(body, part.body_start, end, part.encoding))
