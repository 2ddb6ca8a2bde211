"""The Sender Rewriting Scheme: whose mail we pass on comes from us, and its bounces find back.

Who forwards mail under the first sender's name fails that domain's SPF. So
the envelope sender of what is forwarded is an address of ours that holds the
first one, `SRS0=hash=time=domain=local@ours`, and that nobody else can make.
An address that is such a one already, of another forwarder, is not put into
another: `SRS1=hash=theirs==rest@ours` leads back to them.
"""

import base64
import hashlib
import hmac
import re
from typing import Final

from msgspec import Struct

from postroad.model.address import MAX_LOCAL, Address, AddressError, parse_mailbox

LIFETIME_DAYS: Final = 21
"""How long bounces find back: senders try for a week, and then theirs may."""
STORED: Final = "0"
"""In place of a domain: the rest is the number under which a longer address is kept."""

_DAY: Final = 86400
_DAYS: Final = 1024  # two letters of base 32
_ALPHABET: Final = "abcdefghijklmnopqrstuvwxyz234567"
_HASH: Final = 8  # letters of base 32: 40 bits for whoever guesses, one message a guess
_SRS0: Final = re.compile(r"srs0[=+-]([a-z2-7]{8})=([a-z2-7]{2})=([^=]+)=(.+)", re.IGNORECASE)
_SRS1: Final = re.compile(r"srs1[=+-]([a-z2-7]{8})=([^=]+)=(.+)", re.IGNORECASE)
_OURS: Final = re.compile(r"srs[01][=+-]", re.IGNORECASE)
_FIRST: Final = re.compile(r"srs0([=+-].+)", re.IGNORECASE)
_NEXT: Final = re.compile(r"srs1[=+-][^=]+=([^=]+)=(.+)", re.IGNORECASE)


class NotOurs(Exception):
    """The address is none that we made, or one that is over; the message may be told to anyone."""


class Stored(Struct, frozen=True):
    """The address is the one that is kept under this number."""

    number: int


def looks_rewritten(address: Address) -> bool:
    """Whether somebody has made this address to hold another."""
    return _OURS.match(address.local) is not None


def rewrite(sender: Address, domain: str, key: bytes, now: float) -> Address | None:
    """The address of `domain` that holds `sender`; None when it would be too long (see `rewrite_stored`)."""
    if match := _FIRST.fullmatch(sender.local):
        rest = f"{sender.domain}={match[1]}"
    elif match := _NEXT.fullmatch(sender.local):
        rest = f"{match[1]}={match[2]}"  # the first forwarder is the one that can lead back
    else:
        stamp = _stamp(now)
        rest = f"{stamp}={sender.domain}={sender.local}"
        return _address(f"SRS0={_hash(key, '0', rest)}={rest}", domain)
    return _address(f"SRS1={_hash(key, '1', rest)}={rest}", domain)


def rewrite_stored(number: int, domain: str, key: bytes, now: float) -> Address:
    """The address of `domain` that stands for the one kept under `number`."""
    rest = f"{_stamp(now)}={STORED}={number}"
    address = _address(f"SRS0={_hash(key, '0', rest)}={rest}", domain)
    assert address is not None, "it is short"
    return address


def original(address: Address, key: bytes, now: float) -> Address | Stored:
    """Whom an address that `looks_rewritten` leads back to.

    Raises:
        NotOurs: it was not made with this key, was made long ago, or holds no address.
    """
    if match := _SRS0.fullmatch(address.local):
        given, stamp, domain, local = match.groups()
        _check(given, key, "0", f"{stamp.lower()}={domain}={local}")
        age = (int(now) // _DAY - _days(stamp)) % _DAYS
        if age > LIFETIME_DAYS:
            raise NotOurs("the address was for bounces, and their time is over")
        if domain == STORED and local.isascii() and local.isdigit():
            return Stored(int(local))
    elif match := _SRS1.fullmatch(address.local):
        given, domain, rest = match.groups()
        _check(given, key, "1", f"{domain}={rest}")
        local = f"SRS0{rest}"
    else:
        raise NotOurs("the address is malformed")
    try:
        return parse_mailbox(str(Address(local, domain, not local.isascii())))
    except AddressError as error:
        raise NotOurs(f"the address holds none: {error}") from None


def _address(local: str, domain: str) -> Address | None:
    address = Address(local, domain, not local.isascii())
    text = str(address)
    return address if len(text.encode()) - len(domain) - 1 <= MAX_LOCAL else None


def _hash(key: bytes, kind: str, rest: str) -> str:
    # Servers on the way may change the case of a local part.
    digest = hmac.digest(key, f"{kind}={rest.lower()}".encode(), hashlib.sha256)
    return base64.b32encode(digest).decode()[:_HASH]


def _check(given: str, key: bytes, kind: str, rest: str) -> None:
    if not hmac.compare_digest(given.upper().encode(), _hash(key, kind, rest).encode()):
        raise NotOurs("the address was not made here")


def _stamp(now: float) -> str:
    days = int(now) // _DAY % _DAYS
    return _ALPHABET[days >> 5] + _ALPHABET[days & 31]


def _days(stamp: str) -> int:
    return _ALPHABET.index(stamp[0].lower()) << 5 | _ALPHABET.index(stamp[1].lower())
