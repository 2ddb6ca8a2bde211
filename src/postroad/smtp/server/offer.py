"""What EHLO offers on one connection as it is now."""

from dataclasses import replace

from postroad.directory.client import client_of
from postroad.net.connection import Connection
from postroad.smtp.server.services import Role, Services
from postroad.smtp.wire.holding import HoldLimits
from postroad.smtp.wire.terms import Terms


def offered(services: Services, conn: Connection, *, trusted: bool) -> Terms:
    """The terms of a listener for this connection: some mechanisms hang on its TLS.

    `trusted` is a proxy that may say whom it speaks for.
    """
    terms = replace(services.terms, xclient=True) if trusted else services.terms
    if services.role is not Role.SUBMISSION or conn.tls is None:
        return terms
    if seconds := services.hold_seconds:
        terms = replace(terms, hold=HoldLimits(seconds, services.clock.now() + seconds))
    mechanisms = services.directory.mechanisms(client_of(conn, services.role.value), services.mechanisms)
    return replace(terms, mechanisms=mechanisms)
