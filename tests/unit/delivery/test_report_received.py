"""Where reports are in the mail that brings them."""

import base64

import pytest

from postroad.delivery.dmarc_received import is_dmarc_report
from postroad.delivery.report_received import attached_report
from postroad.delivery.tls_received import is_tls_report
from postroad.mailauth.inflate import BadReport

TYPES = frozenset({"application/gzip"})
ENDINGS = (".xml", ".gz")


def part(kind: bytes, octets: bytes, name: bytes = b"") -> bytes:
    disposition = b'Content-Disposition: attachment; filename="%b"\r\n' % name if name else b""
    head = b"Content-Type: %b\r\n%bContent-Transfer-Encoding: base64\r\n\r\n" % (kind, disposition)
    return head + base64.b64encode(octets) + b"\r\n"


def multipart(*parts: bytes) -> bytes:
    boundary = b"=%d" % len(parts)
    inner = b"".join(b"--%b\r\n%b" % (boundary, one) for one in parts)
    return b'Content-Type: multipart/mixed; boundary="%b"\r\n\r\n%b--%b--\r\n' % (boundary, inner, boundary)


def good(octets: bytes) -> bytes:
    if not octets.startswith(b"good"):
        raise BadReport(octets.decode())
    return octets


@pytest.mark.parametrize(
    "message",
    [
        part(b"application/gzip", b"good"),
        part(b"Application/GZIP; name=x", b"good"),
        multipart(part(b"text/plain", b"good day"), part(b"application/gzip", b"good")),
        multipart(part(b"text/plain", b"good day"), part(b"text/plain", b"good", b"Report.XML")),
        multipart(multipart(part(b"text/html", b"x")), part(b"image/png", b"good", b"a!b!1!2.xml.gz")),
        multipart(part(b"application/gzip", b"a logo"), part(b"application/gzip", b"good")),
    ],
    ids=["alone", "spelt otherwise", "behind a text", "by its name", "image", "behind something else"],
)
def test_it_is_found(message: bytes) -> None:
    assert attached_report(message, TYPES, ENDINGS, good) == b"good"


def test_there_is_none() -> None:
    message = multipart(part(b"text/plain", b"good", b"good.txt"), part(b"image/png", b"good"))
    assert attached_report(message, TYPES, ENDINGS, good) is None


def test_the_first_trouble_is_told() -> None:
    message = multipart(part(b"application/gzip", b"first"), part(b"application/gzip", b"second"))
    with pytest.raises(BadReport, match="first"):
        attached_report(message, TYPES, ENDINGS, good)


def test_not_everything_is_tried() -> None:
    many = [part(b"application/gzip", b"bad")] * 50 + [part(b"application/gzip", b"good")]
    with pytest.raises(BadReport):
        attached_report(multipart(*many), TYPES, ENDINGS, good)


@pytest.mark.parametrize(
    "subject",
    [
        b"Report Domain: ours.test Submitter: google.com Report-ID: 1",
        b"Report domain: ours.test Submitter: x.test Report-ID: <1@x.test>",
        b"[Preview] Report Domain: ours.test Submitter: enterprise.protection.outlook.com Report-ID: 1",
        b"Report\r\n Domain: ours.test",
        b"=?utf-8?q?Report_Domain=3A_ours=2Etest?=",
        b"=?UTF-8?B?" + base64.b64encode(b"Report Domain: ours.test Submitter: x.test") + b"?=",
    ],
)
def test_a_subject_that_says_so(subject: bytes) -> None:
    assert is_dmarc_report(b"From: a@b.test\r\nSubject: " + subject + b"\r\n\r\n")


@pytest.mark.parametrize(
    "header", [b"", b"Subject: domain: x\r\n", b"X: Report Domain: x\r\nSubject: =?\r\n"]
)
def test_other_mail(header: bytes) -> None:
    assert not is_dmarc_report(header + b"\r\n")


def test_mail_with_a_tls_report() -> None:
    for field in (b"TLS-Report-Domain: x.test", b"tls-report-domain: x.test", b"X: report-type=TLSRPT"):
        assert is_tls_report(field + b"\r\n\r\n")
    assert not is_tls_report(b"Subject: hello\r\n\r\n")
