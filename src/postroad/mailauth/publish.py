"""What the DNS of a domain should say so that its mail arrives and is believed."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from hashlib import sha256
from typing import Final

STRING: Final = 255
"""Octets of one string of a TXT record (RFC 1035 §3.3.14)."""


class Need(Enum):
    """How much a domain needs a record."""

    REQUIRED = "required"
    RECOMMENDED = "recommended"
    OPTIONAL = "optional"


@dataclass(frozen=True, slots=True)
class Record:
    """One record, as an operator types it into a form or a zone file."""

    purpose: str
    """What it is for, in a word: MX, SPF, DKIM …"""
    name: str
    """Absolute, as A-labels, without the trailing dot."""
    kind: str
    """MX, TXT, SRV or TLSA."""
    value: str
    """As in a zone file; the text of a TXT record stands without quotes, and whole."""
    need: Need
    why: str
    """What it does, in a sentence without its full stop."""

    @property
    def zone_line(self) -> str:
        """The line of a zone file (RFC 1035 §5.1)."""
        value = quoted(self.value) if self.kind == "TXT" else self.value
        return f"{self.name}. IN {self.kind} {value}"


@dataclass(frozen=True, slots=True)
class Offered:
    """A service that clients look for, and where it is; port 0 says that it is not there (RFC 6186 §3.4)."""

    service: str
    port: int


def records(
    domain: str,
    hostname: str,
    *,
    keys: Sequence[tuple[str, str]],
    services: Sequence[Offered],
    certificate_key: bytes | None,
) -> list[Record]:
    """List what a domain should publish.

    `keys` are names and texts of DKIM key records; `certificate_key` is the
    SubjectPublicKeyInfo of a certificate that clients trust, None without one.
    """
    reports = f"mailto:postmaster@{domain}"
    found = [
        Record("MX", domain, "MX", f"10 {hostname}.", Need.REQUIRED, "brings mail for the domain here"),
        Record("SPF", domain, "TXT", "v=spf1 mx ~all", Need.REQUIRED, "lets this server send for the domain"),
    ]
    if hostname != domain:
        found.append(
            Record(
                "HELO",
                hostname,
                "TXT",
                "v=spf1 a -all",
                Need.RECOMMENDED,
                "SPF for the name of the server, which is asked for when a notice has no sender",
            )
        )
    found += [
        Record("DKIM", name, "TXT", text, Need.REQUIRED, "proves signatures; mail is signed once it shows")
        for name, text in keys
    ]
    found += [
        Record(
            "DMARC",
            f"_dmarc.{domain}",
            "TXT",
            f"v=DMARC1; p=none; rua={reports}",
            Need.REQUIRED,
            "says what others do with forgeries, and asks for reports; quarantine and reject come later",
        ),
        Record(
            "TLSRPT",
            f"_smtp._tls.{domain}",
            "TXT",
            f"v=TLSRPTv1; rua={reports}",
            Need.RECOMMENDED,
            "asks others to report when TLS to this server fails (RFC 8460)",
        ),
        Record(
            "MTA-STS",
            f"_mta-sts.{domain}",
            "TXT",
            f"v=STSv1; id={sts_id(sts_policy(hostname))}",
            Need.OPTIONAL,
            f"makes TLS a must; only with a web server that shows the policy at {sts_place(domain)}",
        ),
    ]
    if certificate_key is not None:
        found.append(
            Record(
                "DANE",
                f"_25._tcp.{hostname}",
                "TLSA",
                f"3 1 1 {sha256(certificate_key).hexdigest()}",
                Need.OPTIONAL,
                "makes TLS a must; only where DNSSEC signs the zone, and to be changed before the key is",
            )
        )
    found += [_srv(domain, hostname, one) for one in services]
    return found


def sts_place(domain: str) -> str:
    """Where others look for the MTA-STS policy (RFC 8461 §3.3)."""
    return f"https://mta-sts.{domain}/.well-known/mta-sts.txt"


def sts_policy(hostname: str) -> str:
    """The policy to show there (RFC 8461 §3.2); `testing` comes first."""
    return f"version: STSv1\r\nmode: testing\r\nmx: {hostname}\r\nmax_age: 604800\r\n"


def sts_id(policy: str) -> str:
    """The id of a policy: another one when the policy is another (RFC 8461 §3.1)."""
    return sha256(policy.encode()).hexdigest()[:20]


def quoted(text: str) -> str:
    """The text of a TXT record as strings of a zone file."""
    pieces = [text[at : at + STRING] for at in range(0, len(text), STRING)] or [""]
    return " ".join('"' + piece.replace("\\", "\\\\").replace('"', '\\"') + '"' for piece in pieces)


def _srv(domain: str, hostname: str, offered: Offered) -> Record:
    # RFC 8314 §5.1: implicit TLS first, so its priority is the lower number.
    priority = 0 if offered.service in ("submissions", "imaps", "pop3s") else 10
    value = f"{priority} 1 {offered.port} {hostname}." if offered.port else "0 0 0 ."
    why = "lets mail programs find the server" if offered.port else "says that this is not offered"
    return Record(
        "clients", f"_{offered.service}._tcp.{domain}", "SRV", value, Need.RECOMMENDED, f"{why} (RFC 6186)"
    )
