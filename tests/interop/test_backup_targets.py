"""The three kinds of targets keep the same promises: Debian's sshd and an S3 store are the other side."""

import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from postroad.backup.errors import NoSuchObject, TargetError
from postroad.backup.prune import Keep, prune
from postroad.backup.targets.choose import open_target
from postroad.backup.targets.target import Target
from postroad.config.settings import Backup
from tests.interop.s3_server import SECRET, S3Server
from tests.interop.ssh_server import SshServer
from tests.unit.backup.vault import Vault, letter


@pytest.fixture(scope="module")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshServer]:
    """An ssh server."""
    server = SshServer(tmp_path_factory.mktemp("sshd"))
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """An S3 store with one bucket."""
    server = S3Server(tmp_path_factory.mktemp("s3"))
    server.start()
    server.make_bucket("mail")
    yield server
    server.stop()


def over_ssh(sshd: SshServer, folder: Path) -> Target:
    settings = Backup(ssh_key=sshd.client_key, known_hosts=sshd.known_hosts)
    return open_target(sshd.url(folder), settings)


def in_s3(s3: S3Server, prefix: str) -> Target:
    settings = Backup(s3_endpoint=s3.endpoint, s3_credentials=s3.credentials)
    return open_target(f"s3://mail/{prefix}", settings)


@pytest.fixture(params=["directory", "ssh", "s3"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Target]:
    """A target of each kind, empty."""
    match request.param:
        case "directory":
            opened = open_target(str(tmp_path), Backup())
        case "ssh":
            opened = over_ssh(request.getfixturevalue("sshd"), tmp_path)
        case _:
            opened = in_s3(request.getfixturevalue("s3"), f"backups/{tmp_path.name}")
    with closing(opened) as one:
        yield one


def test_what_was_put_is_there(target: Target) -> None:
    target.put("chunks/ab/abc", b"one\r\n\0" * 100_000)
    target.put("chunks/cd/cde", b"")
    target.put("backups/now", b"three")
    target.settle()
    assert target.get("chunks/ab/abc") == b"one\r\n\0" * 100_000
    assert target.get("chunks/cd/cde") == b""
    assert target.list("chunks") == {"chunks/ab/abc": 600_000, "chunks/cd/cde": 0}
    assert target.list("backups") == {"backups/now": 5}


def test_what_is_not_there_is_told_from_trouble(target: Target) -> None:
    assert target.list("chunks") == {}
    with pytest.raises(NoSuchObject):
        target.get("chunks/ab/abc")


def test_removing_twice_is_removing_once(target: Target) -> None:
    target.put("chunks/ab/abc", b"one")
    target.delete("chunks/ab/abc")
    target.delete("chunks/ab/abc")
    assert target.list("chunks") == {}


def test_the_same_name_again_replaces(target: Target) -> None:
    target.put("chunks/ab/abc", b"damaged")
    target.put("chunks/ab/abc", b"good")
    assert target.get("chunks/ab/abc") == b"good"


def test_several_threads_at_once(target: Target) -> None:
    names = [f"chunks/{n % 16:02x}/{n:04x}" for n in range(60)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: target.put(name, name.encode() * 100), names))
        assert list(pool.map(target.get, names)) == [name.encode() * 100 for name in names]
    assert sorted(target.list("chunks")) == sorted(names)
    target.clear()
    assert len(target.list("chunks")) == 60
    assert target.list("incoming") == {}


def test_a_backup_comes_back_from_every_kind(
    target: Target, tmp_path_factory: pytest.TempPathFactory
) -> None:
    vault = Vault(tmp_path_factory.mktemp("vault"))
    vault.target = target
    vault.desk.put("INBOX", *(letter(n, 100_000) for n in range(30)))
    first = vault.create()
    vault.desk.put("INBOX", letter(99))
    second = vault.create()
    assert 0 < second.added_octets < first.added_octets
    assert (vault.look(), vault.verify()) == ([], [])
    assert vault.restore().seen() == vault.desk.seen()
    prune(target, vault.sealer, Keep(newest=1))
    assert vault.look() == []
    assert sum(target.list("chunks").values()) < first.added_octets + second.added_octets


@pytest.mark.soak
def test_many_objects_are_all_listed(s3: S3Server) -> None:
    target = in_s3(s3, "many")  # S3 gives a thousand at a time
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: target.put(f"chunks/{n:04}", b""), range(1100)))
    assert len(target.list("chunks")) == 1100


