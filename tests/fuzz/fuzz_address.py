"""Fuzz the address parser."""

import random
from typing import Final

from postroad.model.address import AddressError, normal_domain, parse_mailbox, parse_path, unicode_domain
from tests.fuzz.harness import Target

PIECES: Final = [
    *(bytes([octet]) for octet in b'@.<>"\\ :,;()[]%!+-_=?~\r\n\0\t\x7f'),
    *(b"<", b">", b"@", b".", b"a", b"ada", b"example.org", b"xn--", b"xn--bcher-kva", b"IPv6:"),
    *(b"192.0.2.1", b"2001:db8::1", b"::ffff:192.0.2.1", b"%eth0", b"postmaster", b"=?utf-8?q?", b"?="),
    *(b"x" * 63, b"x" * 64, b"d." * 60, b'"a@b"', b'\\"', b"<@a,@b:", b" SIZE=1", b"\xff", b"\xc0\x80"),
    *(
        text.encode()
        for text in ("ö", "o\u0308", "ß", "ı", "İ", "K", "\u037e", "\u200d", "\u202e", "。", "＠")
    ),
    *(text.encode() for text in ("例え", "ﬁ", "\u0345", "💩", "а", "\ufeff", "\u2028")),
]


def check(data: bytes) -> None:
    """Hold one input against everything that must hold for all."""
    for smtputf8 in (True, False):
        try:
            address, rest = parse_path(data, smtputf8=smtputf8)
        except AddressError:
            continue
        assert data.rstrip(b" ").endswith(rest)
        if address is None:
            continue
        printed = str(address)
        assert smtputf8 or printed.isascii()
        assert not any(c < " " or c == "\x7f" for c in printed)
        assert parse_path(f"<{printed}>".encode(), smtputf8=True) == (address, b"")
        assert len(address.local.encode()) <= 64
        assert printed.rpartition("@")[2] == address.domain or not address.domain
    text = data.decode(errors="replace")
    try:
        mailbox = parse_mailbox(text)
    except AddressError:
        pass
    else:
        assert parse_mailbox(str(mailbox)) == mailbox
    try:
        domain = normal_domain(text)
    except AddressError:
        return
    assert normal_domain(unicode_domain(domain)) == normal_domain(domain) == domain


def make(chance: random.Random) -> bytes:
    """Make an input: a path with damage, or pieces strung together."""
    data = b"".join(chance.choices(PIECES, k=chance.randrange(12)))
    if chance.random() < 0.5:
        data = b"<" + data + b"@example.org>"
    if chance.random() < 0.3:
        at = chance.randrange(len(data) + 1)
        data = data[:at] + chance.randbytes(2) + data[at:]
    return data


TARGET: Final = Target(check, make)
