"""Parts with NULs are brought into base64, and nothing else is touched (RFC 3516 §4.4)."""

import base64
import mmap

import pytest

from postroad.message.binary import MisplacedNul, without_nuls
from postroad.message.part import parse_parts
from postroad.message.text import decode_body

NULS = b"\x00\x01" * 50_000 + b"\0"


def encoded(data: bytes) -> bytes:
    return b"".join(without_nuls(data))


def test_the_only_part() -> None:
    head = b"Subject: a\r\nContent-Type: image/x\r\nContent-Transfer-Encoding: binary\r\nX: y\r\n\r\n"
    done = encoded(head + NULS)
    assert done.startswith(
        b"Subject: a\r\nContent-Type: image/x\r\nX: y\r\nMIME-Version: 1.0\r\n"
        b"Content-Transfer-Encoding: base64\r\n\r\n"
    )
    assert decode_body(done, parse_parts(done)) == NULS
    assert max(map(len, done.split(b"\r\n"))) <= 76


def test_one_part_among_others() -> None:
    head = b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\ntext\r\n--b\r\n"
    done = encoded(head + b"Content-Type: image/x\r\n\r\n" + b"a\0b" + b"\r\n--b--\r\n")
    assert done == head + (
        b"Content-Type: image/x\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        + base64.b64encode(b"a\0b")
        + b"\r\n--b--\r\n"
    )


def test_a_part_of_a_message_within() -> None:
    head = b"Content-Type: message/rfc822\r\n\r\n"
    done = encoded(head + b"Subject: in\r\n\r\n\0")
    assert done == head + b"Subject: in\r\nContent-Transfer-Encoding: base64\r\n\r\nAA=="


def test_a_mapped_message() -> None:
    data = b"MIME-Version: 1.0\r\n\r\n" + NULS
    with mmap.mmap(-1, len(data)) as region:
        region.write(data)
        assert b"".join(without_nuls(region)) == encoded(data)


def test_what_has_no_nul_stays_as_it_is() -> None:
    data = b"Subject: a\r\nno field\r\n\r\n" + b"x" * 200_000
    assert encoded(data) == data


@pytest.mark.parametrize(
    "data",
    [
        b"Subject: a\0b\r\n\r\n",
        b"Subject: a\0b\r\n\r\n\0",
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n\0\r\n--b\r\n\r\ntext\r\n--b--\r\n",
        b"Content-Transfer-Encoding: base64\r\n\r\nAA\0A",
    ],
)
def test_where_no_encoding_can_take_it_in(data: bytes) -> None:
    with pytest.raises(MisplacedNul):
        encoded(data)
