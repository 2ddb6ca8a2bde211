"""PLAIN: identity and password in one message (RFC 4616)."""

from postroad.sasl.outcome import FIELD_OCTETS, Challenge, Failed, Outcome, Password


class Plain:
    """One message: authorization identity, NUL, authentication identity, NUL, password."""

    __slots__ = ()

    def start(self, initial: bytes | None) -> Outcome:
        """Take the message, or ask for it with an empty challenge."""
        return Challenge(b"") if initial is None else self.respond(initial)

    def respond(self, response: bytes) -> Outcome:
        """Read the message."""
        fields = response.split(b"\0")
        if len(fields) != 3:
            return Failed("PLAIN wants three fields")
        if any(len(octets) > FIELD_OCTETS for octets in fields):
            return Failed("a field is too long")
        try:
            authorization, login, secret = (octets.decode() for octets in fields)
        except UnicodeDecodeError:
            return Failed("a field is not UTF-8")
        if not login or not secret:
            return Failed("identity and password must not be empty")
        return Password(login, secret, authorization)
