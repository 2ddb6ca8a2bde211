"""Writing an aggregate report as XML (RFC 9990 §3.1, Appendix A)."""

from collections.abc import Iterator
from xml.sax.saxutils import escape

from postroad.mailauth.dmarc.report.values import Published, Report, Row
from postroad.mailauth.inflate import gzip

_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<feedback xmlns="urn:ietf:params:xml:ns:dmarc-2.0">\n'


def write_report(report: Report, generator: str) -> bytes:
    """The report as it is sent: XML, compressed with gzip."""
    return gzip(write_xml(report, generator))


def write_xml(report: Report, generator: str) -> bytes:
    """The report as XML; the elements stand in the order of the schema."""
    lines = [
        _element("version", "1.0"),
        "<report_metadata>",
        _element("org_name", report.organization),
        _element("email", report.email),
        _element("report_id", report.report_id),
        f"<date_range>{_element('begin', report.begin)}{_element('end', report.end)}</date_range>",
        _element("generator", generator),
        "</report_metadata>",
        "<policy_published>",
        *_published(report.published),
        "</policy_published>",
    ]
    for row, count in report.rows:
        lines += _record(row, count)
    return (_HEAD + "\n".join(lines) + "\n</feedback>\n").encode()


def _published(published: Published) -> Iterator[str]:
    yield _element("domain", published.domain)
    yield _element("discovery_method", "treewalk")
    values = {
        "p": published.p,
        "sp": published.sp,
        "np": published.np,
        "fo": published.fo,
        "adkim": published.adkim,
        "aspf": published.aspf,
        "testing": published.testing,
    }
    for name, value in values.items():
        if value:
            yield _element(name, value)


def _record(row: Row, count: int) -> Iterator[str]:
    yield "<record><row>"
    yield _element("source_ip", row.source) + _element("count", count)
    yield "<policy_evaluated>"
    yield _element("disposition", row.disposition) + _element("dkim", row.dkim) + _element("spf", row.spf)
    for reason in row.reasons:
        comment = _element("comment", reason.comment) if reason.comment else ""
        yield f"<reason>{_element('type', reason.type)}{comment}</reason>"
    yield "</policy_evaluated></row><identifiers>"
    yield _element("header_from", row.header_from) + _element("envelope_from", row.envelope_from)
    yield "</identifiers><auth_results>"
    for one in row.signatures:
        words = _element("domain", one.domain) + _element("selector", one.selector)
        yield f"<dkim>{words}{_element('result', one.result)}</dkim>"
    for one in row.senders:
        words = _element("domain", one.domain) + _element("scope", "mfrom")
        yield f"<spf>{words}{_element('result', one.result)}</spf>"
    yield "</auth_results></record>"


def _element(name: str, value: str | int) -> str:
    text = "".join(character if character.isprintable() else "?" for character in str(value))
    return f"<{name}>{escape(text)}</{name}>"
