"""What a running server says of itself, for the commands beside it: `run/server.json`.

The ports in the settings are wishes (0, or the next free one); these are the facts.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from postroad import __version__
from postroad.cli.output import Exit, Problem
from postroad.config.settings import Settings
from postroad.net.sockets import BoundListener
from postroad.prepare_start import running_pid

_FILE: Final = "run/server.json"


class Listening(msgspec.Struct, frozen=True):
    """A listener as it is bound."""

    role: str
    host: str
    port: int
    tls: str

    @property
    def address(self) -> str:
        """`127.0.0.1:25` or `[::]:25`, or the path of a Unix socket."""
        if self.host.startswith("/"):
            return f"unix:{self.host}"
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def reach(self) -> str:
        """The host to connect to from this machine."""
        return {"::": "localhost", "0.0.0.0": "127.0.0.1"}.get(self.host, self.host)  # noqa: S104 - compared


class Running(msgspec.Struct, frozen=True):
    """A server that runs."""

    pid: int
    version: str
    started: float
    hostname: str
    workers: int
    listeners: tuple[Listening, ...]
    metrics: str = ""

    def listener(self, role: str, tls: str | None = None) -> Listening | None:
        """The first listener of a role."""
        for one in self.listeners:
            if one.role == role and tls in (None, one.tls):
                return one
        return None


def note_running(settings: Settings, bound: Sequence[BoundListener], now: float) -> None:
    """Write the file; the supervisor calls this once everybody serves."""
    running = Running(
        pid=os.getpid(),
        version=__version__,
        started=now,
        hostname=settings.hostname,
        workers=settings.worker_count,
        listeners=tuple(Listening(b.listener.role, b.host, b.port, b.listener.tls) for b in bound),
        metrics=settings.metrics.address,
    )
    path = settings.data / _FILE
    path.parent.mkdir(exist_ok=True)
    beside = path.with_suffix(".new")
    beside.write_bytes(msgspec.json.encode(running))
    beside.replace(path)


def running(data: Path) -> Running | None:
    """What the server of a data directory says of itself; None when none runs."""
    pid = running_pid(data)
    if pid is None:
        return None
    try:
        found = msgspec.json.decode((data / _FILE).read_bytes(), type=Running)
    except (OSError, msgspec.DecodeError):
        return None
    # A file of another process: the server is still starting.
    return found if found.pid == pid else None


def running_or_problem(data: Path) -> Running:
    """The same for commands that need a server.

    Raises:
        Problem: none runs; exit status 3.
    """
    found = running(data)
    if found is None:
        raise Problem(
            f"no server runs on {data}", f"start it: postroad serve --data {data}", status=Exit.UNREACHABLE
        )
    return found
