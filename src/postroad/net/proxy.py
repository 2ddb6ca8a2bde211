"""The PROXY protocol: a proxy says in front of everything whose connection it hands on.

HAProxy's "The PROXY protocol", versions 1 and 2. A header is read exactly to
its end, before TLS and before a word of ours; what is wrong with it is not
mended: the connection is closed.
"""

import asyncio
import socket
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

from msgspec import Struct

PATIENCE: Final = 5.0
"""Seconds for a whole header (the specification asks for at least 3)."""
TEXT_OCTETS: Final = 107
"""Version 1 with its CR LF (§2.1)."""
BINARY_OCTETS: Final = 4096
"""Version 2 behind its fixed part: addresses, and more TLVs than anybody sends."""

_SIGNATURE: Final = b"\r\n\r\n\0\r\nQUIT\n"
_TEXT: Final = b"PROXY "
_FIXED: Final = 16
_LOCAL: Final = 0
_FAMILIES: Final = {1: 4, 2: 16}
"""AF_INET and AF_INET6, by the octets of an address; 0 says nothing and 3 is a Unix socket."""
_UNIX: Final = 3
_STREAM: Final = 1
_DATAGRAM: Final = 2


class BadHeader(Exception):
    """What came is no header; the message says why."""


class Silent(BadHeader):
    """The proxy has only looked whether somebody listens."""


class Header(Struct, frozen=True):
    """A header, so many octets long. Without addresses those of the connection itself hold."""

    size: int
    peer: tuple[str, int] | None = None
    local: tuple[str, int] | None = None


def read_header(octets: bytes) -> Header | None:
    """Read a header from the beginning of what a proxy sent; None until all of it is there.

    Raises:
        BadHeader: it can never become one.
    """
    if _SIGNATURE.startswith(octets[: len(_SIGNATURE)]):
        return _binary(octets)
    if _TEXT.startswith(octets[: len(_TEXT)]):
        return _text(octets)
    raise BadHeader("no PROXY header")


async def receive_header(sock: socket.socket) -> Header:
    """Take the header, and nothing behind it, from an accepted socket that does not block.

    Raises:
        BadHeader: there is none, or the proxy left.
        TimeoutError, OSError: it did not come.
    """
    held = b""
    async with asyncio.timeout(PATIENCE):
        while True:
            await _readable(sock)
            try:
                seen = sock.recv(_FIXED + BINARY_OCTETS, socket.MSG_PEEK)
            except BlockingIOError:
                continue
            if not seen:
                raise BadHeader("closed within the header") if held else Silent("closed without a word")
            header = read_header(held + seen)
            # As long as the header is not whole, everything that has come belongs to it.
            held += sock.recv(len(seen) if header is None else header.size - len(held))
            if header is not None:
                return header


def _text(octets: bytes) -> Header | None:
    end = octets.find(b"\r\n", 0, TEXT_OCTETS)
    if end < 0:
        if len(octets) >= TEXT_OCTETS:
            raise BadHeader("the line does not end")
        return None
    match octets[:end].split(b" "):
        case [_, b"UNKNOWN", *_]:
            return Header(end + 2)
        case [_, b"TCP4" | b"TCP6" as family, peer, local, peer_port, local_port]:
            version = 4 if family == b"TCP4" else 6
            return Header(
                end + 2,
                (_address(peer, version), _port(peer_port)),
                (_address(local, version), _port(local_port)),
            )
        case _:
            raise BadHeader("the line is malformed")


def _binary(octets: bytes) -> Header | None:
    if len(octets) < _FIXED:
        return None
    version, command = divmod(octets[12], 16)
    family, transport = divmod(octets[13], 16)
    length = int.from_bytes(octets[14:16])
    if version != 2 or command > 1 or family > _UNIX or transport > _DATAGRAM:
        raise BadHeader("version, command or family is not known")  # §2.2: must be refused
    if length > BINARY_OCTETS:
        raise BadHeader("the header is too long")
    size = _FIXED + length
    if len(octets) < size:
        return None
    width = _FAMILIES.get(family)
    # §2.2: a health check of the proxy itself, or a family that says nothing about a TCP peer.
    if command == _LOCAL or width is None or not transport:
        return Header(size)
    if transport != _STREAM or length < 2 * width + 4:
        raise BadHeader("the addresses are malformed")
    # What stands behind the addresses are TLVs, of which none is needed here.
    peer, local, ports = (
        octets[_FIXED : _FIXED + width],
        octets[_FIXED + width : _FIXED + 2 * width],
        octets[_FIXED + 2 * width : _FIXED + 2 * width + 4],
    )
    return Header(
        size,
        (_written(peer), int.from_bytes(ports[:2])),
        (_written(local), int.from_bytes(ports[2:])),
    )


def _address(text: bytes, version: int) -> str:
    try:
        address = ip_address(text.decode("ascii"))
    except ValueError:
        raise BadHeader("an address is malformed") from None
    if address.version != version or b"%" in text:
        raise BadHeader("an address is of another family")
    return _written(address.packed)


def _port(text: bytes) -> int:
    if not text.isdigit() or len(text) > 5 or (text[:1] == b"0" and text != b"0") or int(text) > 65535:
        raise BadHeader("a port is malformed")
    return int(text)


def _written(packed: bytes) -> str:
    if len(packed) == 4:
        return str(IPv4Address(packed))
    address = IPv6Address(packed)
    return str(address.ipv4_mapped or address)


async def _readable(sock: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    there: asyncio.Future[None] = loop.create_future()

    def wake() -> None:
        if not there.done():
            there.set_result(None)

    loop.add_reader(sock, wake)
    try:
        await there
    finally:
        loop.remove_reader(sock)
