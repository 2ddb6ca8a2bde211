"""How a server that was chosen by hand is spoken to: LMTP, TLS from the first octet, a log-in."""

import secrets

from msgspec import Struct

from postroad.sasl import base64
from postroad.sasl.client import BadChallenge, choose
from postroad.smtp.link import Link
from postroad.smtp.wire.client import Extensions
from postroad.smtp.wire.replies import Reply


class Manner(Struct, frozen=True):
    """What differs from mail exchange between strangers."""

    lmtp: bool = False
    """RFC 2033: LHLO, and a reply for each recipient behind the final dot."""
    implicit_tls: bool = False
    """TLS comes before the greeting (RFC 8314 §3.3)."""
    login: str = ""
    password: str = ""
    named: bool = False
    """An operator has named the server: it may be this one, under the same name (a back end by LMTP)."""

    def __repr__(self) -> str:
        return f"Manner(lmtp={self.lmtp}, implicit_tls={self.implicit_tls}, login={self.login!r})"


MX: Manner = Manner()


async def log_in(link: Link, extensions: Extensions, manner: Manner, timeout: float) -> Reply | str:
    """Log in with what the server offers (RFC 4954); give its last reply, or why there was none.

    Raises:
        Lost: the connection.
    """
    offered = extensions.get("AUTH", "").split()
    exchange = choose(offered, manner.login, manner.password, secrets.token_urlsafe(18))
    if exchange is None:
        return f"the server offers no log-in that is known here: {' '.join(offered) or 'none at all'}"
    first = exchange.first()
    # RFC 4954 §4: a response of no octets is written as "=".
    initial = b"" if first is None else b" " + (base64.encode(first) or b"=")
    link.write(b"AUTH " + exchange.name.encode() + initial + b"\r\n")
    reply = await link.reply(timeout)
    while reply.first_digit == 3:
        challenge = base64.decode(reply.text.strip().encode())
        try:
            if challenge is None:
                raise BadChallenge("what the server says is no base64")
            response = base64.encode(exchange.respond(challenge))
        except BadChallenge as error:
            link.write(b"*\r\n")  # RFC 4954 §4: it is cancelled
            await link.reply(timeout)
            return str(error)
        link.write(response + b"\r\n")
        reply = await link.reply(timeout)
    if reply.first_digit == 2 and not exchange.proved:
        return "the server did not prove that it knows the password"
    return reply
