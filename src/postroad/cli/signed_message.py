"""A message from a file, and the checks of its signatures, for `dkim check` and `arc check`."""

import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from postroad.cli.here import Here
from postroad.cli.output import Problem
from postroad.config.sender_auth import SenderAuth
from postroad.config.settings import Dns
from postroad.dns.system import SystemResolver
from postroad.mailauth.dkim.body import BodyHashes
from postroad.message.header import HeaderBlock
from postroad.model.resolver import Resolver
from postroad.net.clock import SystemClock

T = TypeVar("T")


def read_message(name: str) -> bytes:
    """Read a file, or standard input for `-`. Lines that end in LF alone get the CRLF that was signed.

    Raises:
        Problem: it cannot be read.
    """
    try:
        octets = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        raise Problem(f"{name}: {error.strerror}") from None
    return octets if b"\r\n" in octets else octets.replace(b"\n", b"\r\n")


async def with_resolver(
    here: Here, message: bytes, judge: Callable[[HeaderBlock, BodyHashes, Resolver], Awaitable[T]]
) -> T:
    """Judge a message with the resolver of the settings, or that of the system where there are none."""
    block = HeaderBlock.parse(message)
    body = BodyHashes(message, block.body_start)
    return await asking(here, lambda resolver: judge(block, body, resolver))


async def asking(here: Here, question: Callable[[Resolver], Awaitable[T]]) -> T:
    """Ask something with the resolver of the settings, or that of the system where there are none."""
    try:
        dns = here.settings().dns
    except Problem:
        dns = Dns()
    resolver = SystemResolver(dns.servers, dns.timeout, SystemClock(), dns.dnssec)
    try:
        return await question(resolver)
    finally:
        await resolver.close()


def sender_auth_of(here: Here) -> SenderAuth:
    """How the server that is meant judges mail, or any server where there is none."""
    try:
        return here.settings().sender_auth
    except Problem:
        return SenderAuth()
