"""What is done again and again for as long as a worker runs."""

from collections.abc import Awaitable, Callable, Sequence

from postroad.model.clock import Clock
from postroad.obs.log import log


async def repeat(
    clock: Clock, seconds: float, duties: Sequence[Callable[[], Awaitable[object]]], *, failed: str
) -> None:
    """Do all of them every so many seconds, until cancelled.

    One that fails is logged as the event `failed`, keeps no other from its
    work, and has its turn again in the next round.
    """
    while True:
        await clock.sleep(seconds)
        for duty in duties:
            try:
                await duty()
            except Exception:
                log.exception(failed)
