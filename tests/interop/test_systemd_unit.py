"""The unit file, judged by systemd's own tools (Debian's systemd)."""

import sys
from pathlib import Path

from tests.interop.certificates import Certificates
from tests.interop.messages import message, receive, texts
from tests.interop.postroad_server import Postroad, running
from tests.interop.processes import program, run

ROOT = Path(__file__).parents[2]
UNIT = ROOT / "deploy" / "postroad.service"


def test_systemd_finds_no_fault_with_the_unit(tmp_path: Path) -> None:
    here = Path(sys.executable).with_name("postroad")
    unit = tmp_path / "postroad.service"
    unit.write_text(UNIT.read_text().replace("/opt/postroad/bin/postroad", str(here)))

    said = run(program("systemd-analyze"), "verify", "--man=no", unit)

    assert "postroad.service" not in said


def test_the_exposure_that_systemd_sees_is_small() -> None:
    run(program("systemd-analyze"), "security", "--offline=true", "--threshold=20", UNIT)


def test_the_server_lives_within_the_limits_of_the_unit(tmp_path: Path, certificates: Certificates) -> None:
    module = [sys.executable, "-m", "tests.interop.confined", str(UNIT)]
    server = Postroad(tmp_path, certificates, wrapper=["env", f"PYTHONPATH={ROOT}", *module])

    with running(server):
        receive(server, message("confined"))
        assert len(texts(server)) == 1
