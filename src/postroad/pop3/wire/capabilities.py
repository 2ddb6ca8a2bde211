"""What CAPA lists (RFC 2449 §5): what is legal before log-in is announced in both states."""

from collections.abc import Collection
from typing import Final

from postroad.sasl.exchange import takes_passwords

OPTIONAL: Final = (b"TOP", b"UIDL")
"""What a server may lack (RFC 1939 §7), and can be switched off for an account."""


def capabilities(
    mechanisms: Collection[bytes],
    implementation: bytes,
    *,
    secure: bool,
    tls_offered: bool,
    withheld: Collection[bytes],
) -> bytes:
    """Write the whole answer; `mechanisms` are offered only where it is `secure`."""
    lines = [b"+OK capabilities follow", *(verb for verb in OPTIONAL if verb not in withheld)]
    lines += [b"RESP-CODES", b"AUTH-RESP-CODE", b"PIPELINING"]
    if secure:
        if takes_passwords([name.decode() for name in mechanisms]):
            lines.append(b"USER")
        if mechanisms:
            lines.append(b"SASL " + b" ".join(mechanisms))
    elif tls_offered:
        lines.append(b"STLS")
    lines += [b"UTF8 USER", b"LANG"]
    lines += [b"EXPIRE NEVER", b"LOGIN-DELAY 0", b"IMPLEMENTATION " + implementation, b".\r\n"]
    return b"\r\n".join(lines)
