"""What is worked out about a message before any transaction begins."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from typing import Final

from msgspec import Struct

from postroad.message.summary import Summary, Title, summarize, title_of
from postroad.model.octets import Body, Octets

INLINE: Final = 256 * 1024
"""Octets up to which digest and summary cost less than a hop to a thread."""

_threads: Final = ThreadPoolExecutor(2, thread_name_prefix="prepare")


class Parcel(Struct, frozen=True):
    """A message as a pack takes it, and what the trail calls it: enough for one that only passes through."""

    body: Body
    digest: bytes
    title: Title

    @property
    def size(self) -> int:
        """Octets of the body."""
        return len(self.body)


class Prepared(Parcel, frozen=True):
    """A message with everything rendered that will be stored beside it in mailboxes."""

    title: Summary

    @property
    def summary(self) -> Summary:
        """What was rendered."""
        return self.title


def prepare_now(body: Body) -> Prepared:
    """Render here; for small messages and for tools."""
    octets = _searchable(body)
    return Prepared(body, sha256(octets).digest(), summarize(octets))


async def prepare(body: Body) -> Prepared:
    """Render on the loop when that is short, in a thread when it is not."""
    if len(body) <= INLINE:
        return prepare_now(body)
    return await asyncio.get_running_loop().run_in_executor(_threads, prepare_now, body)


async def pack_up(body: Body) -> Parcel:
    """The same for a message that no mailbox here gets: nothing is rendered."""
    if len(body) <= INLINE:
        return _packed(body)
    return await asyncio.get_running_loop().run_in_executor(_threads, _packed, body)


def _packed(body: Body) -> Parcel:
    octets = _searchable(body)
    return Parcel(body, sha256(octets).digest(), title_of(octets))


def _searchable(body: Body) -> Octets:
    return bytes(body) if isinstance(body, memoryview) else body
