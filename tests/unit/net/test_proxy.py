"""PROXY headers: what is one, what is none, and that nothing behind one is touched."""

import asyncio
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroad.net.proxy import BadHeader, Header, Silent, read_header, receive_header

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
FOUR = bytes([192, 0, 2, 1, 198, 51, 100, 2]) + (4000).to_bytes(2) + (25).to_bytes(2)
SIX = b"\x20\x01\x0d\xb8" + b"\0" * 11 + b"\1" + b"\x20\x01\x0d\xb8" + b"\0" * 11 + b"\2" + FOUR[-4:]
PEER, LOCAL = ("192.0.2.1", 4000), ("198.51.100.2", 25)


def binary(command: int, family: int, rest: bytes) -> bytes:
    return SIGNATURE + bytes([command, family]) + len(rest).to_bytes(2) + rest


@pytest.mark.parametrize(
    ("octets", "header"),
    [
        (b"PROXY TCP4 192.0.2.1 198.51.100.2 4000 25\r\n", Header(43, PEER, LOCAL)),
        (b"PROXY TCP6 2001:db8::1 ::1 0 65535\r\n", Header(36, ("2001:db8::1", 0), ("::1", 65535))),
        (b"PROXY UNKNOWN\r\n", Header(15)),
        (b"PROXY UNKNOWN ffff:f...f:ffff 65535 65535\r\n", Header(43)),
        (binary(0x21, 0x11, FOUR), Header(28, PEER, LOCAL)),
        (binary(0x21, 0x21, SIX), Header(52, ("2001:db8::1", 4000), ("2001:db8::2", 25))),
        (binary(0x21, 0x11, FOUR + b"\x04\0\1x"), Header(32, PEER, LOCAL)),  # a TLV
        (binary(0x20, 0x00, b""), Header(16)),  # LOCAL: a health check
        (binary(0x20, 0x11, FOUR), Header(28)),
        (binary(0x21, 0x31, b"\0" * 216), Header(232)),  # a Unix socket
        (binary(0x21, 0x00, b"whatever"), Header(24)),
    ],
)
def test_headers(octets: bytes, header: Header) -> None:
    assert read_header(octets) == header
    assert read_header(octets + b"EHLO x\r\n") == header
    for end in range(len(octets)):
        assert read_header(octets[:end]) is None


@pytest.mark.parametrize(
    "octets",
    [
        b"EHLO client.test\r\n",
        b"PROXY \r\n",
        b"proxy TCP4 192.0.2.1 198.51.100.2 4000 25\r\n",
        b"PROXY TCP5 192.0.2.1 198.51.100.2 4000 25\r\n",
        b"PROXY TCP4 2001:db8::1 ::1 4000 25\r\n",
        b"PROXY TCP6 192.0.2.1 198.51.100.2 4000 25\r\n",
        b"PROXY TCP4 192.0.2.256 198.51.100.2 4000 25\r\n",
        b"PROXY TCP4 192.0.2.01 198.51.100.2 4000 25\r\n",
        b"PROXY TCP4 192.0.2.1 198.51.100.2 65536 25\r\n",
        b"PROXY TCP4 192.0.2.1 198.51.100.2 +400 25\r\n",
        b"PROXY TCP4 192.0.2.1 198.51.100.2 025 25\r\n",
        b"PROXY TCP4 192.0.2.1  198.51.100.2 4000 25\r\n",
        b"PROXY TCP4 192.0.2.1 198.51.100.2 4000 25 \r\n",
        b"PROXY TCP6 fe80::1%eth0 ::1 4000 25\r\n",
        b"PROXY TCP4 " + b"x" * 100,
        b"PROXY UNKNOWN " + b"x" * 93 + b"\r\n",
        SIGNATURE[:-1] + b"x",
        binary(0x11, 0x11, FOUR),  # version 1 in binary
        binary(0x22, 0x11, FOUR),
        binary(0x21, 0x41, FOUR),
        binary(0x21, 0x13, FOUR),
        binary(0x21, 0x12, FOUR),  # UDP
        binary(0x21, 0x11, FOUR[:-1]),
        binary(0x21, 0x21, FOUR),
        SIGNATURE + b"\x21\x11\xff\xff",
    ],
)
def test_what_is_no_header_never_becomes_one(octets: bytes) -> None:
    with pytest.raises(BadHeader):
        read_header(octets)


@given(
    st.binary(max_size=60),
    st.sampled_from([b"", b"PROXY ", b"PROXY TCP4 ", SIGNATURE, SIGNATURE + b"\x21\x11"]),
)
def test_nothing_else_is_raised(rest: bytes, beginning: bytes) -> None:
    try:
        read_header(beginning + rest)
    except BadHeader:
        pass


def received(*pieces: bytes) -> tuple[Header, bytes]:
    """Send pieces; give the header and what is left for the session."""

    async def work() -> tuple[Header, bytes]:
        ours, theirs = socket.socketpair()
        with ours, theirs:
            ours.setblocking(False)
            task = asyncio.create_task(receive_header(ours))
            for piece in pieces:
                await asyncio.sleep(0)
                theirs.sendall(piece)
            theirs.shutdown(socket.SHUT_WR)
            header = await task
            return header, ours.recv(1000)

    return asyncio.run(work())


def test_what_follows_is_left_for_the_session() -> None:
    line = b"PROXY TCP4 192.0.2.1 198.51.100.2 4000 25\r\n"
    hello = b"\x16\x03\x01 hello"
    assert received(line + hello) == (Header(43, PEER, LOCAL), hello)
    assert received(line[:9], line[9:20], line[20:] + hello) == (Header(43, PEER, LOCAL), hello)
    assert received(*(bytes([octet]) for octet in binary(0x21, 0x11, FOUR))) == (Header(28, PEER, LOCAL), b"")


def test_who_leaves_is_told_apart_from_who_breaks_off() -> None:
    with pytest.raises(Silent):
        received()
    with pytest.raises(BadHeader, match="within"):
        received(b"PROXY TC")
