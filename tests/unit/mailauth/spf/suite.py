"""The openspf test suites as cases, and their DNS as a resolver."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import yaml

from postroad.dns.zone import ZoneResolver
from postroad.mailauth.spf.result import Verdict
from postroad.model.address import Address

VECTORS: Final = Path(__file__).parents[3] / "vectors" / "spf"


class Case:
    """One test of a suite."""

    def __init__(self, name: str, test: dict[str, Any], zone: dict[str, list[Any]]) -> None:
        self.name = name
        self.helo: str = test["helo"]
        self.host: str = test["host"]
        self.mail_from: str = test["mailfrom"]
        result = test["result"]
        self.verdicts: list[Verdict] = result if isinstance(result, list) else [result]
        self.explanation: str | None = test.get("explanation")
        self._zone = zone

    @property
    def sender(self) -> tuple[str, str] | None:
        """Local part and domain as they stand; None for the null sender."""
        local, at, domain = self.mail_from.rpartition("@")
        return (local, domain) if at else (("", self.mail_from) if self.mail_from else None)

    def resolver(self) -> ZoneResolver:
        """A resolver that knows what the case says is in the DNS."""
        zone = ZoneResolver()
        for name, records in self._zone.items():
            _add(zone, name.lower(), records)
        return zone


def cases(file: str) -> Iterator[Case]:
    """All tests of a suite."""
    with (VECTORS / file).open(encoding="utf-8") as text:
        for scenario in yaml.safe_load_all(text):
            for name, test in scenario["tests"].items():
                yield Case(name, test, scenario["zonedata"])


def address(local: str, domain: str) -> Address:
    """An address as the suites mean it, with parts that our parser would refuse."""
    return Address(local, domain, not local.isascii())


def _add(zone: ZoneResolver, name: str, records: list[Any]) -> None:
    # A record of type SPF stands for a TXT record, unless there is one of that type too.
    has_text = any(isinstance(record, dict) and "TXT" in record for record in records)
    answered: set[str] = set()
    for record in records:
        if record == "TIMEOUT":
            kinds = {"A", "AAAA", "MX", "PTR", "TXT"} - answered
            zone.broken_kinds |= {(kind, name) for kind in kinds}
            continue
        ((kind, value),) = record.items()
        if kind == "SPF":
            kind = "TXT" if not has_text else ""
        if value == "TIMEOUT":
            zone.broken_kinds.add((kind, name))
        elif kind and value != "NONE":
            answered.add(kind)
            _add_one(zone, name, kind, value)


def _add_one(zone: ZoneResolver, name: str, kind: str, value: Any) -> None:
    match kind:
        case "A" | "AAAA":
            zone.add_address(name, value)
        case "MX":
            zone.add_mx(name, value[1].lower(), value[0])
        case "TXT":
            strings = [value] if isinstance(value, str) else value
            zone.add_txt(name, "".join(strings).encode("utf-8"))
        case "PTR":
            zone.add_pointer(_address_of(name), value.lower())
        case "CNAME":
            zone.add_alias(name, value.lower())


def _address_of(name: str) -> str:
    labels = name.split(".")[::-1]
    if labels[1] == "in-addr":
        return ".".join(labels[2:])
    digits = "".join(labels[2:])
    return ":".join(digits[at : at + 4] for at in range(0, 32, 4))
