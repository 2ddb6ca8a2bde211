"""Fuzz SPF records, DMARC records and reports, Authentication-Results and rewritten senders."""

import asyncio
import random
from typing import Final

from postroad.dns.zone import ZoneResolver
from postroad.mailauth.authres.read import mentions, names_server, parse_authres
from postroad.mailauth.authres.write import payload
from postroad.mailauth.dmarc.author import author_of
from postroad.mailauth.dmarc.record import parse_record
from postroad.mailauth.dmarc.report.read import read_xml
from postroad.mailauth.dmarc.walk import names_to_ask
from postroad.mailauth.inflate import BadReport
from postroad.mailauth.spf.check import check_host
from postroad.mailauth.spf.client import Client
from postroad.mailauth.srs import NotOurs, original
from postroad.model.address import Address, normal_domain
from tests.fuzz.harness import Target

PIECES: Final = [
    *(
        b"v=spf1 ",
        b"include:",
        b"redirect=",
        b"exp=",
        b"a",
        b"mx",
        b"ptr",
        b"ip4:192.0.2.1",
        b"ip6:2001:db8::",
    ),
    *(
        b"exists:",
        b"-all",
        b"?",
        b"/24",
        b"//64",
        b"%{",
        b"}",
        b"%{ir-.}",
        b"%{l1r+-}",
        b"%{P}",
        b"%%",
        b"%_",
    ),
    *(b"x.test", b"y.test", b" ", b"=", b":", b".", b"\xff", b"\0", b"0" * 400, b"a." * 130),
    *(b"v=DMARC1; ", b"p=reject; ", b"sp=", b"rua=mailto:a@x.test!10m,", b"psd=y;", b"t=y", b";"),
    *(b"From: ", b"\r\n", b"a@x.test", b"<", b">", b"(", b")", b'"', b"\\", b",", b"@"),
    *(b"mx.x.test; ", b"dkim=pass ", b"reason=", b"header.d=", b"none", b"/1"),
    *(b"SRS0=", b"SRS1=", b"abcdefgh=ab="),
    *(
        b"<feedback>",
        b"</feedback>",
        b"<record>",
        b"</record>",
        b"<row>",
        b"<!DOCTYPE a [",
        b"&lt;",
        b"&x;",
        b"]>",
    ),
]
NAMES: Final = frozenset({"mx.x.test"})


def check(data: bytes) -> None:
    """Hold one input against everything that must hold for all."""
    zone = ZoneResolver()
    zone.add_txt("x.test", data)
    zone.add_txt("y.test", data[::-1])
    zone.add_mx("x.test", "y.test")
    zone.add_address("y.test", "192.0.2.9")
    zone.add_pointer("192.0.2.1", "y.test")
    result = asyncio.run(check_host(zone, Client.of("192.0.2.1", "h.x.test"), "x.test", identity="mailfrom"))
    assert len(zone.asked) <= 130
    assert len(result.explanation) <= 400
    assert result.explanation.isprintable()
    parse_record(data)
    author = author_of(data)
    if author.domain:
        assert normal_domain(author.domain) == author.domain
        assert not author.problem
        assert len(names_to_ask(author.domain)) <= 8
    found = parse_authres(data)
    assert mentions(data, NAMES) or found is None or not names_server(data, NAMES)
    if found is not None:
        again = parse_authres(payload(found).encode("utf-8", "replace"))
        assert again is not None
        assert [(r.method, r.result) for r in again.results] == [(r.method, r.result) for r in found.results]
    try:
        original(Address(data.decode("latin-1"), "x.test", False), b"key", 0.0)
        raise AssertionError("nobody can make one without the key")
    except NotOurs:
        pass
    try:
        read_xml(data)
    except BadReport:
        pass


def make(chance: random.Random) -> bytes:
    """Make an input: pieces of all that is read, strung together behind a beginning that is right."""
    begin = chance.choice(
        [b"v=spf1 ", b"v=DMARC1; ", b"From: ", b"mx.x.test; ", b"SRS0=", b"<feedback>", b""]
    )
    return begin + b"".join(chance.choices(PIECES, k=chance.randrange(14)))


TARGET: Final = Target(check, make)
"""What `tests.fuzz` runs."""
