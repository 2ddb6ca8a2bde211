"""Binary parts become base64, and nothing else changes."""

import email

from hypothesis import given
from hypothesis import strategies as st

from postroad.message.unbinary import without_binary

BINARY = b"Content-Transfer-Encoding: binary\r\n"


def changed(data: bytes) -> bytes:
    return b"".join(without_binary(data))


def part(body: bytes, type_: bytes = b"image/png", encoding: bytes = BINARY) -> bytes:
    return b"--b\r\nContent-Type: " + type_ + b"\r\n" + encoding + b"\r\n" + body + b"\r\n"


def multipart(*parts: bytes, encoding: bytes = BINARY) -> bytes:
    head = b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n"
    return head + encoding + b"\r\n" + b"".join(parts) + b"--b--\r\n"


def test_what_is_not_binary_stays_octet_for_octet() -> None:
    data = multipart(
        part(b"\xff\0", encoding=b""), part(b"aGk=", encoding=b"Content-Transfer-Encoding: base64\r\n")
    )
    assert changed(data.replace(BINARY, b"")) == data.replace(BINARY, b"")


def test_a_whole_message_ends_in_a_line_end() -> None:
    assert changed(b"Content-Type: a/b\r\n" + BINARY + b"\r\n\0") == (
        b"Content-Type: a/b\r\nContent-Transfer-Encoding: base64\r\n\r\nAA==\r\n"
    )


def test_multiparts_and_messages_are_only_labelled_anew() -> None:
    inner = b"Subject: in\r\nContent-Type: a/b\r\n" + BINARY + b"\r\n\0\r"
    found = changed(multipart(part(inner, b"message/rfc822")))
    assert found.count(b"Content-Transfer-Encoding: 8bit\r\n") == 2
    assert found.count(b"Content-Transfer-Encoding: base64\r\n") == 1
    assert b"\r\n\r\nAA0=\r\n--b--\r\n" in found


def test_text_in_lines_stays_readable() -> None:
    data = multipart(part("Grüße\r\nÄ".encode(), b"text/plain"))
    assert changed(data) == data.replace(b"Encoding: binary", b"Encoding: 8bit")


def test_text_that_is_not_in_lines_does_not() -> None:
    for body in (b"a\nb", b"a\0b", b"x" * 999, b"a\rb"):
        assert body not in changed(multipart(part(body, b"text/plain")))


@given(st.binary(max_size=300), st.binary(max_size=300))
def test_every_octet_of_the_content_is_kept(first: bytes, second: bytes) -> None:
    bodies = [body.replace(b"--b", b"..b").removesuffix(b"\n") for body in (b"1" + first, b"2" + second)]
    found = email.message_from_bytes(changed(multipart(*(part(body) for body in bodies))))
    assert [one.get_payload(decode=True) for one in found.walk() if not one.is_multipart()] == bodies
