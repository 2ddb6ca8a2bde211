"""What is asked of a header before a message is taken."""

import pytest

from postroad.delivery.header_checks import header_of, lacks_header
from postroad.policy.limits import Limits


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\r\ntext\r\n",
        b"Subject: x\r\n\r\ntext\r\n",
        b"Subject :x\r\n",
        b"From ada Mon Jan  1 00:00:00 2024\r\nSubject: x\r\n",
        b">From ada\r\nSubject: x\r\n",
    ],
)
def test_fields_may_stand_in_front_of_a_header(body: bytes) -> None:
    assert not lacks_header(body)


@pytest.mark.parametrize(
    "body",
    [b" fold\r\nSubject: x\r\n", b"\tfold", b"hello\r\n", b"hello ada: bye\r\n", b":\r\n", b"\nSubject: x\n"],
)
def test_fields_may_not_stand_right_in_front_of_text(body: bytes) -> None:
    assert lacks_header(body)
    assert header_of(body, Limits()) == b""
