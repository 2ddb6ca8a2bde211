"""The tree of parts: well formed, broken, and made to hurt."""

import mmap
from pathlib import Path

import pytest

from postroad.message.part import MAX_DEPTH, MAX_PARTS, Part, pack_tree, parse_parts, unpack_tree
from postroad.message.text import walk


def shape(data: bytes) -> object:
    """Return the bodies of the leaves, in lists as deep as the parts; a message inside is a tuple."""

    def of(part: Part) -> object:
        if part.embedded is not None:
            return (of(part.embedded),)
        if part.children:
            return [of(child) for child in part.children]
        return data[part.body_start : part.body_end]

    return of(parse_parts(data))


def multipart(*lines: bytes, boundary: bytes = b"b", subtype: bytes = b"mixed") -> bytes:
    return b"Content-Type: multipart/%b; boundary=%b\r\n\r\n" % (subtype, boundary) + b"\r\n".join(lines)


def test_a_plain_message_is_one_leaf() -> None:
    data = b"Subject: x\r\n\r\none\r\ntwo\r\n"
    part = parse_parts(data)
    assert (part.type, part.subtype, part.encoding, part.lines) == ("text", "plain", "7bit", 2)
    assert (part.header_start, part.body_start, part.body_end) == (0, 14, len(data))
    assert part.charset == "us-ascii"


def test_the_mime_fields_are_kept() -> None:
    part = parse_parts(
        b"Content-Type: image/png; name=a.png\r\nContent-Transfer-Encoding: BASE64 (x)\r\n"
        b"Content-ID: <1@x>\r\n"
        b"Content-Description: a picture\r\nContent-MD5: abc\r\nContent-Language: de, en\r\n"
        b"Content-Location: http://x.test/\r\nContent-Disposition: inline; filename=b.png\r\n\r\n"
    )
    assert part.encoding == "base64"
    assert (part.id, part.description, part.md5) == (b"<1@x>", b"a picture", b"abc")
    assert (part.language, part.location) == ((b"de", b"en"), b"http://x.test/")
    assert part.filename == "b.png"


@pytest.mark.parametrize(
    ("written", "location"),
    [
        (b"(one) (two) http://x.test/a (and three)", b"http://x.test/a"),
        (b"http://x.test/a(1)", b"http://x.test/a(1)"),
        (b"(1)a", b"a"),
        (b'"ftp://x.test/lots/\r\n lots/\r\n\tend.txt"', b"ftp://x.test/lots/lots/end.txt"),
        (b'"', b'"'),
        (b"(nothing)", None),
        (b"(open http://x.test/", b"(openhttp://x.test/"),
    ],
)
def test_a_location_is_the_uri_alone(written: bytes, location: bytes | None) -> None:
    assert parse_parts(b"Content-Location: %b\r\n\r\n" % written).location == location


def test_parts_end_in_front_of_the_line_end_of_the_delimiter() -> None:
    data = multipart(
        b"preamble", b"--b", b"", b"one", b"", b"--b", b"A: 1", b"", b"two", b"--b--", b"epilogue"
    )
    assert shape(data) == [b"one\r\n", b"two"]


def test_bare_line_feeds() -> None:
    data = multipart(b"--b", b"", b"one", b"--b", b"", b"two", b"--b--").replace(b"\r", b"")
    assert shape(data) == [b"one", b"two"]


def test_nested_multiparts_and_messages() -> None:
    inner = multipart(b"--i", b"", b"1", b"--i", b"", b"2", b"--i--", boundary=b"i")
    message = b"Content-Type: message/rfc822\r\n\r\nSubject: in\r\n" + inner
    assert shape(multipart(b"--b", inner, b"--b", message, b"--b--")) == [[b"1", b"2"], ([b"1", b"2"],)]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ((b"--b", b"", b"one"), [b"one"]),  # never closed
        ((b"--b", b"", b"one", b"--b"), [b"one"]),  # cut off at a delimiter
        ((b"--b", b"--b", b"", b"two", b"--b--"), [b"", b"two"]),
        ((b"--b", b"A: 1", b"--b--"), [b""]),
        ((b"--b", b"", b"--b--"), [b""]),
        ((b"--b  \t", b"", b"one", b"--b-- ", b""), [b"one"]),
        ((b"--b junk", b"", b"one", b"--b-- junk"), [b"one"]),
        # RFC 2046 §5.1.1: that the boundary stands at the beginning of the line is enough.
        ((b"--b", b"", b"one", b"--b<br>", b"", b"two", b"--b-->", b"behind"), [b"one", b"two"]),
        ((b"--bx", b"--b", b"", b"one", b"--bx", b"--b-x", b"--b--"), [b"one\r\n--bx\r\n--b-x"]),
        ((b" --b", b"x--b", b"--b", b"", b"one", b"--b--"), [b"one"]),
        ((b"no delimiter",), [b"no delimiter"]),
        ((b"--b--", b"closed before it began"), [b"--b--\r\nclosed before it began"]),
        ((b"",), [b""]),
    ],
)
def test_delimiters_as_they_come(lines: tuple[bytes, ...], expected: list[bytes]) -> None:
    assert shape(multipart(*lines)) == expected


