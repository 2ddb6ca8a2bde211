"""Which commands there are and in which states they are legal (RFC 3501 §3 and §6)."""

from collections.abc import Callable
from enum import Enum, auto
from functools import partial
from typing import Final, TypeAlias

from msgspec import Struct

from postroad.imap.wire.command import Command
from postroad.imap.wire.mailbox_commands import Check, Close, Unselect
from postroad.imap.wire.parse_acl import (
    parse_deleteacl,
    parse_getacl,
    parse_listrights,
    parse_myrights,
    parse_setacl,
)
from postroad.imap.wire.parse_append import parse_append, parse_replace
from postroad.imap.wire.parse_fetch import parse_fetch
from postroad.imap.wire.parse_language import parse_comparator, parse_language
from postroad.imap.wire.parse_mailboxes import (
    parse_create,
    parse_delete,
    parse_examine,
    parse_getquota,
    parse_getquotaroot,
    parse_list,
    parse_lsub,
    parse_rename,
    parse_select,
    parse_status,
    parse_subscribe,
    parse_unsubscribe,
)
from postroad.imap.wire.parse_messages import (
    parse_copy,
    parse_expunge,
    parse_move,
    parse_store,
    parse_uid_expunge,
)
from postroad.imap.wire.parse_metadata import parse_getmetadata, parse_setmetadata
from postroad.imap.wire.parse_multisearch import parse_esearch
from postroad.imap.wire.parse_notify import parse_notify
from postroad.imap.wire.parse_ordering import parse_cancelupdate, parse_sort, parse_thread
from postroad.imap.wire.parse_search import parse_search
from postroad.imap.wire.parse_session import (
    parse_authenticate,
    parse_compress,
    parse_enable,
    parse_id,
    parse_login,
)
from postroad.imap.wire.parse_uidbatches import parse_uidbatches
from postroad.imap.wire.parse_urlauth import parse_genurlauth, parse_resetkey, parse_urlfetch
from postroad.imap.wire.quota_commands import parse_setquota
from postroad.imap.wire.reader import Reader
from postroad.imap.wire.session_commands import (
    Capability,
    Idle,
    Logout,
    Namespace,
    Noop,
    StartTls,
    Unauthenticate,
)


class State(Enum):
    """How far the session has come (RFC 3501 §3)."""

    __hash__ = object.__hash__  # by identity, in C: Enum's own is a Python function

    NOT_AUTHENTICATED = auto()
    AUTHENTICATED = auto()
    SELECTED = auto()


Parser: TypeAlias = Callable[[bytes, Reader], Command | None]


class Rule(Struct, frozen=True):
    """How a command is read and when it may come."""

    parse: Parser
    states: frozenset[State]
    streams: bool = False
    """It brings messages, and is read in stretches: `parse` reads the first (`parse_append`)."""
    capability: str = ""
    """What it stands for: it is unknown where that is switched off (`model.switches`)."""
    bare: type[Command] | None = None
    """What it is, if it has no arguments: then nothing of it is left to be parsed."""


def _bare(command: type[Command], states: frozenset[State], capability: str = "") -> Rule:
    """The rule of a command without arguments."""

    def parse(tag: bytes, reader: Reader) -> Command:
        reader.end()
        return command(tag)

    return Rule(parse, states, capability=capability, bare=command)


_ANY: Final = frozenset(State)
_BEFORE: Final = frozenset({State.NOT_AUTHENTICATED})
_AFTER: Final = frozenset({State.AUTHENTICATED, State.SELECTED})
_SELECTED: Final = frozenset({State.SELECTED})

