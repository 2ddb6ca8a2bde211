"""Messages with 8-bit octets for servers that take none (RFC 6152 §3)."""

import email
from email.message import Message

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroad.message.sevenbit import Inconvertible, seven_bit

TEXT = "Grüße aus Köln, und so weiter und so fort.\r\n"
MIME = b"MIME-Version: 1.0\r\n"


def converted(message: bytes) -> bytes:
    """The message in 7 bits, made of lines that may pass."""
    octets = b"".join(seven_bit(message))
    assert octets.isascii()
    assert max(map(len, octets.split(b"\r\n"))) <= 998
    return octets


def leaves(octets: bytes) -> list[Message]:
    """The parts that hold something, as somebody else's parser sees them."""
    return [part for part in email.message_from_bytes(octets).walk() if not part.is_multipart()]


def part(kind: str, content: bytes, encoding: str = "8bit", more: bytes = b"") -> bytes:
    """A part with its header."""
    fields = f"Content-Type: {kind}\r\n".encode() + more
    if encoding:
        fields += f"Content-Transfer-Encoding: {encoding}\r\n".encode()
    return fields + b"\r\n" + content


def multipart(*parts: bytes, kind: str = "mixed", encoding: str = "8bit", boundary: str = "b") -> bytes:
    """Parts side by side."""
    delimiter = f"--{boundary}".encode()
    body = b"".join(delimiter + b"\r\n" + one + b"\r\n" for one in parts) + delimiter + b"--\r\n"
    return part(f'multipart/{kind}; boundary="{boundary}"', body, encoding)


def test_text_with_some_umlauts_is_still_legible() -> None:
    octets = converted(MIME + part("text/plain; charset=utf-8", TEXT.encode()))
    assert b"Content-Transfer-Encoding: quoted-printable\r\n" in octets
    assert b"8bit" not in octets
    assert b"und so weiter" in octets
    assert leaves(octets)[0].get_payload(decode=True) == TEXT.encode()


def test_text_in_another_script_is_put_into_base64() -> None:
    text = "Здравствуйте, как дела?\r\n".encode()
    octets = converted(MIME + part("text/plain; charset=utf-8", text))
    assert b"Content-Transfer-Encoding: base64\r\n" in octets
    assert leaves(octets)[0].get_payload(decode=True) == text


def test_what_is_no_text_is_put_into_base64() -> None:
    content = b"x" * 500 + b"\xff\r\n"
    octets = converted(MIME + part("application/x-thing", content))
    assert b"Content-Transfer-Encoding: base64\r\n" in octets
    assert leaves(octets)[0].get_payload(decode=True) == content


def test_each_part_is_converted_by_itself() -> None:
    inner = multipart(
        part("text/plain; charset=utf-8", TEXT.encode()),
        part("text/html", b"<p>plain</p>", "7bit"),
        kind="alternative",
        boundary="inner",
    )
    message = b"Subject: x\r\n" + MIME + multipart(inner, part("image/png", b"\x89PNG\r\n\x1a\n", "binary"))
    octets = converted(message)
    text, html, image = leaves(octets)
    assert text.get_payload(decode=True) == TEXT.rstrip("\r\n").encode() + b"\r\n"
    assert html.get_payload() == "<p>plain</p>"
    assert html["Content-Transfer-Encoding"] == "7bit"
    assert image.get_payload(decode=True) == b"\x89PNG\r\n\x1a\n"
    whole = email.message_from_bytes(octets)
    assert whole["Content-Transfer-Encoding"] == "7bit"  # RFC 2045 §6.4: a multipart is never encoded


def test_a_message_inside_is_converted_inside() -> None:
    inner = b"Subject: inner\r\n" + MIME + part("text/plain; charset=utf-8", TEXT.encode())
    octets = converted(b"Subject: outer\r\n" + MIME + multipart(part("message/rfc822", inner)))
    (text,) = leaves(octets)
    assert text["Subject"] == "inner"
    assert text.get_payload(decode=True).rstrip() == TEXT.rstrip().encode()  # type: ignore[union-attr]
    holder = next(
        p for p in email.message_from_bytes(octets).walk() if p.get_content_type() == "message/rfc822"
    )
    assert holder["Content-Transfer-Encoding"] == "7bit"  # RFC 2046 §5.2.1


def test_what_needs_nothing_is_left_as_it_is() -> None:
    signed = multipart(
        part("text/plain", b"signed", "8bit"),
        part("application/pgp-signature", b"x", ""),
        kind="signed",
        boundary="s",
    )
    message = b"Subject: x\r\n" + MIME + multipart(signed, part("text/plain", "ü".encode()), encoding="7bit")
    octets = converted(message)
    assert signed in octets  # also its label: RFC 1847 §2.1