def test_an_outer_delimiter_ends_an_inner_multipart() -> None:
    inner = multipart(b"--i", b"", b"1", boundary=b"i")
    assert shape(multipart(b"--b", inner, b"--b", b"", b"2", b"--b--")) == [[b"1"], b"2"]


def test_boundaries_that_begin_alike() -> None:
    inner = multipart(b"--b1", b"", b"1", b"--b1--", boundary=b"b1")
    assert shape(multipart(b"--b", inner, b"--b", b"", b"2", b"--b--")) == [[b"1"], b"2"]
    outer = multipart(b"--b1", multipart(b"--b", b"", b"1", b"--b--"), b"--b1", b"", b"2", boundary=b"b1")
    assert shape(outer) == [[b"1"], b"2"]


@pytest.mark.parametrize(
    "header",
    [
        b"multipart/mixed",
        b"multipart/mixed; boundary=",
        b'multipart/mixed; boundary=" "',
        b"multipart/x; charset=y",
    ],
)
def test_without_a_boundary_the_body_is_one_text(header: bytes) -> None:
    assert shape(b"Content-Type: " + header + b"\r\n\r\n--b\r\n\r\none") == [b"--b\r\n\r\none"]


def test_parts_of_a_digest_are_messages() -> None:
    data = multipart(b"--b", b"", b"Subject: 1", b"", b"one", b"--b--", subtype=b"digest")
    assert shape(data) == [(b"one",)]


def test_an_encoded_message_is_a_leaf() -> None:
    data = (
        b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\nU3ViamVjdDogeA0KDQp4\r\n"
    )
    assert parse_parts(data).children == ()


def test_a_bad_content_type_is_plain_text() -> None:
    assert (
        parse_parts(b"Content-Type: nonsense\r\n\r\nx").type,
        parse_parts(b"Content-Type:\r\n\r\nx").type,
    ) == ("text", "text")


def test_depth_is_bounded() -> None:
    deep = b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(200)
    )
    parts = list(walk(parse_parts(deep + b"\r\nbottom")))
    assert len(parts) == MAX_DEPTH + 2
    assert parts[-1].type == "application"
    assert parts[-1].body_end == len(deep) + 8
    messages = list(walk(parse_parts(b"Content-Type: message/rfc822\r\n\r\n" * 5_000)))
    assert len(messages) == MAX_DEPTH + 2


def test_the_rest_beyond_a_thousand_parts_is_opaque() -> None:
    data = multipart(*[b"--b\r\n\r\nx"] * 5_000, b"--b--")
    root = parse_parts(data)
    assert len(root.children) == MAX_PARTS
    assert (root.children[-1].type, root.children[-1].body_end) == ("application", len(data))


@pytest.mark.parametrize("line", [b"--bx\r\n", b"--b-\r\n", b"\n--b", b"--b" + b" " * 50 + b"\r\n"])
def test_floods_of_lookalikes_end(line: bytes) -> None:
    assert len(list(walk(parse_parts(multipart(b"--b", b"", line * 40_000))))) <= MAX_PARTS + 1


def test_packed_and_unpacked_it_is_the_same() -> None:
    inner = multipart(
        b"--i", b"Content-Disposition: attachment; filename*=utf-8''%C3%A4", b"", b"1", boundary=b"i"
    )
    root = parse_parts(multipart(b"--b", inner, b"--b", b"Content-Language: de, en", b"", b"2"))
    assert unpack_tree(pack_tree(root)) == root


def test_a_mapped_file_gives_the_same_tree(tmp_path: Path) -> None:
    # Long enough that delimiters lie on either side of the pieces it is searched in.
    filler = b"x" * 76 + b"\r\n"
    data = multipart(*[b"--b\r\n\r\n" + filler * count for count in (5, 3_360, 3_361, 7_000, 9)], b"--b--")
    path = tmp_path / "message"
    path.write_bytes(data)
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        assert parse_parts(mapped) == parse_parts(data)
