"""EXTERNAL: the client is who its TLS certificate says (RFC 4422 appendix A)."""

from postroad.sasl.outcome import FIELD_OCTETS, Certificate, Challenge, Failed, Outcome


class External:
    """One message: whom the client wants to act as, or nothing."""

    __slots__ = ()

    def start(self, initial: bytes | None) -> Outcome:
        """Take the message, or ask for it with an empty challenge."""
        return Challenge(b"") if initial is None else self.respond(initial)

    def respond(self, response: bytes) -> Outcome:
        """Read the message."""
        if len(response) > FIELD_OCTETS or b"\0" in response:
            return Failed("the name is too long, or has a NUL")
        try:
            return Certificate(response.decode())
        except UnicodeDecodeError:
            return Failed("the name is not UTF-8")
