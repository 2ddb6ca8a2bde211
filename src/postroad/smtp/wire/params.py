"""The arguments of SMTP commands: who is greeting, MAIL and RCPT with their parameters.

Each parser gives a value, or the `Reply` that says what is wrong.
"""

import re
from collections.abc import Callable, Mapping
from ipaddress import IPv4Address, IPv6Address
from typing import Final

from postroad.model.address import Address, AddressError, parse_path
from postroad.smtp.wire import priority
from postroad.smtp.wire.deliver_by import is_by, parse_by
from postroad.smtp.wire.events import Mail, Rcpt
from postroad.smtp.wire.holding import HoldLimits, is_hold_for, is_hold_until, parse_hold
from postroad.smtp.wire.replies import Reply

ENVID_OCTETS: Final = 100
"""RFC 3461 §4.4."""
ORCPT_OCTETS: Final = 500
"""RFC 3461 §4.2."""

NEEDS_SMTPUTF8: Final = Reply(553, "5.6.7", "an address beyond ASCII needs SMTPUTF8")
_UNKNOWN: Final = Reply(555, "5.5.4", "a parameter is not known here, or was not offered")
_REPEATED: Final = Reply(501, "5.5.4", "a parameter is given twice")
_MALFORMED: Final = Reply(501, "5.5.4", "a parameter is malformed")

_HOLDS: Final = frozenset({b"HOLDFOR", b"HOLDUNTIL"})
_BODIES: Final = frozenset({b"7BIT", b"8BITMIME", b"BINARYMIME"})

# RFC 5321 §4.1.2: esmtp-param; RFC 6531 §3.3 adds what is beyond ASCII to the value.
_PARAM: Final = re.compile(rb"([A-Za-z0-9][A-Za-z0-9-]*)(?:=([!-<>-~\x80-\xff]+))?")
# RFC 1870 §3 for SIZE; RFC 3030 §2 has the same for BDAT.
_DIGITS: Final = re.compile(rb"[0-9]{1,20}")
# Names as they are in use: RFC 5321 §4.1.2 Domain, and the underscore that Windows machines have.
_HOST: Final = re.compile(rb"[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?(?:\.[A-Za-z0-9_-]+)*\.?")
# RFC 3461 §4: xchar and hexchar.
_XTEXT: Final = re.compile(rb"(?:[!-*,-<>-~]|\+[0-9A-F]{2})*")
_HEXCHAR: Final = re.compile(rb"\+([0-9A-F]{2})")
_NOT_XCHAR: Final = re.compile(rb"[^!-*,-<>-~]")
_ADDRESS_TYPE: Final = re.compile(rb"[A-Za-z0-9-]+")
# RFC 6533 §3: utf-8-addr-xtext and utf-8-addr-unitext together, without the controls.
_UTF8_ADDRESS: Final = re.compile(
    rb"(?:[!-*,-<>-\[\]-~\x80-\xff]"
    rb"|\\x\{(?i:20|2B|3D|5C|[89A-F][0-9A-F]|[1-9A-F][0-9A-F]{2}"
    rb"|(?!D[89A-F])[1-9A-F][0-9A-F]{3}|[1-9A-F][0-9A-F]{4}|10[0-9A-F]{4})\})+"
)
# RFC 6533 §3: what is written as it is in utf-8-addr-xtext.
_NOT_QCHAR: Final = re.compile(r"[^!-*,-<>-\[\]-~]")
_PRINTABLE: Final = re.compile(rb"[ -~\t]*")
_NOTIFY: Final = frozenset({b"SUCCESS", b"FAILURE", b"DELAY"})


def is_greeting_name(name: bytes) -> bool:
    """Whether EHLO or HELO may be followed by this: a domain or an address literal (RFC 5321 §4.1.3)."""
    if len(name) > 255:
        return False
    if not name.startswith(b"["):
        return _HOST.fullmatch(name) is not None
    inside = name[1:-1]
    if not name.endswith(b"]") or not inside.isascii():
        return False
    text = inside.decode()
    try:
        if text[:5].lower() == "ipv6:":
            IPv6Address(text[5:])
        else:
            IPv4Address(text)
    except ValueError:
        return False
    return True


