"""How long the event loop was not there for its sessions."""

import asyncio
import itertools
from collections import deque
from typing import Final

from postroad.obs.metrics import LOOP_STALL, settle

_TICK: Final = 0.05
_WINDOW: Final = 60.0
_TICKS_OF_COUNTS: Final = 5
"""Counters are told four times a second, which is more often than anybody asks."""


async def watch_stalls() -> None:
    """Measure, until cancelled, how late the loop is; the metric is the worst of the last minute.

    On the way it settles what others have counted.
    """
    loop = asyncio.get_running_loop()
    worst: deque[tuple[float, float]] = deque()  # (when, how late), lateness falling: the first is the worst
    said = -1.0
    for tick in itertools.count(1):
        before = loop.time()
        await asyncio.sleep(_TICK)
        if tick % _TICKS_OF_COUNTS == 0:
            settle()
        now = loop.time()
        late = max(0.0, now - before - _TICK)
        while worst and worst[-1][1] <= late:
            worst.pop()
        worst.append((now, late))
        while worst[0][0] < now - _WINDOW:
            worst.popleft()
        if worst[0][1] != said:
            said = worst[0][1]
            LOOP_STALL.set(said)
