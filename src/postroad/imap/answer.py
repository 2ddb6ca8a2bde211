"""How a command ends: the tagged response as a value (RFC 3501 §7.1)."""

from typing import NamedTuple


class Answer(NamedTuple):
    """`tag status [code] text`."""

    status: bytes
    code: bytes
    text: bytes


class No(Exception):
    """A command cannot be done; carries the words for the client."""

    def __init__(self, code: bytes, text: bytes, status: bytes = b"NO") -> None:
        super().__init__(text)
        self.answer = Answer(status, code, text)


def ok(text: bytes, code: bytes = b"") -> Answer:
    """A command is done."""
    return Answer(b"OK", code, text)
