"""Mail addresses: the one parser of the whole program (RFC 5321 §4.1.2, RFC 6531 §3.3).

What is routed, printed, signed and judged is the value made here, so there is
one spelling of each address: quotes and escapes are undone, a source route is
dropped, a domain is its lower-case A-label form, a local part is in NFC. The
parser takes no part of an address for anything but what the grammar says it
is: `%`, `!` and a quoted `@` are letters of a local part, never a route.
"""

import re
import unicodedata
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address
from typing import Final

import idna
from msgspec import Struct

_REMEMBERED: Final = 4096
"""Addresses of late whose parsing is not done again: one message names each of its own ten times."""

MAX_LOCAL: Final = 64
"""Octets of a local part as written on the wire (RFC 5321 §4.5.3.1.1)."""
MAX_DOMAIN: Final = 253
"""Octets of a domain: RFC 5321 §4.5.3.1.2 says 255, the DNS has room for 253 of text."""
MAX_PATH: Final = 256
"""Octets of a path with its brackets (RFC 5321 §4.5.3.1.3)."""
MAX_MAILBOX: Final = MAX_PATH - 2

# Sets say which ASCII is not in them, for all else is: one that reaches to U+10FFFF takes 5 ms to compile.
_ATEXT = r"[^\x00-\x20\"(),.:;<>@\[\\\]\x7f]"
_DOT_STRING: Final = re.compile(rf"{_ATEXT}+(?:\.{_ATEXT}+)*")
# qtextSMTP and quoted-pairSMTP; RFC 6531 §3.3 adds the rest of Unicode to the former.
_QUOTED: Final = re.compile(r'"(?:[^\x00-\x1f"\\\x7f]|\\[ -~])*"')
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_NAME: Final = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_PATH: Final = re.compile(
    rb"<(?:(?P<route>@[^\"<>@,:\\]+(?:,@[^\"<>@,:\\]+)*):)?"
    rb"(?P<mailbox>(?:\"(?:[^\"\\]|\\.)*\"|[^\"<>])*)>",
    re.DOTALL,
)
# An encoded word is good grammar for a local part and means another address to whoever decodes it.
_ENCODED_WORD: Final = re.compile(r"=\?.*\?=")
_ESCAPED: Final = re.compile(r"\\(.)")
_NEEDS_ESCAPE: Final = re.compile(r'(["\\])')

# Categories that show nothing or reorder what is shown: no two addresses may look the same for want of ink.
_INVISIBLE: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp", "Zs"})
_JOINERS: Final = frozenset("\u200c\u200d")  # scripts of Persian and India need them (RFC 5892 §A.1)


class AddressError(ValueError):
    """This is not an address; the message says why and may be shown to anyone."""


class Address(Struct, frozen=True):
    """A mailbox name in its one spelling. Made by the parsers of this module."""

    local: str
    """Content of the local part, quotes undone, case as written."""
    domain: str
    """Lower-case A-labels, or `[192.0.2.1]`, `[IPv6:2001:db8::1]`; empty for bare `<postmaster>` alone."""
    utf8: bool
    """The local part needs SMTPUTF8 (RFC 6531); a domain never does."""

    def __str__(self) -> str:
        """The address as the wire has it, the local part quoted where it must be."""
        return _join(self.local, self.domain)

    @property
    def key(self) -> str:
        """What is compared and indexed: the same for every spelling and case."""
        return _key(self.local, self.domain)

    @property
    def unicode(self) -> str:
        """The address for people, with U-labels."""
        return _join(self.local, unicode_domain(self.domain))


POSTMASTER: Final = Address("postmaster", "", False)
"""RCPT TO:<postmaster>, the one recipient without a domain (RFC 5321 §4.1.1.3)."""


@lru_cache(maxsize=_REMEMBERED)
def _key(local: str, domain: str) -> str:
    return _join(unicodedata.normalize("NFC", unicodedata.normalize("NFD", local).casefold()), domain)


