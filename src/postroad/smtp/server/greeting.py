"""Silence before the first word: who cannot wait for it is no mail server (RFC 5321 §3.1)."""

from postroad.net.connection import Connection
from postroad.net.wake import Wake
from postroad.smtp.server.services import Services


def greeting_delay(services: Services, conn: Connection) -> float:
    """Seconds for which the greeting is held back from a peer."""
    reception = services.reception
    return 0.0 if reception is None else reception.greeting_delay(conn.peer[0], services.greeting_delay)


async def outwaits(conn: Connection, seconds: float) -> bool:
    """Wait, and say whether the peer is still there; if it has spoken meanwhile the core has that."""
    return await conn.pump(conn.deadline(seconds)) is not Wake.CLOSED
