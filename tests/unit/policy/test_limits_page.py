"""The page of limits says what the program does."""

from postroad.config.fields import fields_of
from postroad.config.limits import Limits
from tests.unit.policy.limits_page import PAGE, page


def test_the_page_is_true() -> None:
    assert PAGE.read_text() == page(), "write it anew: python -m tests.unit.policy.limits_page"


def test_every_limit_is_on_it() -> None:
    for field in fields_of(Limits):
        assert f"| `{field.name}` |" in page()
