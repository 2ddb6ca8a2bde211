"""What a scripted server is in the middle of, and what it has taken."""

import re
from dataclasses import dataclass, field
from typing import Final

_PATH: Final = re.compile(r"<([^<>]*)>")


@dataclass(frozen=True, slots=True)
class TakenMessage:
    """A message that the server has answered with 250."""

    sender: str
    recipients: list[str]
    body: bytes
    """Dots undoubled, without the final dot."""
    mail: str
    """The whole MAIL command, with its parameters."""
    rcpts: list[str]
    tls: bool


@dataclass(slots=True)
class Dialogue:
    """What one connection is in the middle of."""

    tls: bool = False
    mail: str = ""
    rcpts: list[str] = field(default_factory=list)
    chunks: list[bytes] = field(default_factory=list)
    login: str = ""
    """The mechanism by which somebody has logged in."""

    def begin(self, mail: str = "") -> None:
        """Forget the transaction, and begin another one with a MAIL command."""
        self.mail, self.rcpts, self.chunks = mail, [], []

    def message(self, body: bytes) -> TakenMessage:
        """The message that was sent in it."""
        recipients = [_path(rcpt) for rcpt in self.rcpts]
        return TakenMessage(_path(self.mail), recipients, body, self.mail, self.rcpts, tls=self.tls)


def _path(command: str) -> str:
    found = _PATH.search(command)
    return found[1] if found else ""
