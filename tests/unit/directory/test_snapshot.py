"""`directory.json`: true after each change, private, and enough to begin again from."""

import json
import stat
from functools import partial
from pathlib import Path

import pytest

from postroad.directory import snapshot
from postroad.directory.accounts import (
    account,
    add_account,
    suspend_account,
    switch_capabilities,
    take_app_passwords_only,
)
from postroad.directory.aliases import aliases
from postroad.directory.app_passwords import add_app_password, draw
from postroad.directory.credentials import credential
from postroad.directory.directory import Directory
from postroad.directory.domains import add_domain, domains
from postroad.directory.errors import AlreadyThere
from postroad.directory.scram import THE_PASSWORD, Recipe, keep_keys, make_keys
from postroad.directory.snapshot import FILE_NAME, KEPT_NAME, BadSnapshot, collect, load, restore, save
from tests.unit.directory.world import WHO, Book, HeldClock, run_with_directory


def filled(data: Path) -> Book:
    book = Book(data)
    book.domain("example.org")
    book.domain("bücher.example")
    book.account("gone@example.org")
    book.account("Ada@example.org", "correct horse")
    book.account("jörg@bücher.example")
    book.alias("team@example.org", "ada@example.org", "eve@example.com")
    book.alias("@example.org", "team@example.org")
    book.write(lambda tx: suspend_account(tx, "jörg@bücher.example", True, who=WHO))
    keys = make_keys("a secret", {"SHA-256": Recipe(b"salt", 4096), "SHA-1": Recipe(b"pepper", 4096)})
    book.write(lambda tx: keep_keys(tx, 2, THE_PASSWORD, keys))
    book.write(
        lambda tx: add_app_password(
            tx, "ada@example.org", draw(), who=WHO, label="phone", most=1, keys=keys, expires=2e9
        )
    )
    book.write(lambda tx: take_app_passwords_only(tx, "ada@example.org", True, who=WHO))
    book.write(lambda tx: switch_capabilities(tx, "ada@example.org", ["move", "ACL"], False, who=WHO))
    return book


def keep(book: Book) -> bool:
    return book.read(partial(save, data=book.data))


def test_it_is_private_and_readable(tmp_path: Path) -> None:
    book = filled(tmp_path)
    assert keep(book)
    path = tmp_path / FILE_NAME
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    text = json.loads(path.read_text())
    assert [domain["name"] for domain in text["domains"]] == ["example.org", "xn--bcher-kva.example"]
    assert text["aliases"][0] == {"source": "@example.org", "targets": ["team@example.org"]}
    assert text["accounts"][1]["address"] == "Ada@example.org"
    assert '\n  "domains": [\n' in path.read_text()


def test_it_is_written_once_a_change(tmp_path: Path) -> None:
    book = filled(tmp_path)
    assert keep(book)
    assert not keep(book)
    book.domain("more.example")
    assert keep(book)


def test_a_change_in_the_server_writes_it(tmp_path: Path) -> None:
    Book(tmp_path)

    async def test(directory: Directory, _: HeldClock) -> None:
        await directory.change(lambda tx: add_domain(tx, "example.org", who=WHO))
        info = await directory.change(lambda tx: add_account(tx, "ada@example.org", who=WHO))
        assert [a.id for a in load(tmp_path).accounts] == [info.id]
        with pytest.raises(AlreadyThere):
            await directory.change(lambda tx: add_account(tx, "ada@example.org", who=WHO))

    run_with_directory(tmp_path, test)


def test_a_change_stands_though_the_file_cannot_be_written(tmp_path: Path) -> None:
    Book(tmp_path)
    (tmp_path / FILE_NAME).mkdir()

    async def test(directory: Directory, _: HeldClock) -> None:
        await directory.change(lambda tx: add_domain(tx, "example.org", who=WHO))
        assert directory.is_local_domain("example.org")

    run_with_directory(tmp_path, test)


def test_a_directory_comes_back_whole(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    (tmp_path / "new").mkdir()
    old = filled(tmp_path / "old")
    keep(old)
    new = Book(tmp_path / "new")
    new.write(partial(restore, snapshot=load(old.data)))
    before, after = old.read(collect), new.read(collect)
    assert (after.domains, after.accounts, after.aliases) == (before.domains, before.accounts, before.aliases)
    assert after.salt_key == before.salt_key
    assert len(after.salt_key) == 32
    saved = after.accounts[1]
    assert saved.app_passwords_only
    assert saved.switched_off == ["ACL", "MOVE"]
    assert [len(one.scram) for one in saved.app_passwords] == [2]
    assert [one.hash for one in saved.scram] == ["SHA-1", "SHA-256"]
    assert new.read(aliases) == old.read(aliases)
    assert [d.name for d in new.read(domains)] == [d.name for d in old.read(domains)]
    ada = new.read(lambda reader: account(reader, "ada@example.org"))
    assert new.read(lambda reader: credential(reader, ada.id)) is not None
    assert new.account("next@example.org") == before.next_account_id


def test_restoring_over_accounts_is_a_mistake(tmp_path: Path) -> None:
    book = filled(tmp_path)
    with pytest.raises(AssertionError):
        book.write(partial(restore, snapshot=book.read(collect)))


def test_the_file_of_a_lost_database_is_kept(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    (tmp_path / "new").mkdir()
    old = filled(tmp_path / "old")
    keep(old)
    text = (old.data / FILE_NAME).read_bytes()
    new = Book(tmp_path / "new")
    (new.data / FILE_NAME).write_bytes(text)
    assert not keep(new)
    assert (new.data / FILE_NAME).read_bytes() == text
    new.domain("example.org")
    assert keep(new)
    assert (new.data / KEPT_NAME).read_bytes() == text
    assert load(new.data).accounts == []


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"{}", b'{"postroad_directory": 2}', b"\xff"])
def test_what_is_no_snapshot(text: bytes) -> None:
    with pytest.raises(BadSnapshot, match=FILE_NAME.replace(".", r"\.")):
        snapshot.parse(text)


def test_a_later_format_is_named(tmp_path: Path) -> None:
    book = filled(tmp_path)
    keep(book)
    text = (tmp_path / FILE_NAME).read_bytes().replace(b'"postroad_directory": 1', b'"postroad_directory": 2')
    with pytest.raises(BadSnapshot, match="format 2, this postroad knows 1"):
        snapshot.parse(text)