@lru_cache(maxsize=_REMEMBERED)
def parse_mailbox(text: str, *, smtputf8: bool = True) -> Address:
    """Return the address that `text` is: RFC 5321 Mailbox, nothing around it.

    Without `smtputf8` the text must be ASCII (RFC 6531 §3.4).
    """
    if len(text) > MAX_MAILBOX:
        raise AddressError("the address is too long")
    if not text.isascii():
        if not smtputf8:
            raise AddressError("an address beyond ASCII needs SMTPUTF8")
        # First of all: a few characters become ASCII ones, which the grammar then has to see.
        text = unicodedata.normalize("NFC", text)
    if text.startswith('"'):
        quoted = _QUOTED.match(text)
        if quoted is None:
            raise AddressError("the quoted local part is malformed")
        local, rest = _ESCAPED.sub(r"\1", quoted[0][1:-1]), text[quoted.end() :]
        if not rest.startswith("@"):
            raise AddressError("the quoted local part must be followed by @")
        domain = rest[1:]
    else:
        # The first @: an unquoted local part cannot hold one, and no domain can.
        local, at, domain = text.partition("@")
        if not at:
            raise AddressError("the address has no domain")
        if local and not _DOT_STRING.fullmatch(local):
            raise AddressError("the local part has characters that must be quoted")
    _check_local(local)
    domain = _literal(domain) if domain.startswith("[") else _name(domain)
    address = Address(local, domain, not local.isascii())
    if len(str(address).encode()) > MAX_MAILBOX:
        raise AddressError("the address is too long")
    return address


def parse_path(path: bytes, *, smtputf8: bool) -> tuple[Address | None, bytes]:
    """Split what follows `MAIL FROM:` or `RCPT TO:` into its address and the parameters behind it.

    The address is None for the null path `<>`. A source route is read and
    dropped (RFC 5321 §3.6.1, appendix C). `<postmaster>` gives `POSTMASTER`,
    which is legal for RCPT alone; that is for the caller to say.
    """
    end = path.find(b">") + 1
    if not 0 < end <= MAX_PATH or path.find(b'"', 0, end) >= 0:  # the bracket may be in quotes
        found = _PATH.match(path)
        if found is None:
            raise AddressError("the path must be an address in angle brackets")
        end = found.end()
    rest = path[end:]
    if rest and not rest.startswith(b" "):
        raise AddressError("a space must part the path from its parameters")
    if end > MAX_PATH:
        raise AddressError("the path is too long")
    return _in_brackets(path[:end], smtputf8), rest.strip(b" ")


def normal_domain(text: str) -> str:
    """Return the one spelling of a domain name: A-labels, lower case, no trailing dot.

    U-labels become A-labels by UTS #46, so `BÜCHER.example` and
    `xn--bcher-kva.example` are one.
    """
    return _name(text.removesuffix("."))


def unicode_domain(domain: str) -> str:
    """Return a normal domain with its U-labels, for people to read."""
    if "xn--" not in domain:
        return domain
    return ".".join(_ulabel(label) for label in domain.split("."))


@lru_cache(maxsize=_REMEMBERED)
def _in_brackets(path: bytes, smtputf8: bool) -> Address | None:
    """The address of a path without parameters; None for the null path."""
    found = _PATH.fullmatch(path)
    if found is None:
        raise AddressError("the path must be an address in angle brackets")
    route, octets = found.groups()
    if route is not None:
        for hop in route.split(b","):
            _name(_decode(hop[1:], smtputf8))
    mailbox = _decode(octets, smtputf8)
    if not mailbox and route is None:
        return None
    if mailbox.lower() == "postmaster" and route is None:
        return POSTMASTER
    return parse_mailbox(mailbox, smtputf8=smtputf8)


