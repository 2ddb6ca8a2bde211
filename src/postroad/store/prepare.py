"""What is worked out about a message before any transaction begins."""

import asyncio
import hashlib
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from msgspec import Struct

from postroad.message.summary import Summary, summarize
from postroad.model.octets import Body

INLINE: Final = 256 * 1024
"""Octets up to which digest and summary cost less than a hop to a thread."""

_threads: Final = ThreadPoolExecutor(2, thread_name_prefix="prepare")


class Prepared(Struct, frozen=True):
    """A message with everything rendered that will be stored beside it."""

    body: Body
    digest: bytes
    summary: Summary

    @property
    def size(self) -> int:
        """Octets of the body."""
        return len(self.body)


def prepare_now(body: Body) -> Prepared:
    """Render here; for small messages and for tools."""
    whole = bytes(body) if isinstance(body, memoryview) else body  # a view cannot be searched
    return Prepared(body, hashlib.sha256(body).digest(), summarize(whole))


async def prepare(body: Body) -> Prepared:
    """Render on the loop when that is short, in a thread when it is not."""
    if len(body) <= INLINE:
        return prepare_now(body)
    return await asyncio.get_running_loop().run_in_executor(_threads, prepare_now, body)
