"""What was said in clear is not heard in TLS (SAFETY C4), and no other protocol gets in (C6)."""

import asyncio
import ssl
from collections.abc import Callable, Iterator

import pytest
import uvloop

from postroad.testing import ThreadedWorld
from postroad.testing.world import LISTENERS, PASSWORD
from tests.world.clients import Raw
from tests.world.conftest import ADA, no_bugs, peopled

USER = ADA.encode()
UPGRADE = {
    "smtp": b"STARTTLS\r\n",
    "submission": b"STARTTLS\r\n",
    "imap": b"s STARTTLS\r\n",
    "pop3": b"STLS\r\n",
}
INJECTED = {
    "smtp": b"MAIL FROM:<eve@elsewhere.test>\r\nRCPT TO:<ada@demo.test>\r\nRSET\r\n",
    "submission": b"EHLO injected.test\r\nAUTH PLAIN AGV2ZUBkZW1vLnRlc3QAcGFzc3dvcmQ=\r\nNOOP\r\n",
    "imap": b'inj1 NOOP\r\ninj2 LOGIN eve@demo.test "password"\r\ninj3 CAPABILITY\r\n',
    "pop3": b"CAPA\r\nUSER eve@demo.test\r\nPASS password\r\n",
}
PARTIAL = {"smtp": b"EHLO inj", "submission": b"EHLO inj", "imap": b"inj NO", "pop3": b"USER inj"}


@pytest.fixture(
    scope="module", params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"]
)
def world(request: pytest.FixtureRequest) -> Iterator[ThreadedWorld]:
    """A server in each of the event loops that it may run in: TLS is their affair."""
    factory: Callable[[], asyncio.AbstractEventLoop] = request.param
    with no_bugs(), ThreadedWorld(loop_factory=factory) as world:
        yield peopled(world)


def answer(client: Raw, protocol: str) -> bytes:
    """The answer to one command."""
    if protocol == "imap":
        return client.until(b"s")[-1]
    return client.reply() if protocol != "pop3" else client.line()


def greeted(world: ThreadedWorld, protocol: str) -> Raw:
    """A connection in clear, past the greeting."""
    client = Raw(world.port(protocol))
    client.line()
    if protocol in ("smtp", "submission"):
        client.say(b"EHLO first.test")
    return client


def upgraded(client: Raw, world: ThreadedWorld) -> bool:
    """Begin TLS; False when the server does not want to any more, which is fine as well."""
    try:
        client.start_tls(world.tls())
    except (ssl.SSLError, ConnectionError):
        return False
    return True


def check_fresh(client: Raw, protocol: str) -> None:
    """The session begins anew, and only what is asked now is answered."""
    match protocol:
        case "smtp" | "submission":
            # RFC 3207 §4.2: what the client had said of itself is forgotten.
            assert client.say(b"MAIL FROM:<ada@demo.test>")[:3] in (b"503", b"530")
            offered = client.say(b"EHLO real.test")
            assert offered.startswith(b"250-mx.world.test")
            assert b"STARTTLS" not in offered
            client.send(b"NOOP\r\nQUIT\r\n")
            assert client.reply().startswith(b"250 ")
            assert client.reply().startswith(b"221 ")
        case "imap":
            client.send(b"real NOOP\r\nbye LOGOUT\r\n")
            assert client.until(b"real") == [b"real OK done"]
            assert client.until(b"bye")[-1].startswith(b"bye OK")
        case "pop3":
            client.send(b"NOOP\r\nSTAT\r\nPASS password\r\nQUIT\r\n")
            replies = [client.line() for _ in range(4)]
            assert [reply[:4] for reply in replies] == [b"-ERR", b"-ERR", b"-ERR", b"+OK "], replies
    assert client.rest() == b""


@pytest.mark.parametrize("protocol", UPGRADE)
def test_a_command_that_comes_with_the_end_of_the_handshake(world: ThreadedWorld, protocol: str) -> None:
    """A client need not wait between its Finished and the next command (RFC 8446 §2)."""
    command = {"imap": b"s NOOP", "pop3": b"CAPA"}.get(protocol, b"EHLO second.test")
    with greeted(world, protocol) as client:
        client.send(UPGRADE[protocol])
        answer(client, protocol)
        with client.one_segment():
            client.start_tls(world.tls())
            client.send(command + b"\r\n")
        assert answer(client, protocol)[:3] in (b"s O", b"250", b"+OK")


@pytest.mark.parametrize("protocol", UPGRADE)
def test_commands_in_the_same_segment(world: ThreadedWorld, protocol: str) -> None:
    with greeted(world, protocol) as client:
        client.send(UPGRADE[protocol] + INJECTED[protocol])
        answer(client, protocol)
        if upgraded(client, world):
            check_fresh(client, protocol)


@pytest.mark.parametrize("protocol", UPGRADE)
def test_commands_in_a_later_segment(world: ThreadedWorld, protocol: str) -> None:
    with greeted(world, protocol) as client:
        client.send(UPGRADE[protocol])
        answer(client, protocol)
        client.send(INJECTED[protocol])
        if upgraded(client, world):
            check_fresh(client, protocol)


@pytest.mark.parametrize("protocol", UPGRADE)
def test_the_beginning_of_a_command(world: ThreadedWorld, protocol: str) -> None:
    with greeted(world, protocol) as client:
        client.send(UPGRADE[protocol] + PARTIAL[protocol])
        answer(client, protocol)
        if upgraded(client, world):
            check_fresh(client, protocol)


@pytest.mark.parametrize("protocol", UPGRADE)
def test_one_command_and_the_beginning_of_another(world: ThreadedWorld, protocol: str) -> None:
    with greeted(world, protocol) as client:
        client.send(UPGRADE[protocol] + INJECTED[protocol] + PARTIAL[protocol])
        answer(client, protocol)
        if upgraded(client, world):
            check_fresh(client, protocol)


