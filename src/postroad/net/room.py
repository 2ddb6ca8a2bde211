"""Whether a peer reads what it is sent."""

import asyncio


class Room:
    """The room in front of a peer: full while it is a high-water mark behind, until it has read on."""

    __slots__ = ("_free", "_loop")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._free: asyncio.Future[None] | None = None

    @property
    def is_full(self) -> bool:
        """Whether what is written now only piles up."""
        return self._free is not None

    def fill(self) -> None:
        """The transport holds as much as it may (`asyncio.Protocol.pause_writing`)."""
        if self._free is None:
            self._free = self._loop.create_future()

    def clear(self) -> None:
        """The peer has read on, or is gone."""
        free, self._free = self._free, None
        if free is not None and not free.done():
            free.set_result(None)

    async def wait(self, deadline: float) -> bool:
        """Wait until there is room, up to a time of the loop; tell whether there is."""
        free = self._free
        if free is None:
            return True
        try:
            async with asyncio.timeout_at(deadline):
                await asyncio.shield(free)
        except TimeoutError:
            return False
        return True
