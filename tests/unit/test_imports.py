"""What a server does not load, since a start is mostly loading."""

import subprocess
import sys
from typing import Final

_SERVE: Final = """
import gc, sys, click
from postroad.cli.main import cli
from postroad.obs import multiprocess
cli.get_command(click.Context(cli), "serve")
multiprocess.end()
print(*sys.modules)
assert not gc.isenabled()
import rich.progress  # a command may have bars of it all the same
"""


def test_a_server_does_not_load_what_most_servers_do_without() -> None:
    loaded = subprocess.run(
        [sys.executable, "-c", _SERVE], capture_output=True, text=True, check=True
    ).stdout.split()
    assert "postroad.worker" in loaded
    heavy = {"asyncssh", "dns", "httpx2", "joserfc", "obstore", "rich", "uvicorn", "postroad.web.metrics"}
    assert not heavy & set(loaded)