def test_a_message_from_before_mime_becomes_one_of_mime() -> None:
    octets = converted(b"Subject: old\r\n\r\nGr\xfc\xdfe.\r\n")
    (text,) = leaves(octets)
    assert (text["MIME-Version"], text["Subject"]) == ("1.0", "old")
    assert text.get_content_charset() == "unknown-8bit"  # RFC 1428 §3
    assert text.get_payload(decode=True) == b"Gr\xfc\xdfe.\r\n"
    assert leaves(converted("Subject: old\r\n\r\nGrüße.\r\n".encode()))[0].get_content_charset() == "utf-8"


def test_a_broken_encoding_keeps_its_content_and_gets_no_second_one() -> None:
    broken = part("text/plain", "Gr=C3=BC\xdfe =\r\nund mehr\r\n".encode("latin-1"), "quoted-printable")
    octets = converted(MIME + broken)
    assert octets.count(b"quoted-printable") == 1
    assert leaves(octets)[0].get_payload(decode=True) == b"Gr\xc3\xbc\xdfe und mehr\r\n"
    octets = converted(MIME + part("image/png", b"iVBO\xffRw==\r\n", "base64"))
    assert leaves(octets)[0].get_payload(decode=True) == b"\x89PNG"


def test_what_nobody_reads_loses_its_accents() -> None:
    body = "à plusieurs parties\r\n--b\r\n\r\n".encode() + "é\r\n--b--\r\nfinà\r\n".encode()
    octets = converted(MIME + part("multipart/mixed; boundary=b", body))
    assert b"** plusieurs parties\r\n--b\r\n" in octets
    assert octets.endswith(b"--b--\r\nfin**\r\n")


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (b"Subject: \xfc\r\n\r\nx\r\n", "a header has"),
        (
            MIME + multipart(part("text/plain; name=\xfc".encode().decode("latin-1"), b"x")),
            "header of a part",
        ),
        (MIME + multipart(part("text/plain", b"\xfc"), kind="signed"), "signed"),
        (
            MIME + multipart(part("message/delivery-status", b"Action: \xfc\r\n\r\n")),
            "message/delivery-status",
        ),
        (MIME + multipart(part("message/partial; id=x", b"\xfc")), "message/partial"),
        (MIME + part("text/plain", b"\xfc\r\n", "x-uuencode"), "x-uuencode"),
        (MIME + part("text/plain", b"\xfc\r\n", "8bit", b"Content-Transfer-Encoding: 7bit\r\n"), "several"),
        (MIME + part("multipart/mixed; boundary=none", b"\xfc\r\n"), "no header"),
        (MIME + part("multipart/mixed; boundary*=%FC", b"--\xfc\r\n\r\nx\r\n--\xfc--\r\n"), "8-bit octets"),
    ],
)
def test_what_cannot_be_converted_is_not(message: bytes, reason: str) -> None:
    with pytest.raises(Inconvertible, match=reason):
        seven_bit(message)


def test_internationalized_messages_inside_may_be_encoded() -> None:
    # RFC 6532 §3.7, unlike message/rfc822.
    inner = "Subject: Grüße\r\n\r\nx\r\n".encode()
    octets = converted(MIME + multipart(part("message/global", inner)))
    assert b"Content-Transfer-Encoding: base64\r\n" in octets


LINES = st.lists(st.text(st.characters(codec="latin-1", exclude_characters="\r\n"), max_size=200), max_size=8)


@given(
    LINES,
    st.sampled_from(["text/plain", "application/x-thing"]),
    st.booleans(),
    st.sampled_from([1, 40, 400]),
)
def test_no_content_is_changed(lines: list[str], kind: str, ended: bool, copies: int) -> None:
    content = ("\r\n".join(lines) + "\r\n" * ended).encode("latin-1") * copies
    message = b"Subject: x\r\n" + MIME + multipart(part(kind, content), part("text/plain", b"\xfc"))
    octets = b"".join(seven_bit(message))
    assert octets.isascii()
    found = leaves(octets)[0].get_payload(decode=True)
    assert found == content or (found == content + b"\r\n" and not content.endswith(b"\n"))


@given(st.binary(max_size=400))
def test_any_octets_are_converted_or_refused(octets: bytes) -> None:
    for message in (
        octets,
        b"Subject: x\r\n\r\n" + octets,
        MIME + part("multipart/mixed; boundary=b", octets),
    ):
        try:
            pieces = seven_bit(message)
        except Inconvertible:
            continue
        assert b"".join(pieces).isascii()