def parse_mail(
    argument: bytes,
    *,
    extended: bool,
    secure: bool,
    size_limit: int,
    hold: HoldLimits | None = None,
    priorities: bool = False,
    deliver_by: int | None = None,
) -> Mail | Reply:
    """Read what follows `MAIL FROM:`.

    `extended` says whether EHLO was said: without it there are no parameters
    (RFC 5321 §4.1.1.11). `secure` says whether TLS is up, in which alone
    REQUIRETLS is offered (RFC 8689 §2), `hold` how long a message may be held, if at all,
    `priorities` whether it may be given one, `deliver_by` the least seconds in which it may be told to be
    delivered, if that is offered.
    """
    found = _path_and_params(argument, "5.1.7")
    if isinstance(found, Reply):
        return found
    sender, params = found
    if sender is not None and not sender.domain:
        return Reply(501, "5.1.7", "the sender has no domain")
    if not params and argument.isascii():
        return Mail(sender)
    if (params and not extended) or not params.keys() <= _MAIL.keys():
        return _UNKNOWN
    if (b"REQUIRETLS" in params and not secure) or (hold is None and not _HOLDS.isdisjoint(params)):
        return _UNKNOWN
    if b"MT-PRIORITY" in params and not priorities:
        return _UNKNOWN
    if b"BY" in params and deliver_by is None:
        return _UNKNOWN
    for name, value in params.items():
        if not _MAIL[name](value):
            return priority.MALFORMED if name == b"MT-PRIORITY" else _MALFORMED
    smtputf8 = b"SMTPUTF8" in params
    # RFC 6531 §3.7.4.2: nothing beyond ASCII, parameters included, without SMTPUTF8.
    if not smtputf8 and not argument.isascii():
        return NEEDS_SMTPUTF8
    size = int(params.get(b"SIZE") or 0)
    if size > size_limit:
        return Reply(552, "5.3.4", "the message is larger than this server takes")
    held = None if hold is None else parse_hold(params, hold)
    if isinstance(held, Reply):
        return held
    by = None if deliver_by is None or not params.get(b"BY") else parse_by(params[b"BY"] or b"", deliver_by)
    if isinstance(by, Reply):
        return by
    return Mail(
        sender,
        size=size,
        body=_text(params, b"BODY", b"7BIT").upper(),
        smtputf8=smtputf8,
        ret=_text(params, b"RET").upper(),
        envid=_text(params, b"ENVID"),
        requiretls=b"REQUIRETLS" in params,
        hold=held,
        priority=int(params[b"MT-PRIORITY"] or 0) if b"MT-PRIORITY" in params else None,
        by=by,
    )


def parse_rcpt(argument: bytes, *, extended: bool, smtputf8: bool) -> Rcpt | Reply:
    """Read what follows `RCPT TO:`; `smtputf8` is what MAIL FROM has declared."""
    found = _path_and_params(argument, "5.1.3")
    if isinstance(found, Reply):
        return found
    address, params = found
    if address is None:
        return Reply(501, "5.1.3", "the null path is no recipient")
    if not params and argument.isascii():
        return Rcpt(address)
    if not smtputf8 and not argument.isascii():
        return NEEDS_SMTPUTF8
    if (params and not extended) or not params.keys() <= {b"NOTIFY", b"ORCPT"}:
        return _UNKNOWN
    notify = _notify(params.get(b"NOTIFY", b""))
    if notify is None or (b"NOTIFY" in params and not notify):
        return _MALFORMED
    original = _original(params.get(b"ORCPT", b""))
    if original is None or (b"ORCPT" in params and not original):
        return _MALFORMED
    return Rcpt(address, notify, original)


def parse_chunk_size(argument: bytes) -> tuple[int, bool] | None:
    """Read what follows `BDAT`: size and whether it is the last one; None if malformed (RFC 3030 §2)."""
    digits, space, last = argument.partition(b" ")
    if not _DIGITS.fullmatch(digits) or (space and last.upper() != b"LAST"):
        return None
    return int(digits), bool(space)


def encode_xtext(octets: bytes) -> bytes:
    """Write octets as xtext (RFC 3461 §4)."""
    return _NOT_XCHAR.sub(lambda found: b"+%02X" % found[0][0], octets)


def decode_xtext(text: bytes) -> bytes | None:
    """Read xtext; None if it is none."""
    if _XTEXT.fullmatch(text) is None:
        return None
    return _HEXCHAR.sub(lambda found: bytes([int(found[1], 16)]), text)


