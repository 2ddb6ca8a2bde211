"""The unit file, judged by systemd's own tools (Debian's systemd)."""

import sys
from pathlib import Path

from tests.interop.processes import program, run

UNIT = Path(__file__).parents[2] / "deploy" / "postroad.service"


def test_systemd_finds_no_fault_with_the_unit(tmp_path: Path) -> None:
    here = Path(sys.executable).with_name("postroad")
    unit = tmp_path / "postroad.service"
    unit.write_text(UNIT.read_text().replace("/opt/postroad/bin/postroad", str(here)))

    said = run(program("systemd-analyze"), "verify", "--man=no", unit)

    assert "postroad.service" not in said


def test_the_exposure_that_systemd_sees_is_small() -> None:
    run(program("systemd-analyze"), "security", "--offline=true", "--threshold=20", UNIT)
