"""Keys that sign, and what becomes of their signatures."""

import asyncio
from functools import partial

from postroad.directory.dkim_keys import DkimKey, add_keys, draw_all, keys
from postroad.directory.seal import Seal
from postroad.mailauth.dkim.body import BodyHashes
from postroad.mailauth.dkim.result import Verification
from postroad.mailauth.dkim.verify import verify
from postroad.message.header import HeaderBlock
from postroad.testing import ThreadedWorld


def make_keys(world: ThreadedWorld, domain: str) -> list[DkimKey]:
    """Keys of a domain, which the DNS does not show yet."""
    return world.change(
        partial(add_keys, domain=domain, new=draw_all(), seal=Seal.of(world.data), who="test")
    )


def publish(world: ThreadedWorld) -> None:
    """Show all keys in the DNS, and wait until they sign."""
    for key in world.read(keys):
        world.resolver.add_txt(key.name, key.record.encode())
    world.advance(minutes=16)
    world.until(lambda: all(key.state == "signing" for key in world.read(keys)))


def judged(world: ThreadedWorld, message: bytes) -> Verification:
    """What the signatures of a message are worth."""
    block = HeaderBlock.parse(message)
    body = BodyHashes(message, block.body_start)
    return asyncio.run(verify(block, body, world.resolver, now=world.now))
