"""One thread for what blocks, and the way back to the loop.

`concurrent.futures` makes a future with a lock and a condition for each call,
which costs as much as the rest of a small group commit.
"""

import asyncio
from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread
from typing import TypeAlias

Work: TypeAlias = Callable[[], None]
Then: TypeAlias = Callable[[BaseException | None], None]


class Aside:
    """Runs one piece of work after the other, beside the loop."""

    def __init__(self, name: str) -> None:
        self._jobs: SimpleQueue[tuple[Work, Then, asyncio.AbstractEventLoop] | None] = SimpleQueue()
        self._thread = Thread(target=self._serve, name=name, daemon=True)
        self._thread.start()

    def run(self, work: Work, then: Then) -> None:
        """Do `work` in the thread, then call `then` on the running loop with what it raised, if anything."""
        self._jobs.put((work, then, asyncio.get_running_loop()))

    def stop(self) -> None:
        """Finish what was handed in and end the thread; waits for it."""
        self._jobs.put(None)
        self._thread.join()

    def _serve(self) -> None:
        while (job := self._jobs.get()) is not None:
            work, then, loop = job
            error = raised_by(work)
            loop.call_soon_threadsafe(then, error)
            del job, work, then, error  # the thread may wait long for the next


def raised_by(work: Work) -> BaseException | None:
    """Do `work` here; give what it raised, if anything: whoever waits for it has to be told."""
    try:
        work()
    except BaseException as error:
        return error
    return None
