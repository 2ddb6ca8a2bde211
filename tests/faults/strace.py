"""System calls of running processes that fail, by strace(1)."""

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.interop.processes import program, until


@contextmanager
def injected(pids: list[int], *what: str) -> Iterator[None]:
    """Have system calls of processes fail; each of `what` is as `inject=` takes it."""
    attach = [word for pid in pids for word in ("-p", str(pid))]
    faults = [word for one in what for word in ("-e", f"inject={one}")]
    command = [program("strace"), "-f", "-q", *faults, "-o", "/dev/null", *attach]
    tracer = subprocess.Popen(command, stderr=subprocess.PIPE)
    try:
        until(lambda: all(_traced(pid) for pid in pids), "strace to be attached")
        yield
    finally:
        tracer.send_signal(signal.SIGINT)
        tracer.communicate(timeout=60)


def _traced(pid: int) -> bool:
    tasks = Path(f"/proc/{pid}/task").glob("*/status")
    return all("TracerPid:\t0\n" not in task.read_text() for task in tasks)
