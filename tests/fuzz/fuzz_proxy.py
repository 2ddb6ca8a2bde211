"""Fuzz PROXY headers, the attributes of XCLIENT and the entries of DNS lists."""

import random
from ipaddress import ip_address
from typing import Final

from postroad.model.dns_list import parse_list
from postroad.net.proxy import BINARY_OCTETS, BadHeader, read_header
from postroad.smtp.wire.events import Xclient
from postroad.smtp.wire.xclient import parse_xclient
from tests.fuzz.harness import Target

PIECES: Final = [
    *(b"PROXY ", b"TCP4 ", b"TCP6 ", b"UNKNOWN", b"\r\n", b" ", b"192.0.2.1 ", b"2001:db8::1 ", b"4000 "),
    *(b"\r\n\r\n\0\r\nQUIT\n", b"\x21\x11\0\x0c", b"\x20\0\0\0", b"\x21\x21\0\x24", b"\x21\x31\0\xd8"),
    *(b"ADDR=", b"NAME=", b"HELO=", b"LOGIN=", b"PORT=", b"[UNAVAILABLE] ", b"IPV6:", b"+0A", b"a.test "),
    *(b"bl.test", b"=127.0.0.", b"[2..4]", b"[1;3]", b"*-2", b"%eth0", b"\xff", b"\0" * 12, b"x" * 60),
]


def check(data: bytes) -> None:
    """Hold one input against everything that must hold for all."""
    try:
        header = read_header(data)
    except BadHeader:
        pass
    else:
        if header is None:
            assert len(data) < 16 + BINARY_OCTETS
        else:
            assert header.size <= len(data)
            assert read_header(data[: header.size]) == header
            for told in (header.peer, header.local):
                assert told is None or (str(ip_address(told[0])) == told[0] and 0 <= told[1] <= 65535)
    told_by = parse_xclient(data)
    if isinstance(told_by, Xclient):
        for text in (told_by.name, told_by.helo, told_by.login, told_by.address):
            assert text is None or text == "" or text.isprintable()
        assert not told_by.address or str(ip_address(told_by.address)) == told_by.address
    try:
        entry = parse_list(data.decode(errors="replace"))
    except ValueError:
        return
    assert entry.weight
    assert not entry.counts("127.0.0.1")


def make(chance: random.Random) -> bytes:
    """Make an input: pieces strung together, some with damage."""
    data = b"".join(chance.choices(PIECES, k=chance.randrange(10)))
    if chance.random() < 0.3:
        at = chance.randrange(len(data) + 1)
        data = data[:at] + chance.randbytes(2) + data[at:]
    return data


TARGET: Final = Target(check, make)
