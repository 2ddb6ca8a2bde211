"""Whose mail it is not, says its domain."""

import pytest

from postroad.delivery.disowned import is_disowned
from postroad.mailauth.authres.values import AuthResults, Property, Result
from postroad.model.address import parse_mailbox

MADE = Result("spf", "fail", (Property("smtp", "mailfrom", "eve@a.x.test"),))


def signed(domain: str, result: str = "pass") -> Result:
    return Result("dkim", result, (Property("header", "d", domain), Property("header", "i", "@a.x.test")))


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        ((), False),
        ((Result("spf", "pass"),), False),
        ((Result("spf", "none"),), False),
        ((Result("spf", "temperror"),), False),
        ((Result("spf", "softfail"),), True),
        ((MADE,), True),
        ((MADE, signed("a.x.test")), False),
        ((MADE, signed("X.test")), False),
        ((MADE, signed("a.x.test", "fail")), True),
        ((MADE, signed("b.a.x.test")), True),
        ((MADE, signed("notx.test")), True),
        ((MADE, signed("elsewhere.test"), signed("x.test")), False),
    ],
)
def test_spf_disowns_and_a_signature_owns(results: tuple[Result, ...], expected: bool) -> None:
    sender = parse_mailbox("eve@a.x.test")
    assert sender is not None
    assert is_disowned(sender, AuthResults("mx.test", results)) is expected
