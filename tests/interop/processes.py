"""Running other people's programs: start, wait for a sign of life, stop, read the log."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, TypeVar

T = TypeVar("T")

# A machine under load is slow, never wrong: this only bounds how long a failure takes.
PATIENCE: Final = 60.0


def as_root(*command: str) -> list[str]:
    """The command as root runs it: as it is when we are root, through sudo when not."""
    return list(command) if os.geteuid() == 0 else ["sudo", "-n", *command]


def program(name: str) -> str:
    """Where a program of a Debian package is; the test fails when it is not there."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    assert found, f"{name} is not installed; see tests/interop/debian-packages.txt"
    return found


def until(look: Callable[[], T | None], what: str, within: float = PATIENCE) -> T:
    """Look again and again until there is something to see, and return it."""
    deadline = time.monotonic() + within
    while True:
        if seen := look():
            return seen
        assert time.monotonic() < deadline, f"waited {within:g} s in vain: {what}"
        time.sleep(0.02)  # not a guess of how long it takes, only how often we look


def run(
    *command: str | Path,
    stdin: str | bytes = b"",
    env: Mapping[str, str] | None = None,
    expect: Sequence[int] = (0,),
    cwd: Path | None = None,
    within: float = 2 * PATIENCE,
) -> str:
    """Run a program to its end and return what it said; any other exit status fails the test."""
    done = subprocess.run(
        [str(word) for word in command],
        input=stdin.encode() if isinstance(stdin, str) else stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, **env} if env else None,
        cwd=cwd,
        timeout=within,
        check=False,
    )
    said = done.stdout.decode("utf-8", "replace")
    line = " ".join(str(word) for word in command)
    assert done.returncode in expect, f"{line}\nended with status {done.returncode}:\n{said}"
    return said


class Daemon:
    """A program in the background, its output in a file, its end by its own pid."""

    def __init__(self, command: Sequence[str | Path], log: Path, cwd: Path | None = None) -> None:
        self.log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [str(word) for word in command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=cwd,
            )

    @property
    def pid(self) -> int:
        """The process that was started."""
        return self._process.pid

    def said(self) -> str:
        """All that it has written so far."""
        return self.log.read_text("utf-8", "replace")

    def until(self, look: Callable[[], T | None], what: str) -> T:
        """As `until`, but a program that ended cannot show anything any more."""

        def look_if_alive() -> T | None:
            seen = look()
            assert seen or self._process.poll() is None, f"it ended before: {what}\n{self.said()}"
            return seen

        return until(look_if_alive, what)

    def wait(self) -> int:
        """Wait for its end and return its exit status."""
        try:
            return self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise AssertionError(f"pid {self.pid} did not end when told to:\n{self.said()}") from None

    def stop(self, command: Sequence[str] | None = None) -> int:
        """Ask it to end (SIGTERM, or by a command of its own) and return its exit status."""
        if self._process.poll() is None:
            if command is not None:
                run(*command)
            else:
                self._process.terminate()
        return self.wait()


def answers(address: str, port: int) -> bool:
    """Does anything listen there?"""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((address, port)) == 0
