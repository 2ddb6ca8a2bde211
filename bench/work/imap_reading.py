"""Mail is read over IMAP: log-ins, listings, bodies, searches."""

import random
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Final

from bench.clients import TAG, command, imap_client, imap_login, imap_open
from bench.dialogue import Ask, Client, Dialogue, ask, run
from bench.fill import fill
from bench.mail import RARE
from bench.replies import Tagged
from bench.sample import Measure, Sample, Scale, Unit, Work, at_most, measured, times
from bench.servers.side import Side

KIB: Final = 1024
LARGE: Final = 100_000
BODIES: Final = 10_000
_SMALL: Final = 1 * KIB
_RANDOM: Final = 42
"""The same messages on every side."""


def _large(side: Side, scale: Scale) -> None:
    fill(side, "large", "Large", scale(LARGE), _SMALL)


def _bodies(side: Side, scale: Scale) -> None:
    fill(side, "bodies", "Bodies", scale(BODIES), 10 * KIB)


# -- log-in ----------------------------------------------------------------


def logins(sessions: int, count: int, *, tls: bool) -> Measure:
    def dialogue(side: Side, user: str, share: int) -> Dialogue:
        login = imap_login(side, user)
        for _ in range(share):
            yield imap_open(side, tls=tls)
            yield Ask(login, Tagged(TAG))
            yield Ask(b"t LOGOUT\r\n", Tagged(TAG))

    def measure(side: Side, scale: Scale) -> Sample:
        share = scale(count, sessions) // sessions
        users = [f"u{number}" for number in range(sessions)]
        for user in users:
            imap_client(side, user).close()  # so that neither side hashes a password while measured
        clients = [Client() for _ in users]
        with measured(side.tree, share * sessions) as sample:
            run(clients, [dialogue(side, user, share) for user in users])
        for client in clients:
            client.close()
        return sample.per_second()

    return measure


# -- one command, once or many times -----------------------------------------


def _first_select(side: Side, scale: Scale) -> Sample:
    """In the first session after a restart."""
    side.restart()
    client = imap_client(side, "large")
    with measured(side.tree, 1) as sample:
        command(client, b"SELECT Large", b"* %d EXISTS" % scale(LARGE), 1)
    client.close()
    return sample.milliseconds()


def _next_select(side: Side, scale: Scale) -> Sample:
    count, other = 100, imap_client(side, "large")
    command(other, b"SELECT Large")
    client = imap_client(side, "large")
    reply = b"* %d EXISTS" % scale(LARGE)

    def dialogue() -> Dialogue:
        for _ in range(count):
            yield Ask(b"t SELECT Large\r\n", Tagged(TAG, reply, 1))

    run([client], [dialogue()])
    with measured(side.tree, count) as sample:
        run([client], [dialogue()])
    client.close()
    other.close()
    sample.value = 1000 * sample.seconds / count
    return sample


def _fetch_all(items: bytes, *, first: bool = False) -> Measure:
    """These items of all messages; `first` is after a restart and without caches on disk."""
    wire = b"t FETCH 1:* %b\r\n" % items

    def measure(side: Side, scale: Scale) -> Sample:
        if first:
            side.forget("large", "Large")
            side.restart()
        client = imap_client(side, "large")
        command(client, b"EXAMINE Large")
        if not first:
            ask(client, Ask(wire, Tagged(TAG, b" FETCH (", scale(LARGE))))
        with measured(side.tree, 1) as sample:
            ask(client, Ask(wire, Tagged(TAG, b" FETCH (", scale(LARGE))))
        client.close()
        return sample.milliseconds()

    return measure


def _all_bodies(*, tls: bool) -> Measure:
    def measure(side: Side, scale: Scale) -> Sample:
        client = imap_client(side, "bodies", tls=tls)
        command(client, b"EXAMINE Bodies")
        reply = Tagged(TAG, b" FETCH (", scale(BODIES))
        with measured(side.tree, scale(BODIES)) as sample:
            ask(client, Ask(b"t FETCH 1:* (BODY.PEEK[])\r\n", reply))
        client.close()
        assert reply.octets > 10 * KIB * scale(BODIES), "bodies are missing"
        sample.value = reply.octets / sample.seconds / 1e6
        return sample

    return measure


def _many(count: int, commands: Callable[[Scale], Iterator[tuple[bytes, bytes]]]) -> Measure:
    """Short commands, one after the other, in one session."""

    def measure(side: Side, scale: Scale) -> Sample:
        client = imap_client(side, "bodies")
        command(client, b"SELECT Bodies")
        wanted = islice(commands(scale), scale(count))
        steps = [Ask(wire, Tagged(TAG, of, 1 if of else None)) for wire, of in wanted]
        with measured(side.tree, len(steps)) as sample:
            ask(client, *steps)
        client.close()
        return sample.per_second()

    return measure


