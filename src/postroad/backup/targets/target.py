"""What a backup asks of the place where it is kept: objects with names, whole or not there.

Names are paths of lower-case words and digits parted by `/`. An object is
never changed once it is there; the same name put twice means the same octets.
"""

from typing import Final, Protocol

CONNECTIONS: Final = 4
"""Objects that are put or fetched at the same time; every target allows it from several threads."""


class Target(Protocol):
    """One place for backups."""

    @property
    def name(self) -> str:
        """How people call it; holds no secret."""

    def put(self, name: str, octets: bytes) -> None:
        """Store an object: it is there whole, or not at all.

        Raises:
            TargetError
        """

    def get(self, name: str) -> bytes:
        """Fetch an object.

        Raises:
            NoSuchObject, TargetError
        """

    def list(self, folder: str) -> dict[str, int]:
        """Every object below a folder, at any depth: its whole name and how many octets it has.

        Raises:
            TargetError
        """

    def delete(self, name: str) -> None:
        """Remove an object; one that is gone already is fine.

        Raises:
            TargetError
        """

    def settle(self) -> None:
        """Return when all that was put survives a power cut.

        Raises:
            TargetError
        """

    def clear(self) -> None:
        """Remove what puts that were interrupted have left; nobody else may be putting.

        Raises:
            TargetError
        """

    def close(self) -> None:
        """Let go of connections; may be called again."""
