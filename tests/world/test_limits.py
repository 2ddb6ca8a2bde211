"""Limits hold over all workers together, and each says what it is."""

import smtplib
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial

import pytest

from postroad.config.limits import Limits
from postroad.testing import ThreadedWorld
from postroad.testing.world import PASSWORD
from tests.world.clients import Raw, exchange, mail, raw_submission, subjects, submission
from tests.world.conftest import ADA, BOB, no_bugs, peopled

MIB = 1024 * 1024


@contextmanager
def limited(**numbers: int | float) -> Iterator[ThreadedWorld]:
    """A server with other limits, which treats this machine like any stranger."""
    limits = Limits(uncounted_addresses=(), auth_delay=0, errors_soft=10, **numbers)  # type: ignore[arg-type]
    with no_bugs(), ThreadedWorld(limits=limits) as world:
        yield peopled(world)


def connect(world: ThreadedWorld, cleanup: ExitStack, name: str, worker: int) -> bytes:
    """Open a connection that stays; gives the greeting."""
    return cleanup.enter_context(Raw(world.port(name, worker))).line()


def test_connections_without_log_in_are_counted_over_all_workers() -> None:
    with limited(unauthenticated_per_address=6) as world, ExitStack() as cleanup:
        for number in range(6):
            protocol = ("smtp", "imap", "pop3")[number % 3]
            assert not connect(world, cleanup, protocol, number % 2).startswith((b"421", b"-ERR", b"* BYE"))
        assert connect(world, cleanup, "smtp", 0).startswith(b"421 4.7.0 too many connections")
        assert connect(world, cleanup, "imap", 1).startswith(b"* BYE [UNAVAILABLE] too many connections")
        assert connect(world, cleanup, "pop3", 1).startswith(b"-ERR [SYS/TEMP] too many connections")


def test_who_has_logged_in_no_longer_counts_as_a_stranger() -> None:
    with limited(unauthenticated_per_address=3) as world, ExitStack() as cleanup:
        for _ in range(6):
            cleanup.enter_context(raw_submission(world))
        assert connect(world, cleanup, "smtp", 0).startswith(b"220 ")


def test_a_connection_that_ends_makes_room_for_another() -> None:
    with limited(connections_per_address=2, unauthenticated_per_address=2) as world:
        for worker in (0, 1, 0, 1):
            world.until(partial(is_served, world, worker))


def is_served(world: ThreadedWorld, worker: int) -> bool:
    """Come, look and go."""
    with Raw(world.port("smtp", worker)) as client:
        welcome = client.line().startswith(b"220 ")
        client.send(b"QUIT\r\n")
        client.rest()
    return welcome


def test_new_connections_a_minute_are_counted_over_all_workers() -> None:
    with limited(connection_rate=8) as world:
        greetings = []
        for number in range(10):
            with Raw(world.port("smtp", number % 2)) as client:
                greetings.append(client.line()[:3])
        assert greetings == [b"220"] * 8 + [b"421"] * 2


def test_failed_log_ins_are_counted_over_all_workers() -> None:
    with limited(auth_per_minute_address=4) as world:
        answers = []
        for number in range(6):
            with Raw(world.port("imaps", number % 2), world.tls()) as client:
                client.line()
                client.send(f"a LOGIN {ADA} wrong{number}\r\n".encode())
                answers.append(client.until(b"a")[-1].split(b"]")[0])
        assert answers == [b"a NO [AUTHENTICATIONFAILED"] * 4 + [b"a NO [LIMIT"] * 2
        with pytest.raises(smtplib.SMTPResponseException) as refused, submission(world, BOB):
            pass
        assert refused.value.smtp_code == 454


def test_harvesters_are_known_to_all_workers() -> None:
    with limited(unknown_recipients_day=5) as world:
        for number in range(5):
            with Raw(world.port("smtp", number % 2)) as client:
                client.line()
                client.say(b"EHLO probe.test")
                client.say(b"MAIL FROM:<>")
                assert client.say(b"RCPT TO:<user%d@demo.test>" % number).startswith(b"550 5.1.1")
        for worker in (0, 1):
            with Raw(world.port("smtp", worker)) as client:
                client.line()
                client.say(b"EHLO probe.test")
                client.say(b"MAIL FROM:<>")
                assert client.say(b"RCPT TO:<ada@demo.test>").startswith(b"450 4.7.1")


def test_sessions_of_a_user_are_counted_over_all_workers() -> None:
    with limited(imap_sessions_per_user=3) as world, ExitStack() as cleanup:
        answers = []
        for number in range(4):
            client = cleanup.enter_context(Raw(world.port("imaps", number % 2), world.tls()))
            client.line()
            client.send(f'a LOGIN {ADA} "{PASSWORD}"\r\n'.encode())
            answers.append(client.until(b"a")[-1][:4])
        assert answers == [b"a OK"] * 3 + [b"a NO"]


