"""What a server does not load, since a start is mostly loading."""

import subprocess
import sys


def test_a_server_does_not_load_what_is_off_by_default() -> None:
    loaded = subprocess.run(
        [sys.executable, "-c", "import sys, postroad.cli.serve; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert "postroad.worker" in loaded
    assert "uvicorn" not in loaded
