"""How far the core is within a command, and what it does next."""

from enum import Enum, auto


class Phase(Enum):
    """What the next bytes are."""

    __hash__ = object.__hash__  # by identity, in C: Enum's own is a Python function

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
