"""Mail is changed over IMAP: flags, APPEND, copies."""

from collections.abc import Iterator
from typing import Final

from bench import mail
from bench.clients import TAG, command, imap_client
from bench.dialogue import Ask, Client, Dialogue, ask, run
from bench.fill import fill, multiappend
from bench.replies import Tagged
from bench.sample import Measure, Sample, Scale, Unit, Work, measured, times
from bench.servers.side import Side

_KIB: Final = 1024


def _stores(sessions: int, count: int) -> Measure:
    """Set and clear one flag of one message after the other, each in a mailbox of its own user."""

    def dialogue(number: int) -> Dialogue:
        for turn in range(number):
            sign = b"+" if turn // 100 % 2 == 0 else b"-"
            wire = b"t STORE %d %bFLAGS (\\Flagged)\r\n" % (1 + turn % 100, sign)
            yield Ask(wire, Tagged(TAG, b" FETCH (", 1))

    def measure(side: Side, scale: Scale) -> Sample:
        share = scale(count, sessions) // sessions
        clients = []
        for number in range(sessions):
            fill(side, f"u{number}", "Flags", 100, _KIB)
            client = imap_client(side, f"u{number}")
            command(client, b"SELECT Flags")
            command(client, b"STORE 1:* -FLAGS.SILENT (\\Flagged)")
            clients.append(client)
        with measured(side.tree, share * sessions) as sample:
            run(clients, [dialogue(share) for _ in clients])
        for client in clients:
            client.close()
        return sample.per_second()

    return measure


def _appending(sessions: int, count: int) -> Measure:
    def dialogue(bodies: list[bytes]) -> Dialogue:
        for body in bodies:
            yield Ask(b"t APPEND Added {%d+}\r\n%b\r\n" % (len(body), body), Tagged(TAG, b"APPENDUID", 1))

    def measure(side: Side, scale: Scale) -> Sample:
        share = scale(count, sessions) // sessions
        clients = [_with_mailbox(side, f"u{number}", b"Added") for number in range(sessions)]
        work = [dialogue(list(mail.messages(share, 10 * _KIB))) for _ in clients]
        with measured(side.tree, share * sessions) as sample:
            run(clients, work)
        for client in clients:
            client.close()
        return sample.per_second()

    return measure


def _with_mailbox(side: Side, user: str, mailbox: bytes) -> Client:
    """Open a session of a user who has this mailbox."""
    client = imap_client(side, user)
    if not command(client, b'LIST "" ' + mailbox, b"* LIST").count:
        command(client, b"CREATE " + mailbox)
    return client


def _multiappend(side: Side, scale: Scale) -> Sample:
    client = _with_mailbox(side, "u0", b"Added")
    rounds, batch = scale(10), list(mail.messages(100, 10 * _KIB))
    steps = [multiappend(b"Added", batch) for _ in range(rounds)]
    with measured(side.tree, 100 * rounds) as sample:
        ask(client, *steps)
    client.close()
    return sample.per_second()


def _copying(verb: bytes) -> Measure:
    """1,000 messages into an empty mailbox."""

    def measure(side: Side, scale: Scale) -> Sample:
        client = imap_client(side, "moves")
        fill(side, "moves", verb.decode().title(), scale(1000), _KIB)
        command(client, b"CREATE Target")
        command(client, b"SELECT " + verb.title())
        with measured(side.tree, scale(1000)) as sample:
            ask(client, Ask(b"t %b 1:* Target\r\n" % verb, Tagged(TAG, b"[COPYUID ", 1)))
        if verb == b"MOVE":
            command(client, b"SELECT Target", b"* %d EXISTS" % scale(1000), 1)
            command(client, b"MOVE 1:* Move")
        command(client, b"CLOSE")
        command(client, b"DELETE Target")
        client.close()
        return sample.milliseconds()

    return measure


def works() -> Iterator[Work]:
    """The rows."""
    commands, rate, ms = Unit.COMMANDS, Unit.MESSAGES, Unit.MILLISECONDS
    synced = ("synced",)
    yield Work(
        "store",
        "STORE of one flag, durable, 1 session",
        commands,
        *times(2, 4),
        _stores(1, 500),
        synced,
        mox=814,
        judged_by_mox=True,
    )
    yield Work(
        "store-10",
        "STORE of one flag, durable, 10 sessions",
        commands,
        *times(2, 4),
        _stores(10, 2000),
        synced,
        mox=1628,
        judged_by_mox=True,
    )
    yield Work("append", "APPEND 10 KiB, 1 session", rate, *times(2, 4), _appending(1, 300))
    yield Work("append-10", "APPEND 10 KiB, 10 sessions", rate, *times(1.5, 3), _appending(10, 1500))
    yield Work("multiappend", "MULTIAPPEND of 100", rate, *times(0.5, 1), _multiappend, needs=b"MULTIAPPEND")
    yield Work("copy", "COPY of 1,000", ms, *times(0.5, 1), _copying(b"COPY"))
    yield Work("move", "MOVE of 1,000", ms, *times(0.5, 1), _copying(b"MOVE"))
