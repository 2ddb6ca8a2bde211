"""Headers in ASCII that are as long as those in UTF-8 (RFC 6855 §7)."""

from hypothesis import given
from hypothesis import strategies as st

from postroad.message.surrogate import ascii_header


@given(st.text(max_size=200))
def test_any_header_becomes_ascii_and_keeps_its_length_and_lines(text: str) -> None:
    header = text.encode()
    surrogate = ascii_header(header)
    assert surrogate.isascii()
    assert len(surrogate) == len(header)
    assert [len(line) for line in surrogate.split(b"\n")] == [len(line) for line in header.split(b"\n")]


@given(
    st.text(min_size=1, max_size=20), st.sampled_from(["From: %s <%s@b.test>\r\n", "To: %s <a@%s.test>\r\n"])
)
def test_no_address_leads_to_somebody_else(name: str, field: str) -> None:
    header = (field % (name, "ü" + "".join(c for c in name if c.isalnum()))).encode()
    for word in ascii_header(header).split(b"<")[-1].split():
        assert b"@" not in word or word.startswith(b"x")
        assert b"@b.test" not in word
        assert b"a@" not in word


def test_what_is_no_utf8_stays() -> None:
    assert ascii_header(b"Subject: \xff\r\nTo: \xc3\xa9\r\n") == b"Subject: \xff\r\nTo: ??\r\n"


def test_what_is_ascii_stays() -> None:
    header = b"From: ada@demo.test\r\nSubject: a@b \xc3\xa9\r\nTo: bob@demo.test\r\n"
    assert ascii_header(header) == b"From: ada@demo.test\r\nSubject: a@b ??\r\nTo: bob@demo.test\r\n"
