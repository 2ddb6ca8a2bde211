"""What the server counts (Prometheus). One name, one meaning, one place.

With several workers the values lie in mapped files of one directory
(`PROMETHEUS_MULTIPROC_DIR`, set by the supervisor before this is imported),
so any worker can answer for all.
"""

from bisect import bisect_left
from typing import Final

from prometheus_client import Counter, Gauge, Histogram


class Tally:
    """Counts in memory what happens too often to tell a counter each time: that takes 3 µs."""

    __slots__ = ("_counter", "count")

    def __init__(self, counter: Counter | Gauge) -> None:
        self._counter = counter
        self.count = 0
        """What the counter has not been told yet (`settle`)."""

    def settle(self) -> None:
        """Tell the counter."""
        count, self.count = self.count, 0
        if count:
            self._counter.inc(count)


class Spread:
    """The same for a histogram, that takes 10 µs to be told of a value."""

    __slots__ = ("_bounds", "_counts", "_histogram", "_sum")

    def __init__(self, histogram: Histogram, bounds: tuple[float, ...]) -> None:
        self._histogram = histogram
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def observe(self, value: float) -> None:
        """Count a value."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self._sum += value

    def settle(self) -> None:
        """Tell the histogram, many values in one: for that it has no verb of its own."""
        counts, self._counts = self._counts, [0] * len(self._counts)
        total, self._sum = self._sum, 0.0
        for bucket, count in zip(self._histogram._buckets, counts, strict=True):
            if count:
                bucket.inc(count)
        if total:
            self._histogram._sum.inc(total)


_PROTOCOLS: Final = ("smtp", "submission", "lmtp", "imap", "pop3")
_WAYS: Final = ("in", "out", "local")
_RESULTS: Final = ("delivered", "deferred", "failed")
_LONG: Final = (0.1, 0.5, 1, 5, 15, 60, 300, 1800, 7200, 86400)
_FAST: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

SESSIONS: Final = Gauge("postroad_sessions", "Open sessions.", ["protocol"], multiprocess_mode="livesum")
CONNECTIONS: Final = Counter(
    "postroad_connections_total", "Connections by protocol and what became of them.", ["protocol", "result"]
)
MESSAGES: Final = Counter(
    "postroad_messages_total", "Messages by way (in, submitted, out) and result.", ["way", "result"]
)
REFUSALS: Final = Counter(
    "postroad_refusals_total", "Refusals by protocol and reason.", ["protocol", "reason"]
)
LOGINS: Final = Counter("postroad_logins_total", "Log-ins by protocol and result.", ["protocol", "result"])
COMMANDS: Final = Counter("postroad_commands_total", "Commands by protocol.", ["protocol"])
IMAP_COMMANDS: Final = Tally(COMMANDS.labels("imap"))
POP3_COMMANDS: Final = Tally(COMMANDS.labels("pop3"))
SMTP_COMMANDS: Final = Tally(COMMANDS.labels("smtp"))
RECEPTION: Final = Counter(
    "postroad_receiving_checks_total", "Checks on who sends to us, and results.", ["check", "result"]
)
ACCEPT_SECONDS: Final = Histogram(
    "postroad_accept_seconds", "From the last octet of a message to its 250.", ["way"], buckets=_FAST
)
DELIVERY_SECONDS: Final = Histogram(
    "postroad_delivery_seconds",
    "From submission to the remote's 250.",
    buckets=_LONG,
)
COMMIT_SECONDS: Final = Spread(
    Histogram("postroad_commit_seconds", "A group commit, both syncs.", buckets=_FAST), _FAST
)
_SIZES: Final = (1, 2, 5, 10, 20, 50, 100)
GROUP_SIZE: Final = Spread(
    Histogram("postroad_group_size", "Verbs in a group commit.", buckets=_SIZES), _SIZES
)
DAMAGED: Final = Counter(
    "postroad_damaged_messages_total", "Messages that did not match their digest, each time they are found."
)
QUEUE_DEPTH: Final = Gauge(
    "postroad_queue_recipients", "Recipients waiting in the queue.", multiprocess_mode="mostrecent"
)
QUEUE_ATTEMPTS: Final = Counter("postroad_queue_attempts_total", "Delivery attempts by result.", ["result"])
LOOP_STALL: Final = Gauge(
    "postroad_loop_stall_seconds",
    "The longest stall of an event loop in the last minute.",
    multiprocess_mode="livemax",
)


SMTP_SESSIONS: Final = Tally(SESSIONS.labels("smtp"))
CAME_IN: Final = {protocol: Tally(CONNECTIONS.labels(protocol, "accepted")) for protocol in _PROTOCOLS}
"""Connections that were let in, by protocol."""
ACCEPTED: Final = {way: Tally(MESSAGES.labels(way, "accepted")) for way in _WAYS}
ACCEPTED_WITHIN: Final = {way: Spread(ACCEPT_SECONDS.labels(way), _FAST) for way in _WAYS}
ATTEMPTS: Final = {result: Tally(QUEUE_ATTEMPTS.labels(result)) for result in _RESULTS}
DELIVERED: Final = Tally(MESSAGES.labels("out", "delivered"))
DELIVERED_WITHIN: Final = Spread(DELIVERY_SECONDS, _LONG)
_COUNTED: Final[tuple[Tally | Spread, ...]] = (
    *(IMAP_COMMANDS, POP3_COMMANDS, SMTP_COMMANDS, SMTP_SESSIONS),
    *CAME_IN.values(),
    *ACCEPTED.values(),
    *ACCEPTED_WITHIN.values(),
    *ATTEMPTS.values(),
    *(DELIVERED, DELIVERED_WITHIN, COMMIT_SECONDS, GROUP_SIZE),
)


def settle() -> None:
    """Tell what has been counted in memory; the loop's watch does so many times a second (`obs.stall`)."""
    for counted in _COUNTED:
        counted.settle()
