"""The openspf test suites: that of RFC 7208 and that of RFC 4408, whose cases all still hold."""

import asyncio

import pytest

from postroad.mailauth.spf.check import check_sender
from postroad.mailauth.spf.client import Client
from tests.unit.mailauth.spf.suite import Case, address, cases


def check(case: Case) -> None:
    client = Client.of(case.host, case.helo, receiver="unknown")
    sender = address(*case.sender) if case.sender else None
    result = asyncio.run(check_sender(case.resolver(), client, sender))
    assert result.verdict in case.verdicts, result
    if case.explanation is not None and result.verdict == "fail":
        expected = "" if case.explanation == "DEFAULT" else case.explanation
        assert result.explanation == expected


@pytest.mark.parametrize("case", list(cases("rfc7208-tests.yml")), ids=lambda case: case.name)
def test_rfc_7208(case: Case) -> None:
    check(case)


@pytest.mark.parametrize("case", list(cases("rfc4408-tests.yml")), ids=lambda case: case.name)
def test_rfc_4408(case: Case) -> None:
    check(case)
