"""How far the core is within a command, and what it does next."""

from enum import Enum, auto


class Phase(Enum):
    """What the next bytes are."""

    COMMAND = auto()
    LITERAL = auto()
    UNDECIDED = auto()
    """The session has an AppendStart and has not answered it."""
    MESSAGE = auto()
    MESSAGE_END = auto()
    AUTH = auto()
    IDLE = auto()
    DROP = auto()
    CLOSED = auto()


class Step(Enum):
    """What a phase says when it has no event."""

    WAIT = auto()
    AGAIN = auto()
