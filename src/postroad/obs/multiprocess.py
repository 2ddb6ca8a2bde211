"""Where the workers keep their metrics, so that any of them can answer for all.

The library looks at the environment once, when the first metric is made. So
`share` comes before anything that imports `postroad.obs.metrics`: the command
line calls it first when it is asked for a server. Without it each process
counts for itself, which is what tools and tests want.
"""

import os
import shutil
import tempfile
from pathlib import Path
from typing import Final

VARIABLE: Final = "PROMETHEUS_MULTIPROC_DIR"
_PREFIX: Final = "postroad-metrics-"


def share() -> None:
    """Use a fresh directory for the metrics of this process and its children."""
    place = Path(tempfile.gettempdir())
    for left in place.glob(f"{_PREFIX}*"):
        pid = left.name.removeprefix(_PREFIX).partition("-")[0]
        if not Path(f"/proc/{pid}").exists():
            shutil.rmtree(left, ignore_errors=True)  # of a server that was killed
    # A name that nobody can guess and make first: what lies in there is given away by root.
    os.environ[VARIABLE] = tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-")


def hand_over(uid: int, gid: int) -> None:
    """Give the directory to the user that the server becomes."""
    folder = os.environ.get(VARIABLE)
    if folder:
        for path in (Path(folder), *Path(folder).iterdir()):
            os.chown(path, uid, gid, follow_symlinks=False)


def end() -> None:
    """The server is down: its numbers are of no more use."""
    folder = os.environ.get(VARIABLE)
    if folder:
        shutil.rmtree(folder, ignore_errors=True)


def forget(pid: int) -> None:
    """Drop what counts only for living processes of a worker that has ended."""
    folder = os.environ.get(VARIABLE)
    if folder:
        for file in Path(folder).glob(f"gauge_live*_{pid}.db"):
            file.unlink(missing_ok=True)
