"""Mailbox names are names, never paths (SAFETY C25)."""

from collections.abc import Iterator
from typing import Final

import pytest

from postroad.testing import ThreadedWorld
from postroad.testing.world import PASSWORD
from tests.world.clients import Raw
from tests.world.conftest import ADA

REFUSED: Final = [
    *(b"..", b".", b"../../etc/passwd", b"a/../b", b"a/./b", b"/etc/passwd", b"a//b", b"a/../../b", b"//"),
    *(b"a\x01b", b"a\x1b[2Jb", b"a\x7fb", b"a\rb", b"a\nb", b"a\r\n* BYE x", b"%", b"a*b", b"x" * 1001),
    *(
        b"&AAA-",
        b"&AAo-",
        b"&ACo-",
        b"&ACU-",
        b"&",
        b"&&",
        b"&AOk",
        b"&!!-",
        b"&AGE-",
        b"&2D0-",
        b"&AOl-",
        b"\xff",
    ),
    *(
        b"&ICg-",
        b"&AIU-",
        b"&AC8-",
        b"&AC4ALg-",
        b"/".join([b"y"] * 10_000),
        b"&" * 60_000,
    ),
]
"""Dots, controls, wildcards, what is no modified UTF-7 or not the one way to write it, too long, too deep."""
TAKEN: Final = [
    *(
        b"...",
        b"..a",
        b"a..",
        b".ssh",
        b"C:\\boot.ini",
        b"~root",
        b"$(reboot)",
        b"`id`",
        b"-rf",
        b"con",
        b"a'b\"c",
    ),
    *(
        b"a;b",
        b"a|b",
        b"<script>",
        b"&AOk-",
        b"&ZeVnLIqe-",
        b"&2D3cqQ-",
        b"a b",
        b"{1}",
        b"(x)",
    ),
    *(b"NIL", b"&-", b"x" * 1000, b"/".join([b"z"] * 20)),
]


@pytest.fixture
def client(lasting_world: ThreadedWorld) -> Iterator[Raw]:
    """ada's session."""
    with Raw(lasting_world.port("imaps"), lasting_world.tls()) as client:
        client.line()
        client.send(f'a LOGIN {ADA} "{PASSWORD}"\r\n'.encode())
        client.until(b"a")
        yield client


def say(client: Raw, verb: bytes, name: bytes, rest: bytes = b"") -> list[bytes]:
    """A command with the name as a literal."""
    client.send(b"t %b {%d+}\r\n%b%b\r\n" % (verb, len(name), name, rest))
    return client.until(b"t")


def folders(world: ThreadedWorld) -> list[str]:
    """The directories of the server; a mailbox makes none."""
    return sorted(str(path) for path in world.data.rglob("*") if path.is_dir())


def names(client: Raw) -> int:
    client.send(b'l LIST "" *\r\n')
    return len(client.until(b"l")) - 1


@pytest.mark.parametrize("name", REFUSED, ids=lambda name: repr(name[:20]))
def test_hostile_names_are_refused(lasting_world: ThreadedWorld, client: Raw, name: bytes) -> None:
    before, files = names(client), sorted(path.name for path in lasting_world.data.iterdir())
    for verb in (b"CREATE", b"RENAME Archive", b"SUBSCRIBE", b"DELETE", b"SELECT"):
        (said,) = say(client, verb, name)
        assert said.startswith((b"t NO ", b"t BAD ")), said
    (said,) = say(client, b"STATUS", name, b" (MESSAGES)")
    assert said.startswith((b"t NO ", b"t BAD ")), said
    assert names(client) == before
    assert sorted(path.name for path in lasting_world.data.iterdir()) == files


@pytest.mark.parametrize("name", TAKEN, ids=lambda name: repr(name[:20]))
def test_odd_names_are_names(lasting_world: ThreadedWorld, client: Raw, name: bytes) -> None:
    places = folders(lasting_world)
    assert say(client, b"CREATE", name)[-1].startswith(b"t OK")
    assert say(client, b"SELECT", name)[-1].startswith(b"t OK")
    listed = say(client, b'LIST ""', name)
    assert len(listed) == 2
    client.send(b"u UNSELECT\r\n")
    client.until(b"u")
    assert say(client, b"DELETE", name)[-1].startswith(b"t OK")
    assert folders(lasting_world) == places


def test_a_name_has_so_many_levels_and_no_more(client: Raw) -> None:
    for verb in (b"CREATE", b"RENAME Archive"):
        (said,) = say(client, verb, b"a/" * 20 + b"b")
        assert said.startswith(b"t NO [LIMIT]"), said
