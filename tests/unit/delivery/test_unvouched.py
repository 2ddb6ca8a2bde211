"""Whether anything says that mail is its sender's."""

import pytest

from postroad.delivery.unvouched import is_vouched_for
from postroad.mailauth.authres.values import AuthResults, Property, Result
from postroad.model.address import parse_mailbox

MADE = Result("spf", "fail", (Property("smtp", "mailfrom", "eve@a.x.test"),))


def signed(domain: str, result: str = "pass") -> Result:
    return Result("dkim", result, (Property("header", "d", domain), Property("header", "i", "@a.x.test")))


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        ((), False),
        ((Result("spf", "pass"),), True),
        ((Result("spf", "none"),), False),
        ((Result("spf", "neutral"),), False),
        ((Result("spf", "temperror"),), False),
        ((Result("spf", "softfail"),), False),
        ((MADE,), False),
        ((MADE, Result("dmarc", "fail")), False),
        ((MADE, Result("dmarc", "pass")), True),
        ((MADE, signed("a.x.test")), True),
        ((MADE, signed("X.test")), True),
        ((MADE, signed("a.x.test", "fail")), False),
        ((MADE, signed("b.a.x.test")), False),
        ((MADE, signed("notx.test")), False),
        ((MADE, signed("elsewhere.test"), signed("x.test")), True),
    ],
)
def test_spf_dmarc_or_a_signature(results: tuple[Result, ...], expected: bool) -> None:
    sender = parse_mailbox("eve@a.x.test")
    assert sender is not None
    assert is_vouched_for(sender, AuthResults("mx.test", results)) is expected
