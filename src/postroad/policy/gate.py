"""The gate of a listener: who comes in, and who has to leave to make room.

Strangers get a share of all connections. Beyond it the one that has waited
longest without logging in leaves: waiting politely for silent connections
would let a few hundred of them shut everybody out.
"""

from collections.abc import Callable
from typing import Final, Generic, TypeVar

from postroad.config.limits import Limits
from postroad.model.crowd import AS_LIMITS_SAY, Crowd
from postroad.policy.shared_counts import Admission, Refusal, SharedCounts

C = TypeVar("C")

STRANGERS: Final = 0.2
"""The share of `limits.connections` that may be without log-in."""


class Gate(Generic[C]):
    """The connections of one worker, over all its listeners."""

    def __init__(self, counts: SharedCounts, limits: Limits, drop: Callable[[C], None]) -> None:
        """`drop` closes a connection at once; `leave` may be called from it or later."""
        self._counts = counts
        self._drop = drop
        self._share = max(1, int(limits.connections * STRANGERS))
        self._admissions: dict[C, Admission] = {}
        # A dict keeps the order of arrival, so the first key has waited longest.
        self._waiting: dict[C, None] = {}

    def enter(self, connection: C, address: str, crowd: Crowd = AS_LIMITS_SAY) -> Refusal | None:
        """Let a connection in, or say why not; others may be dropped for it."""
        admission = self._counts.admit(address, crowd)
        if isinstance(admission, Refusal) and admission.limit == "connections" and self._drop_oldest():
            admission = self._counts.admit(address, crowd)
        if isinstance(admission, Refusal):
            return admission
        self._admissions[connection] = admission
        self._wait(connection)
        return None

    def _wait(self, connection: C) -> None:
        self._waiting[connection] = None
        while self._counts.totals()[1] > self._share and len(self._waiting) > 1:
            self._drop_oldest()

    def authenticated(self, connection: C) -> None:
        """The connection has logged in, or has otherwise earned its place (a message accepted)."""
        admission = self._admissions.get(connection)
        if admission is not None:
            self._waiting.pop(connection, None)
            self._counts.authenticated(admission)

    def logged_out(self, connection: C) -> None:
        """The connection is a stranger's again, as if it had just come."""
        admission = self._admissions.get(connection)
        if admission is not None and not admission.waiting:
            self._counts.logged_out(admission)
            self._wait(connection)

    def readdress(self, connection: C, address: str, crowd: Crowd = AS_LIMITS_SAY) -> Refusal | None:
        """Count a connection for another address: a proxy has said whom it speaks for.

        When that one is not let in it is counted for nobody, and has to be closed.
        """
        self.leave(connection)
        return self.enter(connection, address, crowd)

    def leave(self, connection: C) -> None:
        """The connection is over; may be said again."""
        admission = self._admissions.pop(connection, None)
        if admission is not None:
            self._waiting.pop(connection, None)
            self._counts.release(admission)

    def __len__(self) -> int:
        return len(self._admissions)

    def _drop_oldest(self) -> bool:
        for oldest in self._waiting:
            # Counted out first: the transport says only later that it is gone.
            self.leave(oldest)
            self._drop(oldest)
            return True
        return False