def _random_bodies(scale: Scale) -> Iterator[tuple[bytes, bytes]]:
    chance = random.Random(_RANDOM)
    while True:
        yield b"t FETCH %d (BODY.PEEK[])\r\n" % chance.randint(1, scale(BODIES)), b" FETCH (BODY[] {"


def _noops(_: Scale) -> Iterator[tuple[bytes, bytes]]:
    while True:
        yield b"t NOOP\r\n", b""


def _search(words: bytes, mailbox: str, *, warm: bool = False) -> Measure:
    """What is searched for is in one message of a hundred."""

    def measure(side: Side, scale: Scale) -> Sample:
        everything = scale(LARGE if mailbox == "Large" else BODIES)
        client = imap_client(side, mailbox.lower())
        command(client, b"EXAMINE " + mailbox.encode())
        if warm:
            command(client, b"SEARCH " + words)
        with measured(side.tree, 1) as sample:
            reply = command(client, b"SEARCH " + words)
        client.close()
        found = len(reply.text.split(b"\r\n")[0].split()) - 2
        assert found == len(range(7, everything, 100)), f"{found} messages found of {everything}"
        return sample.milliseconds()

    return measure


# -- the rows ------------------------------------------------------------------

_LISTING: Final = "(UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE)"


def works() -> Iterator[Work]:
    """The rows."""
    ms, mb = Unit.MILLISECONDS, Unit.MEGABYTES
    for name, title, tls, targets, mox in (
        ("login", "IMAP log in and out, plain, 4 at a time", False, times(3, 10), 243.0),
        ("login-tls", "IMAP log in and out, TLS, 4 at a time", True, times(1.2, 2), 163.0),
    ):
        measure = logins(4, 200, tls=tls)
        yield Work(name, title, Unit.LOGINS, *targets, measure, ("mdbox",), mox=mox, judged_by_mox=True)
    large, bodies = _large, _bodies
    yield Work(
        "select-first", "SELECT of 100,000, first", ms, *at_most(20, 5), _first_select, prepare=large, pairs=3
    )
    yield Work("select", "SELECT of 100,000, again", ms, *at_most(0.3, 0.1), _next_select, prepare=large)
    yield Work(
        "fetch-flags",
        "FETCH 1:* (FLAGS) of 100,000",
        ms,
        *times(1, 1.5),
        _fetch_all(b"(FLAGS)"),
        prepare=large,
    )
    yield Work(
        "fetch-envelope",
        f"FETCH 1:* {_LISTING} of 100,000, warm",
        ms,
        *times(2, 8),
        _fetch_all(_LISTING.encode()),
        prepare=large,
        pairs=3,
    )
    yield Work(
        "fetch-envelope-first",
        f"FETCH 1:* {_LISTING} of 100,000, first",
        ms,
        *times(2, 20),
        _fetch_all(_LISTING.encode(), first=True),
        prepare=large,
        pairs=2,
    )
    yield Work(
        "bodies", "BODY.PEEK[] of 10,000, plain", mb, *times(0.6, 1), _all_bodies(tls=False), prepare=bodies
    )
    yield Work(
        "bodies-tls", "BODY.PEEK[] of 10,000, TLS", mb, *times(0.8, 1), _all_bodies(tls=True), prepare=bodies
    )
    many = Unit.COMMANDS
    yield Work(
        "body", "FETCH of one random body", many, *times(0.7, 1), _many(3000, _random_bodies), prepare=bodies
    )
    yield Work(
        "noop", "NOOP", many, *times(1, 2), _many(10_000, _noops), ("mdbox",), prepare=bodies, mox=34_000
    )
    yield Work(
        "search-subject",
        "SEARCH SUBJECT of 100,000",
        ms,
        *times(1, 4),
        _search(b"SUBJECT rare", "Large", warm=True),
        prepare=large,
        pairs=3,
    )
    for name, title, mailbox, prepare, pairs in (
        ("search-body", "SEARCH BODY of 10,000", "Bodies", bodies, 3),
        ("search-body-100k", "SEARCH BODY of 100,000", "Large", large, 1),
    ):
        measure = _search(b"BODY " + RARE, mailbox)
        yield Work(name, title, ms, *times(2, 100), measure, ("mdbox",), prepare=prepare, pairs=pairs)
