"""What a message itself says about TLS on its way (RFC 8689)."""

from typing import Final

from msgspec.structs import replace

from postroad.message.header import fields_named
from postroad.model.envelope import Envelope, Wish

_NAME: Final = b"tls-required"


def with_tls_wish(envelope: Envelope, header: bytes) -> Envelope:
    """Note `TLS-Required: No`, unless REQUIRETLS was said (RFC 8689 §4.1).

    The field may be there once and has one value (§3); any other says nothing.
    """
    if envelope.tls is Wish.REQUIRED:
        return envelope
    found = fields_named(header, (_NAME,))
    if len(found) != 1 or found[0].partition(b":")[2].strip().lower() != b"no":
        return envelope
    return replace(envelope, tls=Wish.WAIVED)
