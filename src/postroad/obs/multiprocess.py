"""Where the workers keep their metrics, so that any of them can answer for all.

The library looks at the environment once, when the first metric is made. So
`share` comes before anything that imports `postroad.obs.metrics`: the command
line calls it first when it is asked for a server. Without it each process
counts for itself, which is what tools and tests want.
"""

import fcntl
import os
import shutil
import tempfile
from contextlib import suppress
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
            _remove_if_left(left)
    folder = None
    while folder is None or not _hold(folder):
        # A name that nobody can guess and make first: what lies in there is given away by root.
        folder = tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-")
    os.environ[VARIABLE] = folder


def _hold(folder: str) -> bool:
    """Lock a directory while this process or a child of it lives; False if it was removed before that.

    The process number alone would not do: a server in another container that
    shares the place cannot see that we live, and would take our directory for
    one left behind. What tidies up places of this kind respects the lock too.
    """
    held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)  # never closed, on purpose
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return Path(folder).is_dir()


def _remove_if_left(folder: Path) -> None:
    """Remove the directory of a server that was killed."""
    try:
        held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return  # not ours, or gone
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder, ignore_errors=True)
    except BlockingIOError:
        pass  # in use
    finally:
        os.close(held)


def hand_over(uid: int, gid: int) -> None:
    """Give the directory to the user that the server becomes."""
    folder = os.environ.get(VARIABLE)
    if folder:
        for path in (Path(folder), *Path(folder).iterdir()):
            os.chown(path, uid, gid, follow_symlinks=False)


def take_room() -> None:
    """Have the disk hold room for the metrics of this process.

    The library maps files with holes. A page of such a hole that is first
    written when the disk is full ends the process with SIGBUS.
    """
    folder = os.environ.get(VARIABLE)
    if folder:
        for path in Path(folder).glob(f"*_{os.getpid()}.db"):
            with suppress(OSError), path.open("r+b") as file:
                os.posix_fallocate(file.fileno(), 0, os.fstat(file.fileno()).st_size)


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
