"""Routes in `directory.json`, their passwords sealed as in the database."""

from collections.abc import Iterable
from typing import Final

import msgspec

from postroad.db.transaction import Reader, Transaction
from postroad.directory.routes import EVERYWHERE, routes

_INSERT: Final = (
    "INSERT INTO route (domain, sender, after, transport, host, port, tls, login, password, sources, created,"
    " per_minute) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


class SavedRoute(msgspec.Struct, frozen=True, kw_only=True):
    """A route in the file."""

    domain: str
    sender: str = EVERYWHERE
    after: int
    transport: str
    host: str
    port: int
    tls: str
    login: str
    password: bytes
    """Sealed (`directory.seal`); base64 in the file."""
    sources: list[str]
    created: float
    per_minute: int = 0


def collect(reader: Reader) -> list[SavedRoute]:
    """All routes."""
    return [
        SavedRoute(
            domain=one.domain,
            sender=one.sender,
            after=one.after,
            transport=one.transport,
            host=one.host,
            port=one.port,
            tls=one.tls,
            login=one.login,
            password=one.sealed,
            sources=list(one.sources),
            created=one.created,
            per_minute=one.per_minute,
        )
        for one in routes(reader)
    ]


def restore(tx: Transaction, saved: Iterable[SavedRoute]) -> None:
    """Put them back into an empty table."""
    for one in saved:
        sources = msgspec.json.encode(one.sources).decode()
        tx.run(
            _INSERT,
            *(one.domain, one.sender, one.after, one.transport, one.host, one.port, one.tls, one.login),
            *(one.password, sources, one.created, one.per_minute),
        )
