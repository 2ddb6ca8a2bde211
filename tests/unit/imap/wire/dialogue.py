"""Short ways to talk to a core in a test."""

from typing import Final

from postroad.imap.wire.core import ImapServerCore
from postroad.imap.wire.event import AppendNext, Event
from postroad.imap.wire.extensions import Extension
from postroad.imap.wire.limits import ImapLimits
from postroad.imap.wire.message_commands import AppendStart
from postroad.imap.wire.table import State

PLAIN: Final = frozenset(Extension) - {Extension.UIDONLY, Extension.REV2, Extension.UTF8}
"""All extensions but those that change what other commands mean."""


def core_in(state: State = State.SELECTED, limits: ImapLimits | None = None) -> ImapServerCore:
    """A core whose session has come to `state`."""
    core = ImapServerCore(limits, PLAIN)
    core.state = state
    return core


def events(core: ImapServerCore, *pieces: bytes) -> list[Event]:
    """What the core makes of these pieces; messages are accepted."""
    seen: list[Event] = []
    for piece in pieces or (b"",):
        core.receive(piece)
        while (event := core.next_event()) is not None:
            seen.append(event)
            if isinstance(event, AppendStart | AppendNext) and event.text is not None:
                core.accept_literal()
    return seen


def parse(command: bytes, state: State = State.SELECTED) -> Event:
    """The one event of a command that the core takes without a word."""
    core = core_in(state)
    seen = events(core, command + b"\r\n")
    assert core.data_to_send() == b""
    assert len(seen) == 1
    return seen[0]


def answer(wire: bytes, state: State = State.SELECTED, limits: ImapLimits | None = None) -> bytes:
    """What the core says by itself to something that is no event."""
    core = core_in(state, limits)
    assert events(core, wire) == []
    return core.data_to_send()


def is_bad(command: bytes, state: State = State.SELECTED) -> bool:
    """Whether `t command` is refused with a tagged BAD and nothing else."""
    return answer(b"t " + command + b"\r\n", state).startswith(b"t BAD ")
