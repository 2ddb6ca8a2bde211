"""What a real mail server has put into its users' Maildirs."""

from abc import ABC, abstractmethod
from pathlib import Path

from tests.interop.processes import as_root, run, until


class Maildirs(ABC):
    """A mail server that files mail below `directory`/mail/USER."""

    directory: Path

    @abstractmethod
    def log(self) -> str:
        """Its mail log so far."""

    def messages(self, user: str) -> list[bytes]:
        """What has come into a user's Maildir."""
        new = self.directory / "mail" / user / "new"
        listing = run(*as_root("find", str(new), "-type", "f"), expect=(0, 1)) if new.parent.exists() else ""
        paths = [line for line in sorted(listing.splitlines()) if line.startswith("/")]
        return [run(*as_root("cat", path)).encode() for path in paths]

    def message(self, user: str, containing: str) -> str:
        """Wait for a message with these words in it."""

        def look() -> str | None:
            found = [m.decode("utf-8", "replace") for m in self.messages(user) if containing.encode() in m]
            return found[0] if found else None

        try:
            return until(look, f"a message to {user} with {containing!r}")
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.log()}") from None
