"""How many connections one address may have at a listener."""

from msgspec import Struct


class Crowd(Struct, frozen=True):
    """What a listener wants otherwise than `[limits]`; 0: as that says."""

    connections: int = 0
    unauthenticated: int = 0
    rate: int = 0
    """New ones within a minute."""


AS_LIMITS_SAY = Crowd()
