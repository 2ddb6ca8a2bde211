"""XCLIENT: a trusted proxy says whose dialogue this is (Postfix, XCLIENT_README)."""

from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address
from typing import Final

from postroad.smtp.wire.events import Xclient
from postroad.smtp.wire.params import decode_xtext, is_greeting_name
from postroad.smtp.wire.replies import Reply

ATTRIBUTES: Final = ("NAME", "ADDR", "PORT", "PROTO", "HELO", "LOGIN", "DESTADDR", "DESTPORT")

_NOTHING: Final = frozenset({"[UNAVAILABLE]", "[TEMPUNAVAIL]"})
"""The proxy does not know, for good or for now."""
_MALFORMED: Final = Reply(501, "5.5.4", "an attribute is malformed")
_LONGEST: Final = 255


def parse_xclient(argument: bytes) -> Xclient | Reply:
    """Read what follows `XCLIENT`."""
    told: dict[str, str] = {}
    for word in argument.split():
        name, mark, value = word.partition(b"=")
        key = name.decode("latin-1").upper()
        text = _text(value)
        if not mark or key not in ATTRIBUTES or key in told or text is None:
            return _MALFORMED
        told[key] = "" if text.upper() in _NOTHING else text
    if not told or not all(_VALID[key](text) for key, text in told.items() if text):
        return _MALFORMED
    return Xclient(
        name=told.get("NAME"),
        address=_address(told.get("ADDR")),
        port=_port(told.get("PORT")),
        helo=told.get("HELO"),
        login=told.get("LOGIN"),
    )


def _text(value: bytes) -> str | None:
    """Decode xtext; None when it is none, or could break a line of a header or a log."""
    octets = decode_xtext(value)
    if not octets or len(octets) > _LONGEST:
        return None
    try:
        text = octets.decode()
    except UnicodeDecodeError:
        return None
    return text if text.isprintable() else None


def _is_address(text: str) -> bool:
    try:
        _packed(text)
    except ValueError:
        return False
    return True


def _packed(text: str) -> IPv4Address | IPv6Address:
    if text[:5].upper() == "IPV6:":
        address = IPv6Address(text[5:])
        return address.ipv4_mapped or address
    return IPv4Address(text)


def _address(text: str | None) -> str | None:
    return str(_packed(text)) if text else text


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 5 and int(text) <= 65535


def _port(text: str | None) -> int | None:
    return int(text) if text else None


def _is_name(text: str) -> bool:
    return text.isascii() and not text.startswith("[") and is_greeting_name(text.encode())


_VALID: Final[dict[str, Callable[[str], bool]]] = {
    "NAME": _is_name,
    "ADDR": _is_address,
    "PORT": _is_port,
    # What EHLO says then tells how the dialogue goes on, so this is only looked at.
    "PROTO": lambda text: text.upper() in ("SMTP", "ESMTP"),
    "HELO": lambda text: is_greeting_name(text.encode()),
    "LOGIN": lambda text: True,
    "DESTADDR": _is_address,
    "DESTPORT": _is_port,
}
