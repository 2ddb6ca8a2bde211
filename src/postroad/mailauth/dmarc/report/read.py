"""Reading the aggregate reports of others (RFC 9990; RFC 7489 Appendix C), which anybody can have written.

The XML goes by element after element and is never a tree. There are no
entities, because a document type is refused; depth, elements and text are
bounded, and so is what an archive inflates to.
"""

import codecs
import io
import math
import re
import zipfile
from ipaddress import ip_address
from typing import Final
from xml.parsers import expat

from postroad.mailauth.dmarc.report.values import Checked, Passed, Published, Reason, Report, Row
from postroad.mailauth.inflate import MAGIC, BadReport, gunzip, most_of

MAX_ROWS: Final = 20_000
MAX_DEPTH: Final = 20
MAX_ELEMENTS: Final = 1_000_000
MAX_TEXT: Final = 400
"""Characters of one value."""
MAX_CHECKS: Final = 20
"""Results of one row, by method."""
MAX_COUNT: Final = 2**53

_ZIP: Final = b"PK\x03\x04"
_SPACE: Final = b" \t\r\n"
_SAYS: Final = re.compile(rb"""<\?xml[^>]{1,80}encoding\s*=\s*["']([^"']{1,40})""", re.IGNORECASE)


def read_report(octets: bytes) -> Report:
    """Read a report, whatever it is packed in: gzip, a zip archive with one file, or nothing.

    Raises:
        BadReport
    """
    if octets.startswith(MAGIC):
        return read_xml(gunzip(octets))
    if octets.startswith(_ZIP):
        return read_xml(_unzipped(octets))
    if len(octets) > most_of(len(octets)):
        raise BadReport("it is too large")
    return read_xml(octets)


def read_xml(octets: bytes) -> Report:
    """Read a report from its XML.

    Space in front of it is passed over, and so is the claim of 8-bit text to be
    UTF-16, which comes from programs that write a string of theirs as UTF-8. Octets that
    are no UTF-8, such as a name in Latin-1, do not make the rest of it unreadable.

    Raises:
        BadReport
    """
    octets = octets.removeprefix(codecs.BOM_UTF8).lstrip(_SPACE)
    try:
        return _parsed(octets)
    except BadReport:
        repaired = _with_replacements(octets)
        if repaired is None:
            raise
        return _parsed(repaired)


def _parsed(octets: bytes) -> Report:
    reader = _Reader()
    encoding = "utf-8" if _said_encoding(octets).startswith((b"utf-16", b"utf16")) else None
    parser = expat.ParserCreate(encoding, namespace_separator=" ")
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


def _said_encoding(octets: bytes) -> bytes:
    """What the XML says of its encoding, in lower case; empty where it says nothing."""
    says = _SAYS.match(octets)
    return says[1].lower() if says is not None else b""


def _with_replacements(octets: bytes) -> bytes | None:
    """The same with what is no UTF-8 replaced; None where all of it is, or is to be something else."""
    if _said_encoding(octets) not in (b"", b"utf-8", b"utf8"):
        return None
    try:
        octets.decode()
    except UnicodeDecodeError:
        return octets.decode(errors="replace").encode()
    return None


def _unzipped(octets: bytes) -> bytes:
    most = most_of(len(octets))
    try:
        with zipfile.ZipFile(io.BytesIO(octets)) as archive:
            # A Mac puts in folders, and __MACOSX/ with what it knows of each file.
            names = [
                one for one in archive.infolist() if not one.is_dir() and "__MACOSX/" not in one.filename
            ]
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
        return Checked(group.get("domain", ""), group.get("result", "").lower(), group.get("selector", ""))

    def _finish_row(self) -> None:
        record, self._record = self._record, {}
        if len(self._rows) >= MAX_ROWS:
            raise BadReport(f"it has more than {MAX_ROWS} records")
        reasons, signatures, senders = self._reasons, self._signatures, self._senders
        self._reasons, self._signatures, self._senders = [], [], []
        try:
            count = _number(record.get("row/count", ""))
        except ValueError:
            return  # of how many messages it speaks nobody knows; the others are as good as they were
        row = Row(
            _address(record.get("row/source_ip", "")),
            record.get("row/policy_evaluated/disposition", "").lower(),
            _passed(record.get("row/policy_evaluated/dkim", "")),
            _passed(record.get("row/policy_evaluated/spf", "")),
            record.get("identifiers/header_from", ""),
            record.get("identifiers/envelope_from", ""),
            tuple(reasons),
            tuple(signatures),
            tuple(senders),
        )
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
            begin = _number(values.get("report_metadata/date_range/begin", ""))
            end = _number(values.get("report_metadata/date_range/end", ""))
        except ValueError:
            raise BadReport("it says nothing of its time") from None
        if begin > end:
            raise BadReport("its time is none")
        return Report(
            values.get("report_metadata/org_name", ""),
            values.get("report_metadata/email", ""),
            values.get("report_metadata/report_id", ""),
            begin,
            end,
            Published(
                domain,
                values.get("policy_published/p", "").lower(),
                values.get("policy_published/sp", "").lower(),
                values.get("policy_published/np", "").lower(),
                values.get("policy_published/adkim", "r"),
                values.get("policy_published/aspf", "r"),
                values.get("policy_published/testing", "n"),
                values.get("policy_published/fo", "0"),
            ),
            tuple(self._rows),
        )


def _number(text: str) -> int:
    """A number, also one with a fraction, as some write seconds.

    Raises:
        ValueError: it is none, or none that fits.
    """
    number = float(text)
    if not math.isfinite(number) or not 0 <= number <= MAX_COUNT:
        raise ValueError(text)
    return int(number)


def _address(text: str) -> str:
    try:
        return str(ip_address(text))
    except ValueError:
        return ""


def _passed(text: str) -> Passed:
    return "pass" if text.lower() == "pass" else "fail"
