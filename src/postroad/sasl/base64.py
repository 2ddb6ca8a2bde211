"""Base64 as the protocols write it: one line, padded, and nothing else (RFC 4648 §4)."""

from binascii import Error, a2b_base64, b2a_base64


def encode(octets: bytes) -> bytes:
    """Return octets in base64, without a line end."""
    return b2a_base64(octets, newline=False)


def decode(text: bytes) -> bytes | None:
    """Return the octets that `text` stands for; None if it is not the one way to write them."""
    try:
        octets = a2b_base64(text, strict_mode=True)
    except Error:
        return None
    # strict_mode lets spare bits and missing groups of a last quantum pass (RFC 4648 §3.5).
    return octets if encode(octets) == text else None
