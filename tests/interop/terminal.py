"""A terminal that nobody looks at: keys go in, and what a program shows is waited for."""

import os
import pty
import select
import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Final

from tests.interop.processes import PATIENCE

_QUIET: Final = 0.5
"""Seconds without a change of the screen after which a program waits for keys."""


class Terminal:
    """A program in a terminal of 24 lines and 80 columns; leaving it waits for the program's end."""

    def __init__(self, command: Sequence[str], env: Mapping[str, str]) -> None:
        self._command = command
        self._env = {**os.environ, "TERM": "vt100", "LINES": "24", "COLUMNS": "80", **env}
        self._shown = b""

    def __enter__(self) -> "Terminal":
        self._pid, self._terminal = pty.fork()
        if self._pid == 0:
            os.execve(self._command[0], list(self._command), self._env)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if kind is not None:
            os.kill(self._pid, 9)
        while self._read(PATIENCE):
            pass
        os.waitpid(self._pid, 0)
        os.close(self._terminal)

    def press(self, keys: str, *, once: str) -> None:
        """Press keys once this is shown and the program has nothing more to show.

        While it draws, keys may be lost. What was shown up to now does not count for the next.
        """
        deadline = time.monotonic() + PATIENCE
        while once.encode() not in self._shown:
            assert self._read(deadline - time.monotonic()), f"{once!r} is not in {self._shown!r}"
        while self._read(_QUIET):
            pass
        self._shown = b""
        os.write(self._terminal, keys.encode())

    def _read(self, seconds: float) -> bool:
        """Read what is shown next; False at the end of the program, or when nothing came in time."""
        ready, _, _ = select.select([self._terminal], [], [], max(0, seconds))
        try:
            shown = os.read(self._terminal, 65536) if ready else b""
        except OSError:  # the program has ended (EIO)
            return False
        self._shown += shown
        return shown != b""
