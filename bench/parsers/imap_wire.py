"""How long the IMAP core takes for the commands that clients give all day.

    python bench/parsers/imap_wire.py [--profile]

Prints microseconds a command, from bytes in to the value out, and for the
responses that are long.
"""

import cProfile
import sys
from time import perf_counter

from postroad.imap.wire import responses
from postroad.imap.wire.core import ImapServerCore
from postroad.imap.wire.event import LiteralChunk
from postroad.imap.wire.message_commands import AppendStart
from postroad.imap.wire.table import State

COMMANDS = {
    "NOOP": b"a0001 NOOP\r\n",
    "SELECT": b"a0002 SELECT INBOX\r\n",
    "UID FETCH FLAGS": b"a0003 UID FETCH 1:* (FLAGS)\r\n",
    "UID FETCH listing": (
        b"a0004 UID FETCH 4827313:4828442 (UID RFC822.SIZE FLAGS INTERNALDATE BODY.PEEK[HEADER.FIELDS "
        b"(From To Cc Bcc Subject Date Message-ID Priority X-Priority References In-Reply-To)])\r\n"
    ),
    "UID FETCH body": b"a0005 UID FETCH 4827313 (UID BODY.PEEK[1.2]<0.65536>)\r\n",
    "UID STORE": b"a0006 UID STORE 4827313 +FLAGS.SILENT (\\Seen)\r\n",
    "UID COPY": b'a0007 UID COPY 17:23,25 "Archive/2024"\r\n',
    "STATUS": b"a0008 STATUS INBOX (MESSAGES UNSEEN UIDNEXT UIDVALIDITY)\r\n",
    "LIST": b'a0009 LIST "" "*" RETURN (SPECIAL-USE STATUS (MESSAGES UNSEEN))\r\n',
    "UID SEARCH": b"a0010 UID SEARCH UNDELETED SINCE 1-Feb-1994 OR FROM ada SUBJECT {3+}\r\nabc\r\n",
    "1,000 UIDs": b"a0011 UID FETCH %b (FLAGS)\r\n" % b",".join(b"%d" % (uid * 3) for uid in range(1, 1001)),
}


def seconds_for(wire: bytes, rounds: int) -> float:
    """Seconds for one of the commands, fed one at a time."""
    core = ImapServerCore()
    core.state = State.SELECTED
    start = perf_counter()
    for _ in range(rounds):
        core.receive(wire)
        while core.next_event() is not None:
            pass
        core.data_to_send()
    return (perf_counter() - start) / rounds


def append(size: int, piece: int) -> float:
    """Seconds for one APPEND that comes in pieces."""
    core = ImapServerCore()
    core.state = State.SELECTED
    data = b"x" * piece
    start = perf_counter()
    core.receive(b"a APPEND INBOX {%d+}\r\n" % size)
    assert isinstance(core.next_event(), AppendStart)
    core.accept_literal()
    for _ in range(size // piece):
        core.receive(data)
        assert isinstance(core.next_event(), LiteralChunk)
    return perf_counter() - start


def main() -> None:
    """Print one line for each measurement."""
    for name, wire in COMMANDS.items():
        seconds_for(wire, 100)
        seconds = min(seconds_for(wire, 2000 if len(wire) < 1000 else 100) for _ in range(5))
        print(f"{name:20} {seconds * 1e6:8.2f} us")
    print(f"{'APPEND 50 MB':20} {append(50_000_000, 100_000) * 1e3:8.2f} ms")
    gaps = [uid for uid in range(1, 200_000) if uid % 7]
    for label, work in (
        ("171,000 UIDs as set", lambda: responses.compress_uids(gaps)),
        ("171,000 in SEARCH", lambda: responses.search(gaps)),
        ("1,000 dates", lambda: [responses.internaldate(uid * 5000) for uid in range(1000)]),
    ):
        start = perf_counter()
        work()
        print(f"{label:20} {(perf_counter() - start) * 1e3:8.2f} ms")


if __name__ == "__main__":
    if "--profile" in sys.argv:
        cProfile.run("main()", sort="tottime")
    else:
        main()
