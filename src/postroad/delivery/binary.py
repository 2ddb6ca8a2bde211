"""A message that came as BINARYMIME (RFC 3030): made of lines for people here, as it came for all others."""

from typing import Final

from msgspec.structs import replace

from postroad.model.envelope import Envelope, Peer
from postroad.model.octets import Octets

BINARY: Final = "BINARYMIME"


def as_kept(
    peer: Peer, envelope: Envelope, lines: Octets, binary: Octets | None, *, stays: bool
) -> tuple[Peer, Envelope, Octets]:
    """Choose the form in which a message is kept; `stays`: somebody here has to be able to read it.

    Servers that take binary mail get it as it is then, so that signatures over it hold; for
    others it is converted when it goes there (`delivery.downgrade`).
    """
    if binary is None:
        return peer, envelope, lines
    fact = "it came as BINARYMIME" + ("; its binary parts were put into base64" if stays else "")
    peer = replace(peer, facts=(*peer.facts, fact))
    return (peer, envelope, lines) if stays else (peer, replace(envelope, body=BINARY), binary)
