"""`postroad route`: add, list, remove, test."""

import asyncio
import threading
from collections.abc import Iterator

import msgspec
import pytest

from postroad.directory import snapshot
from postroad.store.offline import open_offline
from postroad.testing.remote import RemoteServer
from tests.unit.cli.conftest import Shell


def listed(shell: Shell) -> list[dict[str, object]]:
    found: list[dict[str, object]] = msgspec.json.decode(shell.ok("route", "list", "--json"))
    return found


def test_without_routes_mail_goes_by_mx(shell: Shell) -> None:
    assert shell.ok("route", "list").startswith("No routes: mail goes to the servers that MX records name.")


def test_a_route_is_added_listed_and_removed(shell: Shell) -> None:
    said = shell.ok("route", "add", "Example.org", "smtp://relay.example.net", "--source", "192.0.2.1")
    assert said.startswith("Mail for example.org goes by way of smtp://relay.example.net:25.")
    shell.ok("route", "add", "example.org", "smtp://[2001:db8::1]:2525", "--after", "3")
    first, second = listed(shell)
    assert (first["target"], first["after"], first["tls"]) == ("smtp://relay.example.net:25", 0, "may")
    assert (second["target"], second["after"]) == ("smtp://[2001:db8::1]:2525", 3)
    assert "example.org" in shell.ok("route", "list")
    shell.ok("route", "remove", "example.org")
    assert [one["after"] for one in listed(shell)] == [3]
    assert shell("route", "remove", "example.org").status == 1


def test_a_password_comes_from_standard_input_and_is_shown_nowhere(shell: Shell) -> None:
    add = ("route", "add", "*", "submission://relay.example.net", "--login", "ada")
    shell.ok(*add, stdin="secret words\n")
    (one,) = listed(shell)
    assert (one["login"], one["tls"]) == ("ada", "verify")
    assert "secret words" not in shell.ok("route", "list") + (shell.data / "directory.json").read_text()
    assert b"secret words" not in (shell.data / "index.db").read_bytes()
    assert shell(*add, stdin="").status == 2


def test_a_route_for_the_mail_of_one_domain(shell: Shell) -> None:
    said = shell.ok("route", "add", "*", "mx", "--from", "Bücher.example", "--source", "192.0.2.1")
    assert said.startswith("Mail from bücher.example for every domain without a route of its own goes by")
    said = shell.ok("route", "add", "example.org", "smtp://x.test", "--from", "bücher.example")
    assert "postroad route test example.org --from bücher.example" in said
    shell.ok("route", "add", "example.org", "smtp://y.test")
    assert [one["sender"] for one in listed(shell)] == ["xn--bcher-kva.example", "*", "xn--bcher-kva.example"]
    assert "bücher.example" in shell.ok("route", "list")
    assert "from c.example" in shell("route", "remove", "example.org", "--from", "c.example").err
    shell.ok("route", "remove", "example.org", "--from", "bücher.example")
    assert [one["sender"] for one in listed(shell)] == ["xn--bcher-kva.example", "*"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("example.org", "http://x.test"), "is no target"),
        (("example.org", "smtp://a b"), "is no target"),
        (("example.org", "smtp://x.test:70000"), "is no port"),
        (("not a domain", "mx"), "is not a domain"),
        (("example.org", "mx", "--source", "nonsense"), "is no IP address"),
        (("example.org", "mx", "--source", "192.0.2.1", "--source", "192.0.2.2"), "of each family"),
        (("ours.test", "mx"), "is a domain of this server"),
        (("example.org", "mx", "--from", "no domain"), "is not a domain"),
        (("example.org", "mx", "--from", "ours.test", "--per-minute", "9"), "whoever sends it"),
    ],
)
def test_what_cannot_be_is_refused(shell: Shell, words: tuple[str, ...], says: str) -> None:
    shell.ok("domain", "add", "ours.test")
    ran = shell("route", "add", *words)
    assert ran.status == 1
    assert says in ran.err
    assert listed(shell) == []


def test_a_password_is_never_for_clear_text(shell: Shell) -> None:
    ran = shell("route", "add", "*", "smtp://x.test", "--login", "a", "--tls", "may", stdin="b\n")
    assert "never sent in clear" in ran.err


def test_there_is_one_route_at_a_time(shell: Shell) -> None:
    shell.ok("route", "add", "example.org", "mx")
    ran = shell("route", "add", "example.org", "smtp://x.test")
    assert "--replace" in ran.err
    shell.ok("route", "add", "example.org", "smtp://x.test", "--replace")
    assert [one["target"] for one in listed(shell)] == ["smtp://x.test:25"]


def test_routes_come_back_with_the_directory(shell: Shell) -> None:
    shell.ok("route", "add", "*", "submission://x.test", "--login", "ada", "--per-minute", "9", stdin="pw\n")
    shell.ok("route", "add", "*", "mx", "--from", "ours.test", "--after", "2")
    before, saved = listed(shell), snapshot.load(shell.data)
    shell.ok("route", "remove", "*")
    shell.ok("route", "remove", "*", "--from", "ours.test", "--after", "2")
    with open_offline(shell.data) as database:
        database.write(lambda tx: snapshot.restore(tx, saved))
    assert len(before) == 2
    assert listed(shell) == before


@pytest.fixture
def relay() -> Iterator[RemoteServer]:
    """A server in a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    server = RemoteServer("relay.test")
    asyncio.run_coroutine_threadsafe(server.start(), loop).result()
    yield server
    asyncio.run_coroutine_threadsafe(server.stop(), loop).result()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


def test_a_route_is_tested_without_sending_anything(shell: Shell, relay: RemoteServer) -> None:
    shell.ok("route", "add", "example.org", f"smtp://127.0.0.1:{relay.port}")
    said = shell.ok("route", "test", "example.org")
    assert "127.0.0.1" in said
    assert "ready for mail" in said
    assert "in clear" in said
    assert relay.said("MAIL") == []
    relay.answer("CONNECT", "554 5.3.2 go away")
    ran = shell("route", "test", "example.org")
    assert ran.status == 1
    assert "go away" in ran.out
