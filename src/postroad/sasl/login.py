"""LOGIN: name and password one after the other, as old clients still want it.

It was never standardised; what clients do is in draft-murchison-sasl-login.
The words of the challenges mean nothing, but some clients look for these.
"""

from typing import Final

from postroad.sasl.outcome import FIELD_OCTETS, Challenge, Failed, Outcome, Password

_NAME: Final = Challenge(b"Username:")
_SECRET: Final = Challenge(b"Password:")


class Login:
    """Two challenges; an initial response is the name."""

    __slots__ = ("_name",)

    def __init__(self) -> None:
        self._name: str | None = None

    def start(self, initial: bytes | None) -> Outcome:
        """Ask for the name, or take it and ask for the password."""
        return _NAME if initial is None else self.respond(initial)

    def respond(self, response: bytes) -> Outcome:
        """Take the name first, then the password."""
        if not 0 < len(response) <= FIELD_OCTETS or b"\0" in response:
            return Failed("name and password must not be empty or too long")
        try:
            text = response.decode()
        except UnicodeDecodeError:
            return Failed("name and password must be UTF-8")
        if self._name is None:
            self._name = text
            return _SECRET
        return Password(self._name, text)
