"""The life of DKIM keys: made, shown by the DNS, replaced, forgotten; and how they are kept."""

import stat
from functools import partial
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from postroad.db.database import Database
from postroad.db.offline import prepare_data
from postroad.directory import snapshot
from postroad.directory.changes import history
from postroad.directory.dkim_keys import (
    KEPT_SECONDS,
    DkimKey,
    add_keys,
    draw,
    draw_all,
    keys,
    note_shown,
    retire,
    signing_keys,
)
from postroad.directory.dkim_rounds import go_round, look
from postroad.directory.domains import add_domain, remove_domain
from postroad.directory.seal import FILE_NAME, CannotOpen, Seal
from postroad.dns.zone import ZoneResolver
from postroad.mailauth.dkim.key import parse_key_record
from tests.unit.directory.world import WHO, Book, HeldClock, run_with_database

DAY = 86400.0
ROTATE = 180 * DAY


def states(found: list[DkimKey]) -> list[tuple[str, str]]:
    return [(one.algorithm, one.state) for one in found]


def test_the_life_of_keys(tmp_path: Path) -> None:
    async def live(database: Database, clock: HeldClock) -> None:
        seal, resolver = Seal.of(tmp_path), ZoneResolver()

        async def round_() -> list[DkimKey]:
            await go_round(database, resolver, seal, tmp_path, now=clock.now(), rotate=ROTATE)
            return database.read(keys)

        await database.write(partial(add_domain, name="a.test", who=WHO))
        made = await round_()
        assert states(made) == [("ed25519", "waiting"), ("rsa", "waiting")]
        assert [one.selector for one in made] == ["e20231114", "r20231114"]
        assert database.read(partial(signing_keys, domain="a.test", seal=seal)) == []
        assert states(await round_()) == states(made)

        resolver.add_txt(made[0].name, made[0].record.encode())
        assert states(await round_()) == [("ed25519", "signing"), ("rsa", "waiting")]
        resolver.add_txt(made[1].name, made[1].record.encode())
        assert states(await round_()) == [("ed25519", "signing"), ("rsa", "signing")]
        signing = database.read(partial(signing_keys, domain="a.test", seal=seal))
        assert [one.algorithm for one in signing] == ["rsa-sha256", "ed25519-sha256"]

        clock.time += ROTATE + DAY
        found = await round_()
        assert sorted(states(found)) == [
            ("ed25519", "signing"),
            ("ed25519", "waiting"),
            ("rsa", "signing"),
            ("rsa", "waiting"),
        ]
        assert database.read(partial(signing_keys, domain="a.test", seal=seal))[0].selector == "r20231114"
        for one in found[2:]:
            resolver.add_txt(one.name, one.record.encode())
        assert sorted(states(await round_()))[::2] == [("ed25519", "retired"), ("rsa", "retired")]
        assert database.read(partial(signing_keys, domain="a.test", seal=seal))[0].selector == "r20240513"

        clock.time += KEPT_SECONDS + DAY
        assert states(await round_()) == [("ed25519", "signing"), ("rsa", "signing")]
        assert [one.name for one in snapshot.load(tmp_path).domains] == ["a.test"]
        assert len(snapshot.load(tmp_path).dkim_keys) == 2

    prepare_data(tmp_path)
    run_with_database(tmp_path, live)


def book(data: Path) -> tuple[Book, Seal, list[DkimKey]]:
    found, seal = Book(data), Seal.of(data)
    found.domain("a.test")
    made = found.write(partial(add_keys, domain="a.test", new=draw_all(), seal=seal, who=WHO))
    return found, seal, made


def test_records_are_what_verifiers_read(tmp_path: Path) -> None:
    _, _, made = book(tmp_path)
    for one, bits in zip(made, (2048, 256), strict=True):
        record = parse_key_record(one.record.encode())
        assert (record.kind, record.bits, record.testing) == (one.algorithm, bits, False)


