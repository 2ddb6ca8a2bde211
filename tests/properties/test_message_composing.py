"""What is composed is read back as what went in."""

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from postroad.message.address_list import Mailbox, parse_addresses
from postroad.message.compose import (
    Person,
    address_field,
    field,
    one_line,
    strip_headers,
    text_body,
    text_field,
)
from postroad.message.date import format_date, format_internaldate, parse_date, parse_internaldate
from postroad.message.dsn import Action, RecipientReport, Report, build_dsn
from postroad.message.encoded_word import decode_header, encode_words
from postroad.message.header import HeaderBlock
from postroad.message.part import parse_parts
from postroad.message.text import decode_body_text

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)
ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
MOMENTS = st.datetimes(datetime(1950, 1, 1), datetime(2999, 1, 1), timezones=ZONES)
HOSTS = st.sampled_from(["a.test", "xn--exmple-cua.test", "exämple.test", "[::1]"])
LINES = st.sampled_from([b"A: 1\r\n", b"B: 2\r\n 3\r\n", b"b : 4\n", b"no field\r\n", b"C:\r\n"])
ATOMS = st.from_regex(r"[a-zA-Z0-9!#$%&'*+/=?^_`{|}~-]{1,20}", fullmatch=True)


def only(written: bytes, name: bytes) -> bytes:
    """Return the value of what has to be exactly one field."""
    block = HeaderBlock.parse(written + b"\r\nbody")
    assert [entry.name_lower for entry in block.fields] == [name.lower()]
    assert block.body_start == len(written) + 2
    assert all(len(line) <= 998 for line in written.split(b"\r\n"))
    return block.first(name) or b""


@given(TEXT)
def test_text_comes_back(text: str) -> None:
    value = only(text_field("Subject", text), b"Subject")
    assert value.isascii()
    # Folding and showing on one line both make less of white space.
    assert decode_header(value).split() == one_line(text).split()


@given(TEXT)
def test_structured_values_stay_in_their_field(text: str) -> None:
    only(field("X-Test", text), b"X-Test")


@given(TEXT)
def test_encoded_words_are_short_and_undone_by_decoding(text: str) -> None:
    encoded = encode_words(one_line(text))
    assert decode_header(encoded).split() == one_line(text).split()


@given(
    TEXT,
    ATOMS | TEXT.filter(bool),
    st.sampled_from(["a.test", "xn--exmple-cua.test", "exämple.test", "[::1]"]),
)
def test_people_come_back(name: str, local: str, host: str) -> None:
    local = one_line(local)
    value = only(address_field("To", [Person(f"{local}@{host}", name)]), b"To")
    (mailbox,) = parse_addresses(value)
    assert isinstance(mailbox, Mailbox)
    assert mailbox.host.decode() == host
    assert mailbox.display_name.split() == one_line(name).split()


@given(TEXT)
def test_bodies_come_back(text: str) -> None:
    data = text_body(text)
    read = decode_body_text(data, parse_parts(data))
    assert read == text.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\r\n")


@given(MOMENTS)
def test_dates_come_back(moment: datetime) -> None:
    moment = moment.replace(microsecond=0)
    assert parse_date(format_date(moment).encode()) == moment


@given(st.integers(-(2**31), 2**33))
def test_internaldates_come_back(seconds: int) -> None:
    assert parse_internaldate(format_internaldate(seconds)) == seconds


@given(st.lists(LINES, max_size=8))
def test_what_is_stripped_is_gone_and_the_rest_is_there(lines: list[bytes]) -> None:
    rest = [line for line in lines if line[:1].lower() != b"b"]
    assert strip_headers(b"".join(lines) + b"\r\n", [b"B"]) == b"".join(rest) + b"\r\n"


@given(TEXT, TEXT, TEXT, TEXT, st.sampled_from(Action), st.binary(max_size=200))
def test_a_notification_always_has_its_three_parts(
    final: str, diagnostic: str, host: str, reason: str, action: Action, original: bytes
) -> None:
    recipient = RecipientReport(
        final, action, "5.0.0", original=final, remote_mta=host, diagnostic=diagnostic, reason=reason
    )
    moment = datetime(2025, 7, 1, tzinfo=UTC)
    data = build_dsn(
        Report(host, final, [recipient], moment, "token", queue_id=reason, envelope_id=final), original
    )
    root = parse_parts(data)
    assert [child.type for child in root.children][:2] == ["text", "message"]
    assert len(root.children) == 3
    status = root.children[1]
    fields = data[status.body_start : status.body_end]
    assert fields.isascii()
    assert len(HeaderBlock.parse(fields.partition(b"\r\n\r\n")[2]).all(b"action")) == 1
    assert b"\n" not in data.replace(b"\r\n", b"")
    assert b"\r" not in data.replace(b"\r\n", b"")
