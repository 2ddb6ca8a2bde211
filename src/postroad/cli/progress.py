"""A progress bar for what takes long."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

from postroad.cli.here import Here

Progress: TypeAlias = Callable[[int, int], None]
"""Told how much is done and how much there is, in any unit."""


@contextmanager
def progress_bar(here: Here, title: str) -> Iterator[Progress]:
    """A bar on standard error, where a person watches it."""
    if here.quiet or here.json or not sys.stderr.isatty():
        yield lambda _done, _all: None
        return
    # Here, because no other command needs it and it takes a while to import.
    from rich.console import Console
    from rich.progress import Progress as Bar

    with Bar(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=None)
        last = 0.0

        def step(done: int, total: int) -> None:
            nonlocal last
            if time.monotonic() - last > 0.1 or done == total:
                last = time.monotonic()
                bar.update(task, completed=done, total=total)

        yield step
