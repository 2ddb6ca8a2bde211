"""Aggregate reports in the shapes in which large receivers and common programs write them.

tests/fixtures/reports has the same two records as each of them would write it.
"""

import gzip
import io
import zipfile
from pathlib import Path
from typing import Final

import pytest

from postroad.mailauth.dmarc.report.read import read_report, read_xml
from postroad.mailauth.dmarc.report.values import Report
from postroad.mailauth.inflate import BadReport

SHAPES: Final = Path(__file__).parents[3] / "fixtures" / "reports"
GOOGLE: Final = (SHAPES / "google.xml").read_bytes()


def gist(report: Report) -> object:
    """What has to be the same, whoever wrote it."""
    return (
        (report.begin, report.published.domain, report.published.p),
        [
            (row.source, count, row.disposition, row.dkim, row.spf, row.header_from)
            for row, count in report.rows
        ],
        [[(one.domain, one.result) for one in row.senders] for row, _ in report.rows],
        [(one.domain, one.result, one.selector) for one in report.rows[0][0].signatures],
    )


EXPECTED: Final = (
    (1795737600, "ours.test", "reject"),
    [
        ("192.0.2.7", 3, "none", "pass", "fail", "ours.test"),
        ("2001:db8::7", 2, "reject", "fail", "fail", "ours.test"),
    ],
    [[("lists.test", "pass")], [("spam.test", "softfail")]],
    [("ours.test", "pass", "s1")],
)


@pytest.mark.parametrize("name", ["google", "microsoft", "yahoo", "fastmail", "rspamd", "opendmarc"])
def test_all_say_the_same(name: str) -> None:
    assert gist(read_xml((SHAPES / f"{name}.xml").read_bytes())) == EXPECTED


def zipped(files: dict[str, bytes]) -> bytes:
    room = io.BytesIO()
    with zipfile.ZipFile(room, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, octets in files.items():
            archive.writestr(name, octets)
    return room.getvalue()


HALF: Final = len(GOOGLE) // 2
RENAMED: Final = GOOGLE.replace(b'encoding="UTF-8"', b'encoding="utf-16"')


@pytest.mark.parametrize(
    "octets",
    [
        b"\r\n\r\n" + GOOGLE,
        b"\xef\xbb\xbf" + GOOGLE,
        b"\xef\xbb\xbf\n" + GOOGLE,
        GOOGLE.removeprefix(b'<?xml version="1.0" encoding="UTF-8" ?>'),
        GOOGLE.replace(b"\n", b"\r\n"),
        RENAMED,
        RENAMED.decode().encode("utf-16"),
        RENAMED.decode().encode("utf-16-be"),
        GOOGLE.replace(b"UTF-8", b"windows-1252").replace(b"google.com<", b"gr\xfc\xdfe.test<"),
        GOOGLE.replace(b"google.com<", b"gr\xfc\xdfe.test<"),
        GOOGLE.replace(b"<feedback>", b'<d:feedback xmlns:d="urn:ietf:params:xml:ns:dmarc-2.0">').replace(
            b"</feedback>", b"</d:feedback>"
        ),
        GOOGLE.replace(b"</report_metadata>", b"<news><more>x</more></news></report_metadata>"),
        GOOGLE.replace(b"<policy_published>", b"<extension><a/></extension><policy_published>"),
        gzip.compress(GOOGLE),
        gzip.compress(GOOGLE[:HALF]) + gzip.compress(GOOGLE[HALF:]),
        gzip.compress(GOOGLE) + bytes(512),
        zipped({"google.com!ours.test!1795737600!1795823999.xml": GOOGLE}),
        zipped({"out/": b"", "out/report.xml": GOOGLE, "__MACOSX/out/._report.xml": b"\0\5\x16\7"}),
    ],
    ids=[
        *("space in front", "a mark in front", "both", "no declaration", "CR LF", "not UTF-16", "UTF-16"),
        *("UTF-16 without a mark", "windows-1252", "not UTF-8", "namespace", "more fields", "an extension"),
        *("gzip", "two members", "padded", "zip", "zipped by a Mac"),
    ],
)
def test_however_it_is_packed(octets: bytes) -> None:
    assert gist(read_report(octets)) == EXPECTED


def test_a_record_that_is_incomplete_takes_none_of_the_others_along() -> None:
    without_address = GOOGLE.replace(b"<source_ip>192.0.2.7</source_ip>", b"<source_ip></source_ip>")
    assert [row.source for row, _ in read_report(without_address).rows] == ["", "2001:db8::7"]
    for count in (b"", b"-1", b"many", b"nan", b"1e999"):
        without_count = GOOGLE.replace(b"<count>3</count>", b"<count>" + count + b"</count>")
        (row, count_of_it), *others = read_report(without_count).rows
        assert (row.source, count_of_it, others) == ("2001:db8::7", 2, [])
        assert [one.domain for one in row.senders] == ["spam.test"], "and nothing of its is another's"


@pytest.mark.parametrize(
    "octets",
    [
        GOOGLE.replace(b"<domain>ours.test</domain>\n    <adkim>", b"<adkim>"),
        GOOGLE.replace(b"<begin>1795737600</begin>", b""),
        GOOGLE.replace(b"<begin>1795737600", b"<begin>yesterday"),
        GOOGLE.replace(b"<begin>1795737600", b"<begin>1795999999"),
        GOOGLE.replace(b"<feedback>", b"<!DOCTYPE feedback><feedback>"),
        GOOGLE[:-20],
        gzip.compress(GOOGLE)[:-20],
        gzip.compress(GOOGLE) * 30,
        zipped({"a.xml": GOOGLE})[:-40],
        zipped({"a.xml": GOOGLE, "b.xml": GOOGLE}),
    ],
    ids=[
        *("no domain", "no beginning", "a word for it", "ends before it begins", "document type"),
        *("cut off", "gzip cut off", "thirty members", "zip cut off", "two files"),
    ],
)
def test_what_cannot_be_understood_is_refused(octets: bytes) -> None:
    with pytest.raises(BadReport):
        read_report(octets)
