"""One list of addresses in the DNS, as the settings name it (RFC 5782)."""

import re
from ipaddress import IPv4Address
from typing import Final

from msgspec import Struct

_ENTRY: Final = re.compile(r"([^=*\s]+)(?:=([^*\s]+))?(?:\*(-?[0-9]{1,4}))?")
_OCTET: Final = re.compile(r"\[([0-9.;]+)\]|([0-9]{1,3})")
_ERRORS: Final = b"\x7f\xff\xff"
"""127.255.255.0/24: the list says that it may not be asked, or is asked wrongly."""


class DnsList(Struct, frozen=True):
    """One list."""

    zone: str
    weight: int
    codes: tuple[frozenset[int], ...] = ()
    """What may stand in each octet of an answer that counts; empty: any of 127/8 (§2.1)."""

    def counts(self, answer: str) -> bool:
        """Whether an A record says that the address is listed."""
        octets = IPv4Address(answer).packed
        # 127.0.0.1 is what a resolver that lies says of everything; beyond 127/8 no list answers (§5).
        if octets[0] != 127 or octets == b"\x7f\0\0\1" or octets[:3] == _ERRORS:
            return False
        return all(octet in allowed for octet, allowed in zip(octets, self.codes, strict=False))


def parse_list(text: str) -> DnsList:
    """Read one entry of the setting.

    Raises:
        ValueError: with a sentence for people.
    """
    found = _ENTRY.fullmatch(text)
    if found is None or "." not in found[1]:
        raise ValueError(f'"{text}" is no list; write "zone", "zone=127.0.0.[2..11]" or "zone*weight"')
    weight = int(found[3] or 1)
    if not weight:
        raise ValueError(f'"{text}": a list of weight 0 says nothing')
    return DnsList(found[1].strip(".").lower(), weight, _codes(found[2], text) if found[2] else ())


def _codes(text: str, entry: str) -> tuple[frozenset[int], ...]:
    octets: list[frozenset[int]] = []
    at = 0
    while at < len(text):
        if octets:
            if text[at] != ".":
                break
            at += 1
        found = _OCTET.match(text, at)
        if found is None:
            break
        octets.append(_choices(found[1] or found[2], entry))
        at = found.end()
    if len(octets) != 4 or at < len(text):
        raise ValueError(f'"{entry}": write answers as "127.0.0.2" or "127.0.[0..255].[1;3]"')
    return tuple(octets)


def _choices(text: str, entry: str) -> frozenset[int]:
    found: set[int] = set()
    for piece in text.split(";"):
        low, dots, high = piece.partition("..")
        if not low.isdigit() or (dots and not high.isdigit()):
            raise ValueError(f'"{entry}": "{piece}" is no octet and no range such as 2..11')
        found.update(range(int(low), int(high or low) + 1))
    if not found or max(found) > 255:
        raise ValueError(f'"{entry}": an octet is 0 to 255')
    return frozenset(found)
