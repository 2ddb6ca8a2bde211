"""The unit file, judged by systemd's own tools (Debian's systemd)."""

import sys
from pathlib import Path

import pytest

from postroad.backup import keys
from tests.interop.certificates import Certificates
from tests.interop.messages import message, receive, texts
from tests.interop.postroad_server import Postroad, running
from tests.interop.processes import program, run
from tests.unit.backup.vault import Vault, letter

ROOT = Path(__file__).parents[2]
UNIT = ROOT / "deploy" / "postroad.service"
BACKUP = ROOT / "deploy" / "postroad-backup.service"
POSTROAD = Path(sys.executable).with_name("postroad")


@pytest.mark.parametrize(
    "names", [["postroad.service"], ["postroad-backup.service", "postroad-backup.timer"]]
)
def test_systemd_finds_no_fault_with_the_units(tmp_path: Path, names: list[str]) -> None:
    for name in names:
        text = (ROOT / "deploy" / name).read_text().replace("/opt/postroad/bin/postroad", str(POSTROAD))
        (tmp_path / name).write_text(text)

    said = run(program("systemd-analyze"), "verify", "--man=no", *(tmp_path / name for name in names))

    assert not any(name in said for name in names)


@pytest.mark.parametrize("unit", [UNIT, BACKUP], ids=lambda unit: unit.stem)
def test_the_exposure_that_systemd_sees_is_small(unit: Path) -> None:
    run(program("systemd-analyze"), "security", "--offline=true", "--threshold=20", unit)


def test_the_server_lives_within_the_limits_of_the_unit(tmp_path: Path, certificates: Certificates) -> None:
    module = [sys.executable, "-m", "tests.interop.confined", str(UNIT)]
    server = Postroad(tmp_path, certificates, wrapper=["env", f"PYTHONPATH={ROOT}", *module])

    with running(server):
        receive(server, message("confined"))
        assert len(texts(server)) == 1


def test_a_backup_is_made_within_the_limits_of_its_unit(tmp_path: Path) -> None:
    vault = Vault(tmp_path)
    vault.desk.put("INBOX", letter(1))
    keys.write_server_key(vault.data / "backup.key", vault.key.server)
    confined = (sys.executable, "-m", "tests.interop.confined", BACKUP)
    where = ("--target", tmp_path / "target", "--data", vault.data)

    run(*confined, POSTROAD, "backup", "create", *where, cwd=ROOT)

    assert vault.verify() == []
