"""Mistakes in `[sender_auth]` that the kinds of its values do not show."""

import pytest

from postroad.config.judge_sender_auth import judge_sender_auth
from postroad.config.sender_auth import SenderAuth


def found(**settings: object) -> list[str]:
    return [f"{'.'.join(map(str, at))}: {text}" for at, text in judge_sender_auth(SenderAuth(**settings))]  # type: ignore[arg-type]


def test_what_is_right() -> None:
    allow = ("x.test", ".x.test", "192.0.2.0/24", "192.0.2.7", "2001:db8::/32", "xn--bcher-kva.test")
    assert found(allow=allow, trusted_sealers=("x.test",), authserv_id="mx.x.test") == []


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("allow", ("192.0.2.0/99",)),
        ("allow", ("1.2.3",)),
        ("allow", ("2001:db8::/200",)),
        ("allow", ("not a domain",)),
        ("allow", ("X.test",)),
        ("trusted_sealers", ("bücher.test",)),
        ("authserv_id", "mx; x"),
    ],
)
def test_what_is_wrong(key: str, value: object) -> None:
    (mistake,) = found(**{key: value})
    assert mistake.startswith(f"sender_auth.{key}: ")
