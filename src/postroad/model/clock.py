"""Time as a collaborator, so that tests can hold it in their hands."""

from typing import Protocol


class Clock(Protocol):
    """What the server knows of time."""

    def now(self) -> float:
        """Seconds since the epoch: for what is stored and shown."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go back: for deadlines and rates."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Return when `seconds` have passed on this clock."""
        ...
