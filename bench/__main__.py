"""`make bench`: drive a real `postroad serve` with two workers and print what it did.

The load generator runs on the same cores as the server. CPU per message is the
server's alone: the supervisor and its workers, user and system time. A wait is
from the last octet of a message to the answer that makes it durable; for FETCH,
from the command to its end.
"""

import argparse
import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.imap import append, fetch
from bench.load import Figures
from bench.smtp import smtp_in
from tests.interop.certificates import make_certificates
from tests.interop.postroad_server import HOST, Postroad, running

# One address opens every connection here; what protects a server from that is not measured.
LIMITS = """
[limits]
connections_per_address = 1000
unauthenticated_per_address = 1000
connection_rate = 100000
imap_sessions_per_user_address = 100
"""


def runs(server: Postroad, count: int, size: int) -> Iterator[Figures]:
    """Every measurement, one after the other."""
    for sessions in (1, 10, 50):
        yield asyncio.run(smtp_in(server, sessions, count if sessions > 1 else count // 4, size))
    for sessions in (1, 10):
        yield asyncio.run(append(server, sessions, count // 2 if sessions > 1 else count // 4, size))
    for items in ("(UID FLAGS)", "(UID FLAGS ENVELOPE BODYSTRUCTURE)", "(UID BODY.PEEK[])"):
        yield asyncio.run(fetch(server, items, 1))
        yield asyncio.run(fetch(server, items, 10))


def main() -> None:
    """Run it all and print one table."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--messages", type=int, default=5000, help="how many at 10 and 50 sessions")
    parser.add_argument("--size", type=int, default=10 * 1024, help="octets a message")
    options = parser.parse_args()
    table = Table("what", "messages", "messages/s", "CPU ms/message", "median ms", "95 % ms", "worst ms")
    with tempfile.TemporaryDirectory(prefix="postroad-bench-") as name:
        directory = Path(name)
        with running(Postroad(directory, make_certificates(directory, HOST), more=LIMITS)) as server:
            for row in runs(server, options.messages, options.size):
                table.add_row(
                    row.name,
                    f"{row.count:,}",
                    f"{row.count / row.seconds:,.0f}",
                    f"{1000 * row.cpu / row.count:.3f}",
                    *(f"{row.percentile(share):.1f}" for share in (0.5, 0.95, 1.0)),
                )
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