def test_private_keys_are_nowhere_in_clear(tmp_path: Path) -> None:
    found, seal, _ = book(tmp_path)
    found.write(lambda tx: [note_shown(tx, one, who=WHO) for one in keys(tx)])
    private = found.read(partial(signing_keys, domain="a.test", seal=seal))[0].private
    assert isinstance(private, RSAPrivateKey)
    secret = private.private_numbers().p.to_bytes(128, "big")
    found.read(partial(snapshot.save, data=tmp_path))
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or secret not in path.read_bytes()
    assert stat.S_IMODE((tmp_path / FILE_NAME).stat().st_mode) == 0o600


def test_another_seal_opens_nothing(tmp_path: Path) -> None:
    found, _, _ = book(tmp_path)
    found.write(lambda tx: [note_shown(tx, one, who=WHO) for one in keys(tx)])
    with pytest.raises(CannotOpen):
        found.read(partial(signing_keys, domain="a.test", seal=Seal(bytes(32))))


def test_a_seal_opens_only_for_what_it_was_closed(tmp_path: Path) -> None:
    seal = Seal.of(tmp_path)
    sealed = seal.close(b"secret", "one thing")
    assert Seal.of(tmp_path).open(sealed, "one thing") == b"secret"
    with pytest.raises(CannotOpen):
        seal.open(sealed, "another thing")
    (tmp_path / FILE_NAME).write_bytes(b"short")
    with pytest.raises(CannotOpen):
        Seal.of(tmp_path)


def test_second_keys_of_a_day_have_names_of_their_own(tmp_path: Path) -> None:
    found, seal, made = book(tmp_path)
    [second] = found.write(partial(add_keys, domain="a.test", new=[draw("ed25519")], seal=seal, who=WHO))
    assert second.selector == made[1].selector + "b"


def test_a_key_that_was_retired_signs_no_more(tmp_path: Path) -> None:
    found, seal, made = book(tmp_path)
    found.write(lambda tx: [note_shown(tx, one, who=WHO) for one in keys(tx)])
    found.write(partial(retire, old=made[0], who=WHO))
    assert [one.algorithm for one in found.read(partial(signing_keys, domain="a.test", seal=seal))] == [
        "ed25519-sha256"
    ]


def test_keys_go_with_their_domain(tmp_path: Path) -> None:
    found, _, made = book(tmp_path)
    found.write(partial(remove_domain, name="a.test", who=WHO))
    assert found.read(keys) == []
    changes = [(one.noun, one.old) for one in found.read(partial(history, name=made[0].name))]
    assert changes == [("dkim key", {"state": "waiting"}), ("dkim key", None)]


def test_a_key_may_be_gone_when_the_dns_has_answered(tmp_path: Path) -> None:
    found, _, made = book(tmp_path)
    found.write(partial(remove_domain, name="a.test", who=WHO))
    assert found.write(partial(note_shown, shown=made[0], who=WHO)) is False
    again = partial(add_keys, domain="a.test", new=[draw("ed25519")], seal=Seal.of(tmp_path), who=WHO)
    assert found.write(again) == []


def test_keys_come_back_from_directory_json(tmp_path: Path) -> None:
    found, seal, _ = book(tmp_path / "one")
    found.write(lambda tx: [note_shown(tx, one, who=WHO) for one in keys(tx)])
    saved = found.read(snapshot.collect)
    other = Book(tmp_path / "other")
    other.write(partial(snapshot.restore, snapshot=saved))
    assert other.read(keys) == found.read(keys)
    assert [one.selector for one in other.read(partial(signing_keys, domain="a.test", seal=seal))]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("k=ed25519; p={public}", True),
        ("v=DKIM1; k=ed25519; t=s; p={public}", True),
        ("v=DKIM1; k=ed25519; p=", False),
        ("v=DKIM1; p={public}", False),
        ("nonsense", False),
    ],
)
def test_what_counts_as_shown(tmp_path: Path, text: str, shown: bool) -> None:
    _, _, made = book(tmp_path)
    resolver = ZoneResolver()
    resolver.add_txt(made[1].name, text.format(public=made[1].public).encode())

    async def ask(*_: object) -> None:
        assert (await look(resolver, made[1])).shown is shown

    run_with_database(tmp_path, ask)
