"""Signed messages that others collected (tests/vectors/dkim), and the example of RFC 8463 §A."""

from pathlib import Path

import pytest

from postroad.dns.zone import ZoneResolver
from postroad.mailauth.dkim.result import Result
from tests.unit.mailauth.dkim.making import verified

VECTORS = sorted((Path(__file__).parents[3] / "vectors" / "dkim" / "mail-auth").glob("0*.txt"))
# When each was received, for 005 says x=.
NOW = {"005": 1667843700.0}


@pytest.mark.parametrize("path", VECTORS, ids=lambda path: path.stem)
def test_signatures_of_others(path: Path) -> None:
    keys, _, message = path.read_bytes().replace(b"\n", b"\r\n").partition(b"\r\n\r\n")
    resolver = ZoneResolver()
    for line in keys.split(b"\r\n"):
        name, _, record = line.partition(b" ")
        resolver.add_txt(name.decode(), record)
    results = verified(message, resolver, now=NOW.get(path.stem, 1_700_000_000.0)).results
    assert results
    assert [one.reason for one in results if one.result is not Result.PASS] == []
