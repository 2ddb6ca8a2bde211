"""The octets of a header over which a signature goes (RFC 6376 §3.7, §5.4.2)."""

import re
from collections.abc import Iterable
from typing import Final

from postroad.mailauth.dkim.canonical import Canonical, canonical_field
from postroad.message.header import Field, HeaderBlock

# The value of b= with the space around it; what stands in front of it stays.
_B_VALUE: Final = re.compile(rb"((?:\A|;)[ \t\r\n]*b[ \t\r\n]*=)[^;]*")


class HeaderData:
    """Selects and canonicalises fields; what several signatures cover is canonicalised once."""

    __slots__ = ("_block", "_by_name", "_canonical")

    def __init__(self, block: HeaderBlock) -> None:
        self._block = block
        self._by_name: dict[bytes, list[Field]] = {}
        for field in block.fields:
            self._by_name.setdefault(field.name_lower, []).append(field)
        self._canonical: dict[tuple[Canonical, int], bytes] = {}

    def signed_by(self, own: Field, way: Canonical, names: Iterable[bytes]) -> bytes:
        """Return the data that the signature field `own` signs by listing `names` in lower case.

        The signature's own field comes last, without its `b=` and its line end.
        """
        return self.selected(way, names, own) + self.unsigned(way, own)

    def selected(self, way: Canonical, names: Iterable[bytes], own: Field | None = None) -> bytes:
        """Return the fields that a list of names in lower case stands for.

        Of several fields of a name the lowest comes first, and a name for
        which no field is left adds nothing. `own`, the field of the signature
        itself, is never among them: it was not there when the list was made.
        """
        left: dict[bytes, int] = {}
        pieces = []
        for name in names:
            fields = self._by_name.get(name)
            if fields is None:
                continue
            at = left.get(name, len(fields)) - 1
            if at >= 0 and fields[at] is own:
                at -= 1
            left[name] = max(at, 0)
            if at >= 0:
                pieces.append(self.field(way, fields[at]))
        return b"".join(pieces)

    def field(self, way: Canonical, field: Field) -> bytes:
        """Return a field in canonical form, with its line end."""
        key = (way, field.start)
        known = self._canonical.get(key)
        if known is None:
            raw = self._block.raw(field)
            known = canonical_field(way, field.name_lower, raw, field.value_start - field.start)
            self._canonical[key] = known
        return known

    def unsigned(self, way: Canonical, own: Field) -> bytes:
        """Return a signature field as it was before it was signed: `b=` empty, no line end."""
        return without_signature(way, self._block.raw(own), own.value_start - own.start)


def without_signature(way: Canonical, raw: bytes, value_at: int) -> bytes:
    """Return a signature field in canonical form with nothing behind `b=`, and without its line end."""
    value = _B_VALUE.sub(rb"\1", raw[value_at:], count=1)
    name = raw[: value_at - 1].rstrip(b" \t").lower()
    return canonical_field(way, name, raw[:value_at] + value, value_at).removesuffix(b"\r\n")