def test_a_mailbox_is_open_in_pop3_once_over_all_workers(world: ThreadedWorld) -> None:
    def log_in(client: Raw) -> bytes:
        client.line()
        client.send(f"USER {ADA}\r\nPASS {PASSWORD}\r\n".encode())
        client.line()
        return client.line()

    with Raw(world.port("pop3s", 0), world.tls()) as first, Raw(world.port("pop3s", 1), world.tls()) as other:
        assert log_in(first).startswith(b"+OK")
        assert log_in(other).startswith(b"-ERR [IN-USE]")


def test_a_message_that_is_too_large_is_refused_wherever_that_is_seen() -> None:
    with limited(message_size=MIB) as world:
        with exchange(world) as client:
            assert client.mail("eve@elsewhere.test", [f"SIZE={MIB + 1}"])[0] == 552
            client.mail("eve@elsewhere.test")
            client.rcpt(ADA)
            code, words = client.data(mail() + b"x" * 998 + b"\r\n" + (b"y" * 998 + b"\r\n") * 1050)
            assert (code, words[:5]) == (552, b"5.3.4")
            assert client.noop()[0] == 250
        assert subjects(world, ADA) == []


def test_recipients_beyond_the_limit_come_later() -> None:
    with limited(recipients=3) as world:
        world.add_alias("@demo.test", ADA)
        with exchange(world) as client:
            client.mail("eve@elsewhere.test")
            answers = [client.rcpt(f"user{number}@demo.test")[0] for number in range(5)]
            assert answers == [250, 250, 250, 452, 452]
            assert client.data(mail())[0] == 250


@pytest.mark.parametrize(
    ("message", "status"),
    [
        (b"X: 1\r\n" * 1001 + b"\r\nbody\r\n", b"5.3.4"),
        (b"X: " + b"y" * 990 + b"\r\n" + (b" " + b"y" * 990 + b"\r\n") * 300 + b"\r\nbody\r\n", b"5.3.4"),
        (b"Subject: x\r\n\r\n" + b"y" * 70_000 + b"\r\n", b"5.6.0"),
    ],
    ids=["fields", "header", "line"],
)
def test_headers_and_lines_have_a_limit(world: ThreadedWorld, message: bytes, status: bytes) -> None:
    with exchange(world) as client:
        client.mail("eve@elsewhere.test")
        client.rcpt(ADA)
        code, words = client.data(message)
    assert 500 <= code < 600
    assert words.startswith(status)


def test_ten_errors_end_a_session(world: ThreadedWorld) -> None:
    with Raw(world.port("smtp")) as client:
        client.line()
        client.say(b"EHLO x.test")
        client.send(b"WHAT\r\n" * 12)
        said = client.rest().split(b"\r\n")
    assert said[-2].startswith(b"421 4.7.0 too many errors")
    assert len(said) == 12  # ten errors, goodbye, and what is behind the last line end


def test_strangers_make_room_for_one_another_and_users_stay() -> None:
    """Silent connections beyond the strangers' share go, the oldest first."""
    with (
        limited(
            connections=20, unauthenticated_per_address=100, connections_per_address=100, connection_rate=1000
        ) as world,
        ExitStack() as cleanup,
    ):
        user = cleanup.enter_context(raw_submission(world))
        silent = [cleanup.enter_context(Raw(world.port("imap", 0))) for _ in range(12)]
        for client in silent[-3:]:
            assert client.line().startswith(b"* OK")
        silent[0].line()
        assert silent[0].rest() == b""
        assert user.say(b"NOOP").startswith(b"250")


def test_a_peer_that_reads_nothing_stops_only_itself(world: ThreadedWorld) -> None:
    world.deliver(ADA, text="x" * 70 + "\n")
    for _ in range(3):
        world.deliver(ADA, text=("x" * 70 + "\n") * 20_000)
    with ExitStack() as cleanup:
        for _ in range(3):
            client = cleanup.enter_context(Raw(world.port("imaps", 0), world.tls()))
            client.line()
            client.send(f'a LOGIN {ADA} "{PASSWORD}"\r\nb SELECT INBOX\r\nc FETCH 1:* BODY[]\r\n'.encode())
        with Raw(world.port("smtp", 0)) as other:
            assert other.line().startswith(b"220 ")
            assert other.say(b"EHLO x.test").startswith(b"250")


def test_half_open_connections_are_no_hindrance(world: ThreadedWorld) -> None:
    with ExitStack() as cleanup:
        for _ in range(50):
            cleanup.enter_context(socket.create_connection(("127.0.0.1", world.port("imaps", 0))))
        with Raw(world.port("imaps", 0), world.tls()) as client:
            assert client.line().startswith(b"* OK")