def _path_and_params(
    argument: bytes, enhanced: str
) -> tuple[Address | None, dict[bytes, bytes | None]] | Reply:
    try:
        # No space belongs behind the colon (RFC 5321 §3.3), and many put one there: Outlook (seen in 2023),
        # smtp-cli (until 2017), SmtpClient for Qt (until 2019).
        address, rest = parse_path(argument.lstrip(b" "), smtputf8=True)
    except AddressError as error:
        return Reply(501, enhanced, str(error))
    params: dict[bytes, bytes | None] = {}
    for word in rest.split(b" ") if rest else ():
        if not word:
            continue  # two spaces between parameters are seen in the wild and mean nothing
        found = _PARAM.fullmatch(word)
        if found is None:
            return _MALFORMED
        name = found[1].upper()
        if name in params:
            return _REPEATED
        params[name] = found[2]
    return address, params


def _text(params: Mapping[bytes, bytes | None], name: bytes, absent: bytes = b"") -> str:
    return (params.get(name) or absent).decode(errors="replace")


def _is_envid(value: bytes | None) -> bool:
    return value is not None and len(value) <= ENVID_OCTETS and _hides_text(value)


def _hides_text(xtext: bytes) -> bool:
    """Whether xtext stands for printable ASCII (RFC 3461 §4.2, §4.4); more would end up in a header."""
    octets = decode_xtext(xtext)
    return octets is not None and _PRINTABLE.fullmatch(octets) is not None


def _is_auth(value: bytes | None) -> bool:
    """RFC 4954 §5: an xtext mailbox or `<>`. We trust nobody's word for it, so it is not kept."""
    return value is not None and decode_xtext(value) is not None


_MAIL: Final[dict[bytes, Callable[[bytes | None], bool]]] = {
    b"SIZE": lambda value: value is not None and _DIGITS.fullmatch(value) is not None,
    b"BODY": lambda value: value is not None and value.upper() in _BODIES,
    b"SMTPUTF8": lambda value: value is None,
    b"RET": lambda value: value is not None and value.upper() in (b"FULL", b"HDRS"),
    b"ENVID": _is_envid,
    b"AUTH": _is_auth,
    b"REQUIRETLS": lambda value: value is None,
    b"HOLDFOR": is_hold_for,
    b"HOLDUNTIL": is_hold_until,
    b"MT-PRIORITY": priority.is_priority,
    b"BY": is_by,
}
"""The parameters of MAIL FROM and what makes a value of each."""


def _notify(value: bytes | None) -> frozenset[str] | None:
    """RFC 3461 §4.1: NEVER alone, or others, also twice; None if malformed, empty when absent."""
    if not value:
        return frozenset() if value == b"" else None
    names = value.upper().split(b",")
    if names == [b"NEVER"]:
        return frozenset({"NEVER"})
    if not _NOTIFY.issuperset(names):
        return None
    return frozenset(name.decode() for name in names)


def _original(value: bytes | None) -> str | None:
    """RFC 3461 §4.2: address type, semicolon, xtext; RFC 6533 §3 for the type utf-8. None if malformed."""
    if not value:
        return "" if value == b"" else None
    kind, _, address = value.partition(b";")
    if len(value) > ORCPT_OCTETS or not address or _ADDRESS_TYPE.fullmatch(kind) is None:
        return None
    if kind.lower() == b"utf-8":
        good = _UTF8_ADDRESS.fullmatch(address) is not None and _is_utf8(address)
        return value.decode() if good else None
    if _hides_text(address):
        return value.decode()
    # Postfix (since 3.0, its first with SMTPUTF8) hides UTF-8 in an rfc822 address; that is an address of
    # the type utf-8 (RFC 6533 §3).
    octets = decode_xtext(address) if kind.lower() == b"rfc822" else None
    if octets is None or not _is_utf8(octets) or not (text := octets.decode()).isprintable():
        return None
    return "utf-8;" + _NOT_QCHAR.sub(lambda found: f"\\x{{{ord(found[0]):X}}}", text)


def _is_utf8(octets: bytes) -> bool:
    try:
        octets.decode()
    except UnicodeDecodeError:
        return False
    return True
