"""How much of a stranger's message is worth verifying."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of work and of trust for the signatures of one message."""

    signatures: int = 8
    """Signatures that are looked at, from the top."""
    keys: int = 5
    """Keys that are asked of the DNS."""
    rsa_bits_least: int = 1024
    """RFC 8301 §3.2: anything shorter has failed."""
    rsa_bits_most: int = 8192
    """RFC 8301 §3.2 asks for 4,096."""
    exponent_bits: int = 64
    """A large public exponent makes a verification cost what a signature costs (RFC 6376 §8.13)."""
    skew: int = 300
    """Seconds by which a signer's clock may be ahead of ours, or ours of its (RFC 6376 §3.5, t=)."""


DEFAULT = Limits()