RULES: Final[dict[bytes, Rule]] = {
    b"CAPABILITY": _bare(Capability, _ANY),
    b"NOOP": _bare(Noop, _ANY),
    b"LOGOUT": _bare(Logout, _ANY),
    b"ID": Rule(parse_id, _ANY),
    b"LANGUAGE": Rule(parse_language, _ANY),
    b"STARTTLS": _bare(StartTls, _BEFORE),
    b"AUTHENTICATE": Rule(parse_authenticate, _BEFORE),
    b"LOGIN": Rule(parse_login, _BEFORE),
    b"ENABLE": Rule(parse_enable, _AFTER),
    b"UNAUTHENTICATE": _bare(Unauthenticate, _AFTER, capability="UNAUTHENTICATE"),
    b"COMPRESS": Rule(parse_compress, _AFTER, capability="COMPRESS=DEFLATE"),
    b"SELECT": Rule(parse_select, _AFTER),
    b"EXAMINE": Rule(parse_examine, _AFTER),
    b"CREATE": Rule(parse_create, _AFTER),
    b"DELETE": Rule(parse_delete, _AFTER),
    b"RENAME": Rule(parse_rename, _AFTER),
    b"SUBSCRIBE": Rule(parse_subscribe, _AFTER),
    b"UNSUBSCRIBE": Rule(parse_unsubscribe, _AFTER),
    b"LIST": Rule(parse_list, _AFTER),
    b"LSUB": Rule(parse_lsub, _AFTER),
    b"STATUS": Rule(parse_status, _AFTER),
    b"APPEND": Rule(parse_append, _AFTER, streams=True),
    b"ESEARCH": Rule(parse_esearch, _AFTER, capability="MULTISEARCH"),
    b"NAMESPACE": _bare(Namespace, _AFTER, capability="NAMESPACE"),
    b"GETQUOTA": Rule(parse_getquota, _AFTER, capability="QUOTA"),
    b"GETQUOTAROOT": Rule(parse_getquotaroot, _AFTER, capability="QUOTA"),
    b"SETQUOTA": Rule(parse_setquota, _AFTER, capability="QUOTASET"),
    b"SETACL": Rule(parse_setacl, _AFTER, capability="ACL"),
    b"DELETEACL": Rule(parse_deleteacl, _AFTER, capability="ACL"),
    b"GETACL": Rule(parse_getacl, _AFTER, capability="ACL"),
    b"LISTRIGHTS": Rule(parse_listrights, _AFTER, capability="ACL"),
    b"MYRIGHTS": Rule(parse_myrights, _AFTER, capability="ACL"),
    b"GETMETADATA": Rule(parse_getmetadata, _AFTER, capability="METADATA"),
    b"SETMETADATA": Rule(parse_setmetadata, _AFTER, capability="METADATA"),
    b"NOTIFY": Rule(parse_notify, _AFTER, capability="NOTIFY"),
    b"COMPARATOR": Rule(parse_comparator, _AFTER, capability="I18NLEVEL=2"),
    b"IDLE": _bare(Idle, _AFTER, capability="IDLE"),
    b"CHECK": _bare(Check, _SELECTED),
    b"CLOSE": _bare(Close, _SELECTED),
    b"UNSELECT": _bare(Unselect, _SELECTED, capability="UNSELECT"),
    b"EXPUNGE": Rule(parse_expunge, _SELECTED),
    b"SEARCH": Rule(parse_search, _SELECTED),
    b"SORT": Rule(parse_sort, _SELECTED, capability="SORT"),
    b"THREAD": Rule(parse_thread, _SELECTED),
    b"UIDBATCHES": Rule(parse_uidbatches, _SELECTED, capability="UIDBATCHES"),
    b"CANCELUPDATE": Rule(parse_cancelupdate, _SELECTED, capability="CONTEXT=SEARCH"),
    b"FETCH": Rule(parse_fetch, _SELECTED),
    b"STORE": Rule(parse_store, _SELECTED),
    b"COPY": Rule(parse_copy, _SELECTED),
    b"MOVE": Rule(parse_move, _SELECTED, capability="MOVE"),
    b"REPLACE": Rule(parse_replace, _SELECTED, streams=True, capability="REPLACE"),
    b"GENURLAUTH": Rule(parse_genurlauth, _AFTER, capability="URLAUTH"),
    b"URLFETCH": Rule(parse_urlfetch, _AFTER, capability="URLAUTH"),
    b"RESETKEY": Rule(parse_resetkey, _AFTER, capability="URLAUTH"),
    b"UID EXPUNGE": Rule(parse_uid_expunge, _SELECTED, capability="UIDPLUS"),
    b"UID SEARCH": Rule(partial(parse_search, uid=True), _SELECTED),
    b"UID SORT": Rule(partial(parse_sort, uid=True), _SELECTED, capability="SORT"),
    b"UID THREAD": Rule(partial(parse_thread, uid=True), _SELECTED),
    b"UID FETCH": Rule(partial(parse_fetch, uid=True), _SELECTED),
    b"UID STORE": Rule(partial(parse_store, uid=True), _SELECTED),
    b"UID REPLACE": Rule(partial(parse_replace, uid=True), _SELECTED, streams=True, capability="REPLACE"),
    b"UID COPY": Rule(partial(parse_copy, uid=True), _SELECTED),
    b"UID MOVE": Rule(partial(parse_move, uid=True), _SELECTED, capability="MOVE"),
}


def wrong_state(state: State, rule: Rule) -> bytes:
    """Say why a command cannot come now."""
    if state is State.NOT_AUTHENTICATED:
        return b"log in first"
    return b"select a mailbox first" if rule.states == _SELECTED else b"already logged in"
