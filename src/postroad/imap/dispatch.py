"""Who carries out which command (RFC 3501 §6)."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from postroad.imap.answer import Answer, ok
from postroad.imap.commands.acl import get_acl, set_acl, tell_my_rights, tell_rights
from postroad.imap.commands.append import append
from postroad.imap.commands.cancelupdate import cancel_update
from postroad.imap.commands.capability import capability, enable, identify
from postroad.imap.commands.compress import compress
from postroad.imap.commands.copy import copy, move
from postroad.imap.commands.expunge import close, expunge
from postroad.imap.commands.fetch import fetch
from postroad.imap.commands.fetch_now import fetch_now
from postroad.imap.commands.idle import idle
from postroad.imap.commands.language import comparator, language
from postroad.imap.commands.list import list_mailboxes, lsub
from postroad.imap.commands.login import authenticate, login, start_tls, unauthenticate
from postroad.imap.commands.mailbox import create, delete, rename, subscribe
from postroad.imap.commands.metadata import get_metadata, set_metadata
from postroad.imap.commands.multisearch import multi_search
from postroad.imap.commands.namespace import namespace
from postroad.imap.commands.notify import notify
from postroad.imap.commands.quota import get_quota, get_quota_root, set_quota
from postroad.imap.commands.replace import replace
from postroad.imap.commands.search import search
from postroad.imap.commands.select import select, unselect
from postroad.imap.commands.sort import sort
from postroad.imap.commands.status import status
from postroad.imap.commands.store import annotate, store_flags
from postroad.imap.commands.thread import thread
from postroad.imap.commands.uidbatches import uid_batches
from postroad.imap.commands.urlauth import gen_url_auth, reset_key, url_fetch
from postroad.imap.dialogue import Dialogue
from postroad.imap.wire.acl_commands import GetAcl, ListRights, MyRights, SetAcl
from postroad.imap.wire.command import Command
from postroad.imap.wire.mailbox_commands import (
    Check,
    Close,
    Create,
    Delete,
    GetQuota,
    GetQuotaRoot,
    List,
    Lsub,
    Rename,
    Select,
    Status,
    Subscribe,
    Unselect,
)
from postroad.imap.wire.message_commands import (
    Annotate,
    AppendStart,
    Copy,
    Expunge,
    Fetch,
    Move,
    ReplaceStart,
    Store,
)
from postroad.imap.wire.metadata import GetMetadata, SetMetadata
from postroad.imap.wire.notification import Notify
from postroad.imap.wire.quota_commands import SetQuota
from postroad.imap.wire.search_commands import CancelUpdate, MultiSearch, Search, Sort, Thread, UidBatches
from postroad.imap.wire.search_keys import NumberKey, has_key
from postroad.imap.wire.session_commands import (
    Authenticate,
    Capability,
    Comparator,
    Compress,
    Enable,
    Id,
    Idle,
    Language,
    Login,
    Logout,
    Namespace,
    Noop,
    StartTls,
    Unauthenticate,
)
from postroad.imap.wire.urlauth_commands import GenUrlAuth, ResetKey, UrlFetch

_MISPLACED: Final = Answer(b"BAD", b"", b"that has no place here")
_DONE: Final = ok(b"done")
_ON_DISK: Final = ok(b"everything is on disk already")

# The core lets nothing through that must not come in the state of the session (`wire.table`).
_AT_ONCE: Final[dict[type[Command], Callable[[Dialogue, Any], Answer | None]]] = {
    Noop: lambda _dialogue, _command: _DONE,
    Check: lambda _dialogue, _command: _ON_DISK,
    Capability: lambda dialogue, _: capability(dialogue),
    Namespace: lambda dialogue, _: namespace(dialogue),
    Language: language,
    Comparator: comparator,
    Unselect: lambda dialogue, _: unselect(dialogue),
    Unauthenticate: unauthenticate,
    Id: identify,
    Enable: enable,
    Compress: compress,
    Status: status,
    UidBatches: uid_batches,
    CancelUpdate: cancel_update,
    GetQuota: get_quota,
    GetQuotaRoot: get_quota_root,
    GetAcl: get_acl,
    ListRights: tell_rights,
    MyRights: tell_my_rights,
    GetMetadata: get_metadata,
    Logout: lambda dialogue, _: _log_out(dialogue),
}
"""Commands that wait for nothing."""
_IN_TURN: Final[dict[type[Command], Callable[[Dialogue, Any], Awaitable[Answer | None]]]] = {
    Fetch: fetch,
    Store: store_flags,
    Annotate: annotate,
    MultiSearch: multi_search,
    Sort: sort,
    Thread: thread,
    Search: search,
    Copy: copy,
    Move: move,
    ReplaceStart: replace,
    Expunge: expunge,
    Close: close,
    Select: select,
    Idle: idle,
    Notify: notify,
    AppendStart: append,
    List: list_mailboxes,
    Lsub: lsub,
    Create: create,
    Delete: delete,
    Rename: rename,
    Subscribe: subscribe,
    UrlFetch: url_fetch,
    GenUrlAuth: gen_url_auth,
    ResetKey: reset_key,
    SetQuota: set_quota,
    SetAcl: set_acl,
    SetMetadata: set_metadata,
    Login: login,
    Authenticate: authenticate,
    StartTls: start_tls,
}
"""Commands that may have to wait, or that take turns with those of other sessions."""

QUICK: Final[dict[type[Command], Callable[[Dialogue, Any], Answer | None]]] = {
    Noop: _AT_ONCE[Noop],
    Check: _AT_ONCE[Check],
    Status: status,
    Fetch: fetch_now,
}
"""How to carry out, here and now, most of what clients say that poll or show one message after the other.

These change nothing; None leaves it to `carry_out`, which says again what has been said.
"""


async def carry_out(dialogue: Dialogue, command: Command) -> Answer | None:
    """Give the tagged answer; None where it has been given, or there is nobody to give it to."""
    selected = dialogue.maybe_selected
    if selected is not None and selected.is_guest and selected.look_at_rights():
        dialogue.core.write(selected.flag_listing())
    kind = type(command)
    if (at_once := _AT_ONCE.get(kind)) is not None:
        return at_once(dialogue, command)
    in_turn = _IN_TURN.get(kind)
    return _MISPLACED if in_turn is None else await in_turn(dialogue, command)


def _log_out(dialogue: Dialogue) -> Answer:
    dialogue.core.untagged(b"BYE see you")
    dialogue.over = True
    return ok(b"logged out")


def may_expunge(command: Command) -> bool:
    """Whether EXPUNGE may be sent while answering: one rule for all (RFC 3501 §7.4.1).

    During FETCH, STORE and SEARCH the client counts on message numbers; their
    UID forms are other commands (§6.4.8), unless a UID SEARCH looks for
    numbers (RFC 7162 §3.2.10.2). VANISHED and EXPUNGE are the same here.
    """
    match command:
        case Fetch(uid=uid) | Store(uid=uid) | Annotate(uid=uid):
            return uid
        case Search(uid=uid, key=key) | Thread(uid=uid, key=key):
            return uid and not has_key(key, NumberKey)
        case _:
            return True