@pytest.mark.parametrize("protocol", UPGRADE)
def test_what_was_said_before(world: ThreadedWorld, protocol: str) -> None:
    before = {
        "smtp": b"MAIL FROM:<eve@elsewhere.test>\r\nRCPT TO:<ada@demo.test>\r\n",
        "submission": b"NOOP\r\nRSET\r\n",
        "imap": b"a ID NIL\r\nb ENABLE CONDSTORE\r\n",
        "pop3": b"CAPA\r\n",
    }[protocol]
    with greeted(world, protocol) as client:
        client.send(before + UPGRADE[protocol])
        if protocol == "pop3":
            while client.line() != b".":
                pass
        elif protocol != "imap":
            assert [client.reply()[:3] for _ in range(2)]
        assert answer(client, protocol)[:3] in (b"220", b"s O", b"+OK")
        assert upgraded(client, world)
        check_fresh(client, protocol)


@pytest.mark.parametrize("protocol", UPGRADE)
def test_an_ordinary_upgrade_works(world: ThreadedWorld, protocol: str) -> None:
    with greeted(world, protocol) as client:
        client.send(UPGRADE[protocol])
        answer(client, protocol)
        assert upgraded(client, world)
        check_fresh(client, protocol)


def test_no_password_is_taken_in_clear(world: ThreadedWorld) -> None:
    with greeted(world, "imap") as client:
        client.send(b'a LOGIN %b "%b"\r\n' % (USER, PASSWORD.encode()))
        assert client.until(b"a")[-1].startswith(b"a NO [PRIVACYREQUIRED]")
    with greeted(world, "pop3") as client:
        client.send(b"USER %b\r\nPASS %b\r\nSTAT\r\n" % (USER, PASSWORD.encode()))
        assert all(client.line().startswith(b"-ERR") for _ in range(3))


HTTP = [
    b"GET /s3cret HTTP/1.1\r\nHost: s3cret.test\r\nX: s3cret\r\n\r\n",
    b"POST /s3cret HTTP/1.0\r\nHost: s3cret.test\r\nContent-Length: 30\r\n\r\n"
    b"EHLO s3cret\r\nMAIL FROM:<s3cret@x.test>\r\n",
    b"PUT /s3cret HTTP/1.1\r\n\r\na CAPABILITY\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"CONNECT s3cret.test:25 HTTP/1.1\r\n\r\n",
]


@pytest.mark.parametrize("request_", HTTP, ids=lambda octets: octets.split()[0].decode())
@pytest.mark.parametrize("name", LISTENERS)
def test_a_browser_is_sent_away_at_its_first_line(world: ThreadedWorld, name: str, request_: bytes) -> None:
    with Raw(world.port(name), world.tls() if LISTENERS[name].tls == "implicit" else None) as client:
        client.line()
        client.send(request_)
        said = client.rest()
    assert b"s3cret" not in said
    assert said.count(b"\r\n") <= 1


SPOKEN = {"submissions": "smtp", "imaps": "imap", "pop3s": "pop3"}


def greeting_with(world: ThreadedWorld, name: str, protocols: list[str]) -> bytes:
    context = world.tls()
    context.set_alpn_protocols(protocols)
    try:
        with Raw(world.port(name), context) as client:
            return client.line()
    except (ssl.SSLError, ConnectionError):
        return b""


@pytest.mark.parametrize("name", SPOKEN)
def test_the_right_protocol_is_agreed_on(world: ThreadedWorld, name: str) -> None:
    assert greeting_with(world, name, [SPOKEN[name]])
    assert greeting_with(world, name, ["http/1.1", SPOKEN[name]])


@pytest.mark.parametrize("protocol", ["http/1.1", "h2", "ftp", "smtp", "imap", "pop3", "managesieve"])
@pytest.mark.parametrize("name", SPOKEN)
def test_another_protocol_hears_nothing(world: ThreadedWorld, name: str, protocol: str) -> None:
    if protocol != SPOKEN[name]:
        assert greeting_with(world, name, [protocol]) == b""


@pytest.mark.parametrize("protocol", UPGRADE)
def test_another_protocol_hears_nothing_behind_starttls_either(world: ThreadedWorld, protocol: str) -> None:
    context = world.tls()
    context.set_alpn_protocols(["http/1.1"])
    with greeted(world, protocol) as client:
        client.send(UPGRADE[protocol])
        answer(client, protocol)
        try:
            client.start_tls(context)
        except (ssl.SSLError, ConnectionError):
            return
        client.send(b"NOOP\r\n")
        assert client.rest() == b""


def cannot_agree(world: ThreadedWorld) -> ssl.SSLContext:
    """A client that knows only what the server does not do any more."""
    context = world.tls()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("AES128-SHA")
    return context


@pytest.mark.parametrize("name", SPOKEN)
def test_whose_handshake_fails_is_told_why(world: ThreadedWorld, name: str) -> None:
    """RFC 8446 §6.2: by an alert."""
    with pytest.raises(ssl.SSLError, match="ALERT_HANDSHAKE_FAILURE"):
        Raw(world.port(name), cannot_agree(world))


@pytest.mark.parametrize("protocol", UPGRADE)
def test_behind_starttls_as_well(world: ThreadedWorld, protocol: str) -> None:
    with greeted(world, protocol) as client:
        client.send(UPGRADE[protocol])
        answer(client, protocol)
        with pytest.raises(ssl.SSLError, match="ALERT_HANDSHAKE_FAILURE"):
            client.start_tls(cannot_agree(world))
