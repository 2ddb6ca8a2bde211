"""SMTP sessions of one listener, for mail exchange and for submission."""

import ssl
from collections.abc import Awaitable, Callable, Collection
from typing import Final

from postroad.model.clock import Clock
from postroad.model.networks import NOBODY, Networks
from postroad.net.connection import Connection
from postroad.net.listener import Refusal
from postroad.policy.limits import Limits
from postroad.sasl.exchange import MECHANISMS
from postroad.smtp.server.conversation import Conversation
from postroad.smtp.server.services import Acceptor, Authenticator, Reception, Role, Services, Spools
from postroad.smtp.wire.priority import Policy
from postroad.smtp.wire.terms import Terms

UNLIMITED: Final = 1_000_000_000
"""For a server of ours, which keeps its connection."""
LONGEST_HOLD: Final = 999_999_999
"""Seconds, as many digits as RFC 4865 §4 has for them."""


class SmtpSession:
    """`run` serves one connection; one object serves all connections of a listener."""

    def __init__(
        self,
        *,
        acceptor: Acceptor,
        directory: Authenticator,
        store: Spools,
        clock: Clock,
        limits: Limits,
        role: Role,
        hostname: str,
        tls_context: ssl.SSLContext | None,
        mechanisms: Collection[str] = (),
        listener: str = "",
        on_trusted: Callable[[Connection], None] = lambda _: None,
        reception: Reception | None = None,
        xclient_from: Networks = NOBODY,
        holds: bool = False,
        priorities: Policy = "off",
        greeting_delay: float | None = None,
        on_turned_away: Callable[[str, str], None] = lambda _address, _reason: None,
        on_readdressed: Callable[[Connection, str], Refusal | None] = lambda _connection, _address: None,
    ) -> None:
        """Without a `tls_context` there is no STARTTLS; TLS from the first octet is the listener's affair.

        `holds` says whether a queue is at work that does things when their time has come,
        `priorities` by what policy it gives precedence.
        """
        submission, lmtp = role is Role.SUBMISSION, role is Role.DELIVERY
        terms = Terms(
            hostname=hostname,
            message_size=limits.message_size,
            recipients=limits.recipients if role is Role.EXCHANGE else limits.recipients_authenticated,
            submission=submission,
            lmtp=lmtp,
            starttls=tls_context is not None,
            mechanisms=MECHANISMS if submission else (),  # some of them, once there is TLS (`Conversation`)
            priorities=priorities if submission else "off",
            deliver_by=int(limits.deliver_by) if submission and holds else None,
            messages=UNLIMITED if lmtp else limits.messages,
            line=limits.smtp_line,
            data_line=limits.data_line,
            junk_commands=UNLIMITED if lmtp else limits.junk_commands,
        )
        hold_seconds = min(int(limits.hold_time), LONGEST_HOLD) if submission and holds else 0
        self._services = Services(
            *(acceptor, directory, store, clock, limits, role, terms, tls_context, mechanisms),
            *(listener or role.value, on_trusted, reception, greeting_delay, xclient_from, hold_seconds),
            *(on_turned_away, on_readdressed),
        )

    def run(self, conn: Connection) -> Awaitable[None]:
        """Talk to one peer until one of both has enough."""
        return Conversation(self._services, conn).run()
