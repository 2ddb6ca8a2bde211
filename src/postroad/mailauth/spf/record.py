"""The grammar of SPF records (RFC 7208 §4.6.1, §12): from text to terms, all of it or nothing."""

import re
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Final, Literal, TypeAlias

from msgspec import Struct

from postroad.mailauth.spf.macro import MacroError, MacroString, parse_domain_spec, parse_macros

Kind: TypeAlias = Literal["all", "include", "a", "mx", "ptr", "ip4", "ip6", "exists"]
Qualifier: TypeAlias = Literal["pass", "fail", "softfail", "neutral"]

_VERSION: Final = re.compile(rb"v=spf1(?: |\Z)", re.IGNORECASE)
_MODIFIER: Final = re.compile(r"([A-Za-z][A-Za-z0-9._-]*+)=(.*)")
_DIRECTIVE: Final = re.compile(r"([+?~-]?)([A-Za-z][A-Za-z0-9._-]*+)(.*)")
_DUAL_CIDR: Final = re.compile(r"(?:/(0|[1-9][0-9]{0,2}))?(?://(0|[1-9][0-9]{0,2}))?\Z")
_PREFIX: Final = re.compile(r"/(0|[1-9][0-9]{0,2})\Z")
_QUALIFIERS: Final[dict[str, Qualifier]] = {
    "": "pass",
    "+": "pass",
    "-": "fail",
    "~": "softfail",
    "?": "neutral",
}
_KINDS: Final[dict[str, Kind]] = {
    kind: kind for kind in ("all", "include", "a", "mx", "ptr", "ip4", "ip6", "exists")
}


class Directive(Struct, frozen=True):
    """One mechanism with its qualifier."""

    text: str
    """As it is written."""
    qualifier: Qualifier
    kind: Kind
    domain: MacroString | None = None
    """None: the current domain."""
    network: IPv4Network | IPv6Network | None = None
    prefix4: int = 32
    prefix6: int = 128


class Record(Struct, frozen=True):
    """A whole record."""

    text: str
    directives: tuple[Directive, ...]
    redirect: MacroString | None = None
    redirect_text: str = ""
    explanation: MacroString | None = None


class RecordError(ValueError):
    """The record breaks the grammar; the message names the term."""


def is_spf(text: bytes) -> bool:
    """Whether a TXT record is an SPF record (RFC 7208 §4.5)."""
    return _VERSION.match(text) is not None


def parse_record(octets: bytes) -> Record:
    """Read a record that `is_spf` knows.

    Raises:
        RecordError: a term anywhere in it breaks the grammar (RFC 7208 §4.6).
    """
    if not octets.isascii():
        raise RecordError("the record holds octets that are not ASCII")  # RFC 7208 §3.1
    text = octets.decode("ascii")
    directives: list[Directive] = []
    modifiers: dict[str, tuple[str, MacroString]] = {}
    for term in text.split(" ")[1:]:
        if not term:
            continue
        try:
            if match := _MODIFIER.fullmatch(term):
                _add_modifier(modifiers, match[1].lower(), match[2])
            else:
                directives.append(_directive(term))
        except ValueError as error:
            raise RecordError(f"{term[:60]!r}: {error}") from None
    redirect, explanation = modifiers.get("redirect"), modifiers.get("exp")
    return Record(
        text,
        tuple(directives),
        redirect[1] if redirect else None,
        f"redirect={redirect[0]}" if redirect else "",
        explanation[1] if explanation else None,
    )


def _add_modifier(modifiers: dict[str, tuple[str, MacroString]], name: str, value: str) -> None:
    if name not in ("redirect", "exp"):
        parse_macros(value)  # unknown ones are ignored, but have to be well formed (RFC 7208 §6)
        return
    if name in modifiers:
        raise MacroError("is there twice")
    modifiers[name] = (value, parse_domain_spec(value))


def _directive(term: str) -> Directive:
    match = _DIRECTIVE.fullmatch(term)
    if match is None or (kind := _KINDS.get(match[2].lower())) is None:
        raise MacroError("there is no such mechanism")
    qualifier, rest = _QUALIFIERS[match[1]], match[3]
    match kind:
        case "all":
            if rest:
                raise MacroError("takes no argument")
            return Directive(term, qualifier, kind)
        case "ip4" | "ip6":
            return Directive(term, qualifier, kind, network=_network(kind, rest))
        case "a" | "mx":
            cidr = _DUAL_CIDR.search(rest)
            assert cidr is not None, "it matches the empty text"
            domain = _domain(rest[: cidr.start()], required=False)
            prefix4, prefix6 = int(cidr[1] or 32), int(cidr[2] or 128)
            if prefix4 > 32 or prefix6 > 128:
                raise MacroError("a prefix is too long")
            return Directive(term, qualifier, kind, domain, None, prefix4, prefix6)
        case "ptr":
            return Directive(term, qualifier, kind, _domain(rest, required=False))
        case "include" | "exists":
            return Directive(term, qualifier, kind, _domain(rest, required=True))


def _domain(text: str, *, required: bool) -> MacroString | None:
    if not text and not required:
        return None
    if not text.startswith(":"):
        raise MacroError("needs a domain behind a colon")
    return parse_domain_spec(text[1:])


def _network(kind: Literal["ip4", "ip6"], text: str) -> IPv4Network | IPv6Network:
    if not text.startswith(":") or "%" in text:  # Python would read a zone index behind the %
        raise MacroError("needs an address behind a colon")
    address = text[1:]
    if (match := _PREFIX.search(address)) is not None:
        address = address[: match.start()]
    if "/" in address:
        raise MacroError("has a prefix that is no number")
    prefix = match[1] if match else ("32" if kind == "ip4" else "128")
    network = ip_network(f"{address}/{prefix}", strict=False)
    if network.version != (4 if kind == "ip4" else 6):
        raise MacroError("has an address of the other family")
    return network
