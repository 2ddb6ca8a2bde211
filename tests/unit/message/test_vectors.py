"""Messages and fields that others collected, with what they expect (tests/vectors/mime).

Where we read one differently the reason stands beside it.
"""

import json
import xml.etree.ElementTree as ET
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from postroad.message.address_list import Entry, GroupEnd, GroupStart, Mailbox, parse_addresses
from postroad.message.content_type import find_parameter, parse_content_type, parse_disposition
from postroad.message.date import parse_date
from postroad.message.part import Part, parse_parts
from postroad.message.section import locate
from postroad.message.summary import summarize
from postroad.message.text import walk
from tests.unit.message.reading import check_body, check_envelope, read_list

VECTORS = Path(__file__).parents[2] / "vectors" / "mime"
MIME4J = sorted((VECTORS / "mime4j").glob("*.msg"))
MESSAGES = [*MIME4J, *sorted((VECTORS / "mail-parser").glob("*/*.eml"))]

# A message must not be encoded (RFC 2046 §5.2.1); mime4j decodes it, offsets into raw bytes cannot.
_ENCODED = "an encoded message is a file"
# RFC 3501 has no multipart without a part, and the reader is to see what there is.
_NO_PART = "a multipart without parts shows its body as text"
# RFC 2046 §5.1.1: a boundary does not end in a space.
_SPACE = "spaces at the end of a boundary are padding"
_LOST_LINE = "all lines that are no fields belong to the body, the first one too"
OTHERWISE = {
    "bad-newlines-multiple-parts-base64": _ENCODED,
    "base64encoded-rfc822message": _ENCODED,
    "base64encoded-rfc822message-nested": _ENCODED,
    "missing-boundary": _NO_PART,
    "missing-inner-boundary": _NO_PART,
    "missing-inner-start-boundary": _NO_PART,
    "multipartnopart": _NO_PART,
    "very-long-boundary": _SPACE,
    "very-very-long-boundary": _SPACE,
    "weird-boundary": _SPACE,
    "basic-plain-with-bad-header-separator": _LOST_LINE,
    "malformedHeader-noheader": _LOST_LINE,
    "malformedHeaderStartsBody-noheader": _LOST_LINE,
    "malformedHeaderStartsBody-nocrlfcrlf": "one broken line in front of a field is passed over",
}


def expected_shape(element: ET.Element) -> object:
    for child in element:
        if child.tag == "multipart":
            return [expected_shape(part) for part in child if part.tag == "body-part"]
        if child.tag == "message":
            return (expected_shape(child),)
        if child.tag == "body":
            return (child.text or "").strip("\r\n").replace("\r\n", "\n")
    return ""


def shape(data: bytes, part: Part) -> object:
    if part.embedded is not None:
        return (shape(data, part.embedded),)
    if part.children:
        return [shape(data, child) for child in part.children]
    return data[part.body_start : part.body_end].decode("latin-1").strip("\r\n").replace("\r\n", "\n")


@pytest.mark.parametrize("path", MIME4J, ids=lambda path: str(path.stem))
def test_mime4j_structures(path: Path) -> None:
    data = path.read_bytes()
    expected = expected_shape(ET.parse(path.with_suffix(".xml")).getroot())
    assert (shape(data, parse_parts(data)) == expected) == (path.stem not in OTHERWISE)


@pytest.mark.parametrize("path", MESSAGES, ids=lambda path: f"{path.parent.name}-{path.stem}")
@pytest.mark.parametrize("crlf", [False, True])
def test_every_message_is_rendered_legally(path: Path, crlf: bool) -> None:
    data = path.read_bytes()
    if crlf:
        data = data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    summary = summarize(data)
    check_envelope(read_list(summary.envelope))
    leaves = check_body(read_list(summary.bodystructure), extended=True)
    assert leaves == check_body(read_list(summary.body), extended=False)
    tree = parse_parts(data)
    assert leaves == sum(not part.children for part in walk(tree))
    assert locate(tree, (), "") == (0, len(data))


