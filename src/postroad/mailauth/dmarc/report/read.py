"""Reading the aggregate reports of others (RFC 9990; RFC 7489 Appendix C), which anybody can have written.

The XML goes by element after element and is never a tree. There are no
entities, because a document type is refused; depth, elements and text are
bounded, and so is what an archive inflates to.
"""

import io
import zipfile
from ipaddress import ip_address
from typing import Final
from xml.parsers import expat

from postroad.mailauth.dmarc.report.values import Checked, Passed, Published, Reason, Report, Row
from postroad.mailauth.inflate import BadReport, gunzip, most_of

MAX_ROWS: Final = 20_000
MAX_DEPTH: Final = 20
MAX_ELEMENTS: Final = 1_000_000
MAX_TEXT: Final = 400
"""Characters of one value."""
MAX_CHECKS: Final = 20
"""Results of one row, by method."""
MAX_COUNT: Final = 2**53

_GZIP: Final = b"\x1f\x8b"
_ZIP: Final = b"PK\x03\x04"


def read_report(octets: bytes) -> Report:
    """Read a report, whatever it is packed in: gzip, a zip archive with one file, or nothing.

    Raises:
        BadReport
    """
    if octets.startswith(_GZIP):
        return read_xml(gunzip(octets))
    if octets.startswith(_ZIP):
        return read_xml(_unzipped(octets))
    if len(octets) > most_of(len(octets)):
        raise BadReport("it is too large")
    return read_xml(octets)


def read_xml(octets: bytes) -> Report:
    """Read a report from its XML.

    Raises:
        BadReport
    """
    reader = _Reader()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.StartDoctypeDeclHandler = reader.doctype
    try:
        parser.Parse(octets, True)
    except (expat.ExpatError, LookupError, ValueError) as error:
        raise BadReport(f"it is no XML: {error}") from None
    return reader.report()


def _unzipped(octets: bytes) -> bytes:
    most = most_of(len(octets))
    try:
        with zipfile.ZipFile(io.BytesIO(octets)) as archive:
            names = archive.infolist()
            if len(names) != 1:
                raise BadReport(f"the archive has {len(names)} files")
            with archive.open(names[0]) as file:
                plain = file.read(most + 1)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError, OSError, EOFError) as error:
        raise BadReport(f"the archive cannot be read: {error}") from None
    except Exception as error:  # zlib.error and its like of other methods
        if isinstance(error, BadReport):
            raise
        raise BadReport(f"the archive is damaged: {error}") from None
    if len(plain) > most:
        raise BadReport(f"it inflates to more than {most} octets")
    return plain


class _Reader:
    """Takes what the parser finds."""

    def __init__(self) -> None:
        self._path: list[str] = []
        self._text: list[str] = []
        self._length = 0
        self._elements = 0
        self._values: dict[str, str] = {}
        """Of the report but for its records: the first value of each path."""
        self._record: dict[str, str] = {}
        self._group: dict[str, str] = {}
        self._reasons: list[Reason] = []
        self._signatures: list[Checked] = []
        self._senders: list[Checked] = []
        self._rows: list[tuple[Row, int]] = []

    def doctype(self, *_: object) -> None:
        raise BadReport("it has a document type, which no report needs")

    def start(self, name: str, _: object) -> None:
        self._elements += 1
        self._path.append(name.rpartition(" ")[2])
        if len(self._path) > MAX_DEPTH or self._elements > MAX_ELEMENTS:
            raise BadReport("it is too deep, or has too many elements")
        self._text.clear()
        self._length = 0

    def text(self, text: str) -> None:
        if self._length < MAX_TEXT:
            self._text.append(text[: MAX_TEXT - self._length])
            self._length += len(text)

    def end(self, _: str) -> None:
        path = "/".join(self._path[1:])
        value = "".join(self._text).strip()
        self._text.clear()
        self._path.pop()
        if not path.startswith("record"):
            self._values.setdefault(path, value)
            return
        match path:
            case "record":
                self._finish_row()
            case "record/row/policy_evaluated/reason":
                self._add(self._reasons, Reason(self._group.get("type", ""), self._group.get("comment", "")))
            case "record/auth_results/dkim":
                self._add(self._signatures, self._checked())
            case "record/auth_results/spf":
                self._add(self._senders, self._checked())
            case _ if path.startswith(("record/row/policy_evaluated/reason/", "record/auth_results/")):
                self._group.setdefault(path.rpartition("/")[2], value)
            case _:
                self._record.setdefault(path.removeprefix("record/"), value)

    def _add(self, found: list[Reason] | list[Checked], one: Reason | Checked) -> None:
        if len(found) < MAX_CHECKS:
            found.append(one)  # type: ignore[arg-type]
        self._group = {}

    def _checked(self) -> Checked:
        group = self._group
        return Checked(group.get("domain", ""), group.get("result", ""), group.get("selector", ""))

    def _finish_row(self) -> None:
        record, self._record = self._record, {}
        if len(self._rows) >= MAX_ROWS:
            raise BadReport(f"it has more than {MAX_ROWS} records")
        try:
            source = str(ip_address(record.get("row/source_ip", "")))
            count = int(record.get("row/count", ""))
        except ValueError:
            raise BadReport("a record has no address or no count") from None
        if not 0 <= count <= MAX_COUNT:
            raise BadReport("a count in it is none")
        row = Row(
            source,
            record.get("row/policy_evaluated/disposition", ""),
            _passed(record.get("row/policy_evaluated/dkim", "")),
            _passed(record.get("row/policy_evaluated/spf", "")),
            record.get("identifiers/header_from", ""),
            record.get("identifiers/envelope_from", ""),
            tuple(self._reasons),
            tuple(self._signatures),
            tuple(self._senders),
        )
        self._reasons, self._signatures, self._senders = [], [], []
        self._rows.append((row, count))

    def report(self) -> Report:
        """What all of it says.

        Raises:
            BadReport: something is missing.
        """
        values = self._values
        domain = values.get("policy_published/domain", "").lower().rstrip(".")
        if not domain:
            raise BadReport("it is about no domain")
        try:
            begin = int(values.get("report_metadata/date_range/begin", ""))
            end = int(values.get("report_metadata/date_range/end", ""))
        except ValueError:
            raise BadReport("it says nothing of its time") from None
        if not 0 <= begin <= end <= MAX_COUNT:
            raise BadReport("its time is none")
        return Report(
            values.get("report_metadata/org_name", ""),
            values.get("report_metadata/email", ""),
            values.get("report_metadata/report_id", ""),
            begin,
            end,
            Published(
                domain,
                values.get("policy_published/p", ""),
                values.get("policy_published/sp", ""),
                values.get("policy_published/np", ""),
                values.get("policy_published/adkim", "r"),
                values.get("policy_published/aspf", "r"),
                values.get("policy_published/testing", "n"),
                values.get("policy_published/fo", "0"),
            ),
            tuple(self._rows),
        )


def _passed(text: str) -> Passed:
    return "pass" if text.lower() == "pass" else "fail"
