"""An aggregate report as values (RFC 9990 §3.1)."""

from typing import Literal, TypeAlias

from msgspec import Struct

Passed: TypeAlias = Literal["pass", "fail"]


class Checked(Struct, frozen=True):
    """The result of a check, apart from DMARC."""

    domain: str
    result: str
    selector: str = ""
    """Of a DKIM key."""


class Reason(Struct, frozen=True):
    """Why a policy was not carried out."""

    type: str
    comment: str = ""


class Row(Struct, frozen=True):
    """Messages from one address that fared alike."""

    source: str
    """IP address; empty where the report names none."""
    disposition: str
    """none, pass, quarantine or reject."""
    dkim: Passed
    """Whether an aligned signature holds."""
    spf: Passed
    header_from: str
    envelope_from: str = ""
    reasons: tuple[Reason, ...] = ()
    signatures: tuple[Checked, ...] = ()
    senders: tuple[Checked, ...] = ()
    """SPF results."""

    @property
    def passed(self) -> bool:
        """Whether DMARC passed."""
        return "pass" in (self.dkim, self.spf)


class Published(Struct, frozen=True):
    """The policy that was found."""

    domain: str
    """Where."""
    p: str = "none"
    sp: str = ""
    np: str = ""
    adkim: str = "r"
    aspf: str = "r"
    testing: str = "n"
    fo: str = "0"


class Report(Struct, frozen=True):
    """A whole report."""

    organization: str
    email: str
    report_id: str
    begin: int
    """Seconds since the epoch."""
    end: int
    published: Published
    rows: tuple[tuple[Row, int], ...]
    """Each with its number of messages."""