def listed(entries: list[Entry]) -> list[object]:
    found: list[object] = []
    here = found
    for entry in entries:
        if isinstance(entry, Mailbox):
            here.append((entry.display_name, entry.address))
        elif isinstance(entry, GroupStart):
            here = []
            found.append((entry.display_name, here))
        elif isinstance(entry, GroupEnd):
            here = found
    return found


def wanted(entries: list[dict[str, Any]]) -> list[object]:
    found: list[object] = []
    for entry in entries:
        if "addresses" not in entry:
            found.append((entry["name"] or "", entry["address"]))
        elif entry["name"]:
            found.append((entry["name"], wanted(entry["addresses"])))
        else:  # what stands behind a group
            found += wanted(entry["addresses"])
    return found


ADDRESSES = json.loads((VECTORS / "mail-parser" / "address.json").read_text())
# RFC 5322 §3.2.2: a comment is not part of a name, and is shown only where there is none.
# RFC 5322 §4.4: a route is not part of the address, nor is white space around its dots.
# A URI in angle brackets is no address; two of the vectors hold lines that unfolding would not join.
ADDRESSES_OTHERWISE = ("(", "@node.test:", "<http", "<mailto", "<ftp", "\n\nbody", '"  James')


@pytest.mark.parametrize(
    "case", [case for case in ADDRESSES if not any(mark in case["header"] for mark in ADDRESSES_OTHERWISE)]
)
def test_addresses(case: dict[str, Any]) -> None:
    expected = case["expected"] or {}
    assert listed(parse_addresses(case["header"].encode())) == wanted(
        expected.get("List") or expected.get("Group") or []
    )


DATES = json.loads((VECTORS / "mail-parser" / "date.json").read_text())
# No zone of four minutes, no field but Date, and comments are left out wherever they stand.
DATES_OTHERWISE = ("4 8 15", "by 2002:", "(some", "((invalid)")


def moment(fields: dict[str, Any]) -> datetime:
    offset = timedelta(hours=fields["tz_hour"], minutes=fields["tz_minute"])
    zone = timezone(-offset if fields["tz_before_gmt"] else offset)
    year, month, day = fields["year"], fields["month"], fields["day"]
    return datetime(year, month, day, fields["hour"], fields["minute"], fields["second"], tzinfo=zone)


@pytest.mark.parametrize(
    "case", [case for case in DATES if not any(mark in case["header"] for mark in DATES_OTHERWISE)]
)
def test_dates(case: dict[str, Any]) -> None:
    expected = case["expected"] and moment(case["expected"])
    assert parse_date(case["header"].encode()) == expected


CONTENT_TYPES = json.loads((VECTORS / "mail-parser" / "content_type.json").read_text())
# Missing semicolons are not guessed, the language of a value is not kept, a type without a
# subtype is none, adjacent encoded words are one text (RFC 2047 §6.2), space around a name
# and NUL in it are not part of it, sections are numbered from 0 without a gap (RFC 2231 §3).
_NOT_GUESSED = ("mail-server\n", "\n   title*", "\n   filename*", "?= =?", '="  ', "name=  ", "test/\n")
TYPES_OTHERWISE = (*_NOT_GUESSED, "key*9999", "malicious")


def comparable(case: dict[str, Any]) -> bool:
    header, expected = case["header"], case["expected"] or {}
    if "attributes" not in expected or any(mark in header for mark in TYPES_OTHERWISE):
        return False
    return "/" in header and bool(expected["c_type"].isascii())


@pytest.mark.parametrize("case", [case for case in CONTENT_TYPES if comparable(case)])
def test_content_types(case: dict[str, Any]) -> None:
    expected = case["expected"]
    value = case["header"].replace("\n", "").encode()
    found = parse_content_type(value) if expected["c_subtype"] else None
    disposition = parse_disposition(value)
    assert disposition is not None
    if found is not None:
        assert (found.type, found.subtype) == (expected["c_type"].lower(), expected["c_subtype"].lower())
    params = found.params if found is not None else disposition.params
    for name, text in expected["attributes"] or ():
        if not name.endswith("-language"):
            assert find_parameter(params, name) == text
