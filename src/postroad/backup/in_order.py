"""Work on several pieces at once, with the results in the order of the pieces."""

import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from itertools import islice
from typing import Final, TypeVar

from postroad.backup.targets.target import CONNECTIONS

T = TypeVar("T")
U = TypeVar("U")
_AHEAD: Final = 4 * CONNECTIONS
"""Pieces in memory at a time, done or not."""
_NICE: Final = 10


def in_order(work: Callable[[T], U], items: Iterable[T], *, nice: bool = False) -> Iterator[U]:
    """`map` in a few threads and bounded memory; when one fails, what has not begun never does.

    With `nice` they leave the processors to others.
    """
    rest = iter(items)
    with ThreadPoolExecutor(
        CONNECTIONS, thread_name_prefix="backup", initializer=_be_nice if nice else None
    ) as pool:
        waiting: deque[Future[U]] = deque(pool.submit(work, item) for item in islice(rest, _AHEAD))
        try:
            while waiting:
                result = waiting.popleft().result()
                waiting.extend(pool.submit(work, item) for item in islice(rest, 1))
                yield result
        finally:
            for future in waiting:
                future.cancel()


def _be_nice() -> None:
    with suppress(OSError):  # a service may be forbidden to
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)  # Linux: of this thread alone
