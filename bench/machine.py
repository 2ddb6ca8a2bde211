"""Where the figures come from: the machine and the versions, for the page that shows them."""

import os
import platform
from importlib.metadata import version
from pathlib import Path

from tests.interop.processes import program, run


def machine() -> str:
    """Cores, memory and kernel, in a line."""
    cpu = _field(Path("/proc/cpuinfo"), "model name")
    memory = int(_field(Path("/proc/meminfo"), "MemTotal").split()[0]) // 2**20
    system = platform.freedesktop_os_release()["PRETTY_NAME"]
    return f"{os.cpu_count()} cores ({cpu}), {memory + 1} GiB, {system}, Linux {platform.release()}"


def ours() -> str:
    """What ours is made of."""
    parts = ", ".join(f"{name} {version(name)}" for name in ("uvloop", "apsw"))
    return f"postroad {version('postroad')}, Python {platform.python_version()}, {parts}"


def theirs() -> str:
    """What Debian has installed."""
    postfix = run(program("postconf"), "-d", "-h", "mail_version").strip()
    dovecot = run(program("dovecot"), "--version").split()[0]
    return f"Postfix {postfix}, Dovecot {dovecot}"


def _field(path: Path, name: str) -> str:
    for line in path.read_text().splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return "?"
