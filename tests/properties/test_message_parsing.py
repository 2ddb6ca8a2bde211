"""What holds for every message, however it came about."""

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from postroad.message.address_list import MAX_ADDRESSES, _Reader, parse_addresses
from postroad.message.content_type import parse_content_type, parse_disposition
from postroad.message.date import parse_date, parse_internaldate
from postroad.message.encoded_word import decode_header
from postroad.message.header import HeaderBlock
from postroad.message.part import Part, pack_tree, parse_parts, unpack_tree
from postroad.message.section import SectionText, header_subset, locate
from postroad.message.summary import summarize
from postroad.message.text import iter_decoded, readable_text, search_text, walk
from postroad.message.transfer import decode
from tests.unit.message.pieces import CORPUS, FRAGMENTS
from tests.unit.message.reading import check_body, check_envelope, read_list

PIECES = st.sampled_from(FRAGMENTS)
SOUP = st.lists(PIECES | st.binary(max_size=4), max_size=60).map(b"".join)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A message that somebody really wrote, with a few cuts and pieces in it."""
    data = draw(st.sampled_from(CORPUS))[:20_000]
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(data)))
        data = data[:at] + draw(PIECES | st.binary(max_size=8)) + data[at + draw(st.integers(0, 200)) :]
    return data


MESSAGES = st.binary(max_size=300) | SOUP | damaged()
TEXTS: list[SectionText] = ["", "HEADER", "TEXT", "MIME"]


@given(MESSAGES)
def test_every_message_has_a_legal_summary(data: bytes) -> None:
    summary = summarize(data)
    check_envelope(read_list(summary.envelope))
    leaves = check_body(read_list(summary.bodystructure), extended=True)
    assert leaves == check_body(read_list(summary.body), extended=False)
    assert leaves == sum(not part.children for part in walk(unpack_tree(summary.tree)))
    assert len(summary.preview) <= 200
    for text in (summary.preview, summary.subject, summary.base_subject, summary.sender, summary.message_id):
        text.encode("utf-8")
        assert not any(ord(character) < 32 for character in text)
    assert 0 <= summary.header_end <= len(data)


@given(MESSAGES)
def test_parts_lie_inside_of_their_parents_and_do_not_overlap(data: bytes) -> None:
    root = parse_parts(data)
    assert (root.header_start, root.body_end) == (0, len(data))
    for part in walk(root):
        assert part.header_start <= part.body_start <= part.body_end
        at = part.body_start
        for child in part.children:
            assert at <= child.header_start
            assert child.body_end <= part.body_end
            at = child.body_end
        assert not part.is_multipart or part.children
    assert unpack_tree(pack_tree(root)) == root


@given(MESSAGES, st.lists(st.integers(0, 4), max_size=4), st.sampled_from(TEXTS))
def test_sections_stay_inside_of_the_message(data: bytes, path: list[int], text: SectionText) -> None:
    found = locate(parse_parts(data), tuple(path), text)
    if found is not None:
        assert 0 <= found[0] <= found[1] <= len(data)


@given(MESSAGES)
def test_header_and_text_are_the_message(data: bytes) -> None:
    root = parse_parts(data)
    header, text = locate(root, (), "HEADER"), locate(root, (), "TEXT")
    assert header is not None
    assert text is not None
    assert data[slice(*header)] + data[slice(*text)] == data


@given(MESSAGES)
def test_fields_lie_in_order_inside_of_the_header(data: bytes) -> None:
    block = HeaderBlock.parse(data)
    at = 0
    for field in block.fields:
        assert at <= field.start < field.value_start <= field.end <= block.body_start
        assert data[field.start :].startswith(field.name)
        assert b"\n" not in block.value(field)
        at = field.end


@given(MESSAGES, st.lists(st.sampled_from([b"from", b"Subject", b"content-type", b"x"]), max_size=3))
def test_a_subset_and_its_opposite_are_all_fields(data: bytes, names: list[bytes]) -> None:
    header = data[: HeaderBlock.parse(data).body_start]
    wanted, others = header_subset(header, names, False), header_subset(header, names, True)
    assert wanted.endswith(b"\r\n")
    assert others.endswith(b"\r\n")
    lower = {name.lower() for name in names}
    assert all(field.name_lower in lower for field in HeaderBlock.parse(wanted).fields)
    assert not any(field.name_lower in lower for field in HeaderBlock.parse(others).fields)


@given(MESSAGES)
def test_bodies_decode_in_pieces_as_they_do_whole(data: bytes) -> None:
    root = parse_parts(data)
    for part in walk(root):
        whole = decode(data[part.body_start : part.body_end], part.encoding)
        assert b"".join(iter_decoded(data, part)) == whole
    for text in (*search_text(data, root), *readable_text(data, root)):
        text.encode("utf-8")


FIELDS: list[Callable[[bytes], object]] = [
    parse_content_type,
    parse_disposition,
    parse_date,
    parse_internaldate,
    decode_header,
]


@given(SOUP | st.binary(max_size=100))
def test_no_field_makes_a_parser_raise(value: bytes) -> None:
    for parser in FIELDS:
        parser(value)
    for entry in parse_addresses(value):
        if hasattr(entry, "address"):
            entry.address.encode("utf-8")


ADDRESSES = st.lists(
    st.sampled_from(
        [
            *(b"ada", b"@", b"a.test", b"<", b">", b",", b'"Ada L"', b'"', b" ", b"Ada"),
            *(b"=?utf-8?q?a?=", b".", b":", b";", b"("),
        ]
    ),
    max_size=20,
).map(b"".join)


@given(ADDRESSES)
def test_the_short_way_through_an_address_list_is_the_long_way(value: bytes) -> None:
    assert parse_addresses(value) == _Reader(value, 0, []).read()


@given(st.integers(1, 3 * MAX_ADDRESSES))
def test_addresses_are_counted(number: int) -> None:
    assert len(parse_addresses(b"a@b," * number)) == min(number, MAX_ADDRESSES)


@given(st.integers(1, 400), st.booleans())
def test_depth_costs_no_stack(depth: int, messages: bool) -> None:
    header = b"Content-Type: message/rfc822\r\n\r\n"
    if not messages:
        header = b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\n'

    def deepest(part: Part) -> int:
        count = 0
        while part.children:
            part, count = part.children[0], count + 1
        return count

    data = header * depth
    assert deepest(parse_parts(data)) <= 51
    check_body(read_list(summarize(data).bodystructure), extended=True)