@lru_cache(maxsize=_REMEMBERED)
def _join(local: str, domain: str) -> str:
    if not _DOT_STRING.fullmatch(local):
        local = '"' + _NEEDS_ESCAPE.sub(r"\\\1", local) + '"'
    return f"{local}@{domain}" if domain else local


def _check_local(local: str) -> None:
    """Refuse what the grammar lets through and nobody should carry."""
    if not local:
        raise AddressError("the local part is empty")
    if _ENCODED_WORD.search(local):
        raise AddressError("the local part is an encoded word")
    if not local.isascii():
        if unicodedata.category(local[0]).startswith("M"):
            raise AddressError("the local part begins with a combining mark")
        if any(unicodedata.category(c) in _INVISIBLE and c not in _JOINERS for c in local if c > "\x7f"):
            raise AddressError("the local part has characters that cannot be seen")
    if len(_join(local, "").encode(errors="replace")) > MAX_LOCAL:
        raise AddressError("the local part is longer than 64 octets")


def _decode(octets: bytes, smtputf8: bool) -> str:
    if not smtputf8 and not octets.isascii():
        raise AddressError("an address beyond ASCII needs SMTPUTF8")
    try:
        return octets.decode()
    except UnicodeDecodeError:
        raise AddressError("the address is not UTF-8") from None


def _name(text: str) -> str:
    """Return a domain name as lower-case A-labels (RFC 5321 Domain, RFC 1123 §2.1)."""
    if not text:
        raise AddressError("the domain is empty")
    if len(text) > MAX_DOMAIN:
        raise AddressError("the domain is too long")
    if not text.isascii():
        text = _alabels(text)
    name = text.lower()
    if len(name) > MAX_DOMAIN:
        raise AddressError("the domain is too long")
    if not _NAME.fullmatch(name):
        raise AddressError("the domain is not a host name")
    if name[name.rfind(".") + 1 :].isdigit():
        raise AddressError("an address literal is written in square brackets")
    if "xn--" in name:
        for label in name.split("."):
            if label.startswith("xn--"):
                _check_alabel(label)
    return name


def _alabels(text: str) -> str:
    try:
        mapped = idna.uts46_remap(text, std3_rules=True)
        return ".".join(
            label if label.isascii() else idna.alabel(label).decode() for label in mapped.split(".")
        )
    except (idna.IDNAError, UnicodeError):
        raise AddressError("the domain is not a valid international name") from None


def _check_alabel(label: str) -> None:
    """Refuse an A-label that is not the one encoding of what it shows (RFC 5890 §2.3.2.1).

    IDNA 2008 would also refuse labels registered under older rules (signs,
    emoji). Their owners send mail, and as A-labels they are unambiguous.
    """
    try:
        shown = label[4:].encode().decode("punycode")
        again = shown.encode("punycode").decode()
        sound = not shown.isascii() and again == label[4:] and idna.uts46_remap(shown) == shown
    except (idna.IDNAError, UnicodeError):
        sound = False
    if not sound:
        raise AddressError("the domain has a false A-label")


def _ulabel(label: str) -> str:
    try:
        return idna.ulabel(label) if label.startswith("xn--") else label
    except idna.IDNAError:
        return label


def _literal(text: str) -> str:
    """Return an address literal in its one spelling (RFC 5321 §4.1.3, RFC 5952)."""
    inside = text[1:-1]
    if not text.endswith("]") or not text.isascii():
        raise AddressError("the address literal is malformed")
    try:
        if inside[:5].lower() != "ipv6:":
            return f"[{IPv4Address(inside)}]"
        # A zone ("%eth0") means something on one machine alone, so it is no address for mail.
        if "%" in inside:
            raise AddressError("the address literal is malformed")
        address = IPv6Address(inside[5:])
    except ValueError:
        raise AddressError("the address literal is malformed") from None
    # Python releases differ in how they print a mapped address; this spelling is stored.
    shown = f"::ffff:{address.ipv4_mapped}" if address.ipv4_mapped else address.compressed
    return f"[IPv6:{shown}]"
