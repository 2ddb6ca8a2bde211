"""Aggregate reports: those of others as they come, ours as they go (RFC 9990)."""

import gzip
import io
import json
import zipfile
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroad.mailauth.dmarc.report.read import MAX_ROWS, read_report, read_xml
from postroad.mailauth.dmarc.report.values import Checked, Published, Reason, Report, Row
from postroad.mailauth.dmarc.report.write import write_report, write_xml
from postroad.mailauth.inflate import LEAST, BadReport
from postroad.message.part import parse_parts
from postroad.message.transfer import decoded_pieces

VECTORS: Final = Path(__file__).parents[3] / "vectors" / "dmarc"
ROW: Final = Row(
    "192.0.2.1",
    "reject",
    "fail",
    "fail",
    "x.test",
    "y.test",
    (Reason("local_policy", "so & so <b>"),),
    (Checked("y.test", "pass", "s1"), Checked("z.test", "fail", "s2")),
    (Checked("y.test", "softfail"),),
)
REPORT: Final = Report(
    "ours.test",
    "dmarc@ours.test",
    "1@ours.test",
    0,
    86399,
    Published("x.test", "reject", "none"),
    ((ROW, 3),),
)


def same(report: Report, expected: dict[str, Any]) -> None:
    """Hold a report against what the vector says."""
    metadata = expected["report_metadata"]
    assert (report.organization, report.report_id) == (metadata["org_name"], metadata["report_id"])
    assert (report.begin, report.end) == (metadata["date_range"]["begin"], metadata["date_range"]["end"])
    assert report.published.domain == expected["policy_published"]["domain"]
    assert report.published.p == expected["policy_published"]["p"].lower()
    assert len(report.rows) == len(expected["record"])
    for (row, count), record in zip(report.rows, expected["record"], strict=True):
        evaluated = record["row"]["policy_evaluated"]
        assert (row.source, count) == (record["row"]["source_ip"], record["row"]["count"])
        assert (row.dkim, row.spf) == (evaluated["dkim"].lower(), evaluated["spf"].lower())
        assert row.header_from == record["identifiers"]["header_from"]
        assert row.envelope_from == record["identifiers"]["envelope_from"]
        checked = record["auth_results"]
        assert [(one.domain, one.selector, one.result) for one in row.signatures] == [
            (one["domain"], one["selector"], one["result"].lower()) for one in checked["dkim"]
        ]
        assert [one.domain for one in row.senders] == [one["domain"] for one in checked["spf"]]


@pytest.mark.parametrize("name", ["001", "002", "003", "004", "005"])
def test_reports_of_others(name: str) -> None:
    same(
        read_report((VECTORS / f"{name}.xml").read_bytes()),
        json.loads((VECTORS / f"{name}.json").read_text()),
    )


@pytest.mark.parametrize("name", ["100", "101", "102", "103", "104"])
def test_reports_in_mail(name: str) -> None:
    message = (VECTORS / f"{name}.eml").read_bytes()
    parts = [parse_parts(message)]
    reports = []
    while parts:
        part = parts.pop()
        parts += part.children
        if part.type == "application":
            pieces = decoded_pieces(message, part.body_start, part.body_end, part.encoding)
            reports.append(read_report(b"".join(pieces)))
    (report,) = reports
    same(report, json.loads((VECTORS / f"{name}.json").read_text()))


def test_what_is_written_can_be_read() -> None:
    assert read_report(write_report(REPORT, "postroad")) == REPORT


def test_the_elements_are_in_their_order() -> None:
    root = ElementTree.fromstring(write_xml(REPORT, "postroad 1"))
    space = "{urn:ietf:params:xml:ns:dmarc-2.0}"
    assert root.tag == f"{space}feedback"
    assert [one.tag.removeprefix(space) for one in root] == [
        "version",
        "report_metadata",
        "policy_published",
        "record",
    ]
    evaluated = root.find(f"{space}record/{space}row/{space}policy_evaluated")
    assert evaluated is not None
    assert [one.tag.removeprefix(space) for one in evaluated] == ["disposition", "dkim", "spf", "reason"]
    comment = evaluated.find(f"{space}reason/{space}comment")
    assert comment is not None
    assert comment.text == "so & so <b>"


# -- what strangers may send (SAFETY C14) ---------------------------------------


LAUGHS: Final = b"""<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]><feedback><version>&c;</version></feedback>"""
OUTSIDE: Final = (
    b'<!DOCTYPE f [<!ENTITY x SYSTEM "file:///etc/passwd">]><feedback><version>&x;</version></feedback>'
)


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"PK\x03\x04",
        b"\x1f\x8b",
        b"<feedback/>",
        b"<feedback>",
        b"<a>" * 100,
        LAUGHS,
        OUTSIDE,
        b"<feedback><record/></feedback>",
        b'<?xml version="1.0" encoding="x-strange"?><feedback/>',
    ],
)
def test_what_is_none(octets: bytes) -> None:
    with pytest.raises(BadReport):
        read_report(octets)


def zipped(octets: bytes, files: int = 1) -> bytes:
    room = io.BytesIO()
    with zipfile.ZipFile(room, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(files):
            archive.writestr(f"{number}.xml", octets)
    return room.getvalue()


def test_bombs_are_not_inflated() -> None:
    much = b" " * (200 * LEAST)
    for bomb in (gzip.compress(much), zipped(much)):
        with pytest.raises(BadReport, match="inflates to more than"):
            read_report(bomb)
    with pytest.raises(BadReport, match="3 files"):
        read_report(zipped(b"<feedback/>", files=3))
    assert read_report(zipped(write_xml(REPORT, ""))) == REPORT


def test_rows_and_values_are_bounded() -> None:
    head, tail = write_xml(REPORT, "").split(b"<record>")
    record = b"<record>" + tail.removesuffix(b"</feedback>\n")
    with pytest.raises(BadReport, match="records"):
        read_xml(head + record * (MAX_ROWS + 1) + b"</feedback>")
    long = read_xml(head.replace(b"ours.test", b"x" * 100_000) + record + b"</feedback>")
    assert len(long.organization) == 400


@given(st.binary(max_size=300))
def test_nothing_else_raises(tail: bytes) -> None:
    for octets in (tail, b"PK\x03\x04" + tail, b"\x1f\x8b" + tail, b"<feedback>" + tail):
        with pytest.raises(BadReport):
            read_report(octets)