def test_a_host_that_is_not_known_is_refused(sshd: SshServer, tmp_path: Path) -> None:
    sshd.known_hosts.write_text("")
    try:
        with pytest.raises(TargetError, match=r"ssh-keyscan -p \d+ 127\.0\.0\.1"):
            over_ssh(sshd, tmp_path)
        assert sshd.known_hosts.read_text() == ""
    finally:
        sshd.know("host")


def test_a_host_with_another_key_is_refused(sshd: SshServer, tmp_path: Path) -> None:
    sshd.know("stranger")
    try:
        with pytest.raises(TargetError, match="is not the one in"):
            over_ssh(sshd, tmp_path)
    finally:
        sshd.know("host")


def test_a_file_of_known_hosts_that_is_not_there_accepts_nobody(sshd: SshServer, tmp_path: Path) -> None:
    settings = Backup(ssh_key=sshd.client_key, known_hosts=tmp_path / "nothing")
    with pytest.raises(TargetError, match="nothing: `ssh-keyscan"):
        open_target(sshd.url(tmp_path), settings)


def test_a_key_that_is_not_accepted_is_named(sshd: SshServer, tmp_path: Path) -> None:
    settings = Backup(ssh_key=sshd.folder / "stranger", known_hosts=sshd.known_hosts)
    with pytest.raises(TargetError, match="does not accept our key"):
        open_target(sshd.url(tmp_path), settings)


def test_a_folder_that_is_not_there_is_not_made(sshd: SshServer, tmp_path: Path) -> None:
    with pytest.raises(TargetError, match="make it first"):
        over_ssh(sshd, tmp_path / "nothing")
    assert not (tmp_path / "nothing").exists()


def test_nobody_there_is_one_sentence(sshd: SshServer, tmp_path: Path) -> None:
    settings = Backup(ssh_key=sshd.client_key, known_hosts=sshd.known_hosts)
    with pytest.raises(TargetError, match="cannot connect"):
        open_target(f"ssh://127.0.0.1:1{tmp_path}", settings)


def test_a_connection_that_breaks_is_one_sentence(tmp_path: Path) -> None:
    server = SshServer(tmp_path)
    server.start()
    try:
        with closing(over_ssh(server, tmp_path)) as target:
            target.put("chunks/ab/abc", b"one")
            server.cut()
            with pytest.raises(TargetError, match="cannot write chunks/ab/abd: "):
                target.put("chunks/ab/abd", b"two")
    finally:
        server.stop()


def test_a_put_that_fails_is_an_error_and_no_half_object(sshd: SshServer, tmp_path: Path) -> None:
    with closing(over_ssh(sshd, tmp_path)) as target:
        target.put("chunks/ab/abc", b"one")
        shutil.rmtree(tmp_path / "incoming")
        (tmp_path / "incoming").write_text("in the way")
        with pytest.raises(TargetError, match="cannot write chunks/ab/abd"):
            target.put("chunks/ab/abd", b"two")
        assert target.list("chunks") == {"chunks/ab/abc": 3}


def test_a_bucket_that_is_not_there_is_named(s3: S3Server) -> None:
    settings = Backup(s3_endpoint=s3.endpoint, s3_credentials=s3.credentials)
    with closing(open_target("s3://nowhere/x", settings)) as target:
        with pytest.raises(TargetError, match="s3://nowhere/x: ") as caught:
            target.put("chunks/ab/abc", b"one")
        assert SECRET not in str(caught.value)
        assert "\n" not in str(caught.value)


def test_without_credentials_it_is_said_where_they_belong(
    s3: S3Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    settings = Backup(s3_endpoint=s3.endpoint)
    with pytest.raises(TargetError, match=r"backup\.s3_credentials"):
        open_target("s3://mail", settings)
    (tmp_path / "credentials").write_text(f"aws_secret_access_key = {SECRET}\n")
    settings = msgspec.structs.replace(settings, s3_credentials=tmp_path / "credentials")
    with pytest.raises(TargetError, match=r"\[default\]") as caught:
        open_target("s3://mail", settings)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("where", "says"),
    [
        ("ftp://host/mail", "is no target"),
        ("ssh://host", "needs a host and a directory"),
        ("ssh://ada:secret@host/mail", "a password does not belong"),
        ("ssh://host:x/mail", "the port is no number"),
        ("s3:///mail", "needs a bucket"),
        ("s3://key:secret@bucket/mail", "no secret"),
    ],
)
def test_what_is_no_target_is_said_without_its_secret(where: str, says: str) -> None:
    with pytest.raises(TargetError, match=says) as caught:
        open_target(where, Backup())
    assert "secret@" not in str(caught.value)
