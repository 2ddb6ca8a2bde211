"""Fuzz what strangers say of TLS: MTA-STS records and policies, TLSRPT records and reports.

The first octet of an input says what it is, the others are it.
"""

import random
from typing import Final

from postroad.mailauth.inflate import BadReport, gzip
from postroad.mailauth.mtasts import PATTERNS, BadPolicy, parse_policy, policy_id
from postroad.mailauth.tlsrpt import ADDRESSES, read_report, report_addresses, write_report
from tests.fuzz.harness import Target

RECORD_PIECES: Final = [
    *(b"v=STSv1", b"v=TLSRPTv1", b";", b" ", b"\t", b"=", b",", b"id=", b"20261128T0", b"rua=", b"x" * 40),
    *(b"mailto:a@x.test", b"https://x.test/r", b"HTTPS:", b"ftp://x", b"\xff", b"\0", b"!10m", b"a=b", b"\f"),
]
POLICY_PIECES: Final = [
    *(
        b"version: STSv1",
        b"mode: enforce",
        b"mode: none",
        b"mode: testing",
        b"mx: mx.x.test",
        b"mx: *.x.test",
    ),
    *(
        b"max_age: 86400",
        b"max_age: 99999999999",
        b"\n",
        b"\r\n",
        b"\r",
        b":",
        b" ",
        b"mx: *",
        b"mx: .",
        b"\xff",
    ),
    *(b"mx: " + b"a." * 130, b"\x0b", b"\xe2\x80\xa8", b"more: \xc3\xa4", b"\0"),
]
REPORT: Final = (
    b'{"organization-name":"x","date-range":{"start-datetime":"2026-11-27T00:00:00Z","end-datetime":'
    b'"2026-11-27T23:59:59Z"},"contact-info":"a@x.test","report-id":"1","policies":[{"policy":{"policy-type":'
    b'"sts","policy-string":["version: STSv1"],"policy-domain":"x.test","mx-host":["*.x.test"]},"summary":'
    b'{"total-successful-session-count":5,"total-failure-session-count":1},"failure-details":[{"result-type":'
    b'"certificate-expired","failed-session-count":1}]}]}'
)
JUNK: Final = [
    *(bytes([octet]) for octet in b'{}[]",:\\ 0-e\xff\0'),
    b"null",
    b"1e999",
    b"-1",
    b"\\ud800",
    b"[" * 200,
]


def check(data: bytes) -> None:
    """Hold one input against everything that must hold for all."""
    kind, rest = data[:1], data[1:]
    match kind:
        case b"r":
            records = tuple(rest.split(b"\f"))
            told = policy_id(records)
            assert told is None or (told.isalnum() and told.isascii() and len(told) <= 32)
            for address in report_addresses(records):
                assert address.lower().startswith(("mailto:", "https:"))
            assert len(report_addresses(records)) <= ADDRESSES
        case b"p":
            _check_policy(rest)
        case b"z" | b"j":
            _check_report(rest)


def _check_policy(octets: bytes) -> None:
    try:
        policy = parse_policy(octets)
    except BadPolicy:
        return
    assert len(policy.mx) <= PATTERNS
    # What reports quote is the same policy.
    assert parse_policy("\r\n".join(policy.lines()).encode()) == policy
    for pattern in policy.mx:
        assert policy.covers(pattern.replace("*", "host").upper())
        assert not policy.covers("elsewhere.invalid")


def _check_report(octets: bytes) -> None:
    try:
        report = read_report(octets)
    except BadReport:
        return
    assert read_report(write_report(report)) == report


def make(chance: random.Random) -> bytes:
    """Make an input: records, policies of pieces, or a report with some damage."""
    match chance.randrange(4):
        case 0:
            return b"r" + b"".join(chance.choices(RECORD_PIECES, k=chance.randrange(12)))
        case 1:
            between = chance.choice((b"\n", b""))
            return b"p" + between.join(chance.choices(POLICY_PIECES, k=chance.randrange(12)))
        case 2:
            return b"z" + _damaged(chance, gzip(REPORT))
        case _:
            return b"j" + _damaged(chance, REPORT)


def _damaged(chance: random.Random, octets: bytes) -> bytes:
    damaged = bytearray(octets)
    for _ in range(chance.randrange(4)):
        at = chance.randrange(len(damaged))
        damaged[at : at + chance.randrange(3)] = chance.choice(JUNK)
    return bytes(damaged)


TARGET: Final = Target(check, make)
"""What `tests.fuzz` runs."""
