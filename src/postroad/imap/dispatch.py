"""Who carries out which command (RFC 3501 §6)."""

from typing import Final

from postroad.imap.answer import Answer, ok
from postroad.imap.commands.acl import get_acl, set_acl, tell_my_rights, tell_rights
from postroad.imap.commands.append import append
from postroad.imap.commands.cancelupdate import cancel_update
from postroad.imap.commands.capability import capability, enable, identify
from postroad.imap.commands.compress import compress
from postroad.imap.commands.copy import copy, move
from postroad.imap.commands.expunge import close, expunge
from postroad.imap.commands.fetch import fetch
from postroad.imap.commands.idle import idle
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
from postroad.imap.commands.store import store_flags
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
from postroad.imap.wire.message_commands import AppendStart, Copy, Expunge, Fetch, Move, ReplaceStart, Store
from postroad.imap.wire.metadata import GetMetadata, SetMetadata
from postroad.imap.wire.notification import Notify
from postroad.imap.wire.quota_commands import SetQuota
from postroad.imap.wire.search_commands import CancelUpdate, MultiSearch, Search, Sort, Thread, UidBatches
from postroad.imap.wire.search_keys import NumberKey, has_key
from postroad.imap.wire.session_commands import (
    Authenticate,
    Capability,
    Compress,
    Enable,
    Id,
    Idle,
    Login,
    Logout,
    Namespace,
    Noop,
    StartTls,
    Unauthenticate,
)
from postroad.imap.wire.table import State
from postroad.imap.wire.urlauth_commands import GenUrlAuth, ResetKey, UrlFetch

_MISPLACED: Final = Answer(b"BAD", b"", b"that has no place here")


async def carry_out(dialogue: Dialogue, command: Command) -> Answer | None:
    """Give the tagged answer; None where it has been given, or there is nobody to give it to."""
    if dialogue.core.state is State.SELECTED:
        if dialogue.selected.look_at_rights():
            dialogue.core.write(dialogue.selected.flag_listing())
        return await _in_mailbox(dialogue, command)
    return await _outside(dialogue, command)


async def _in_mailbox(dialogue: Dialogue, command: Command) -> Answer | None:
    """The commands of the selected state (RFC 3501 §6.4), then all others."""
    match command:
        case Fetch():
            return await fetch(dialogue, command)
        case Store():
            return await store_flags(dialogue, command)
        case MultiSearch():
            return await multi_search(dialogue, command)
        case Sort():
            return await sort(dialogue, command)
        case Thread():
            return await thread(dialogue, command)
        case Search():
            return await search(dialogue, command)
        case UidBatches():
            return uid_batches(dialogue, command)
        case CancelUpdate():
            return cancel_update(dialogue, command)
        case Copy():
            return await copy(dialogue, command)
        case Move():
            return await move(dialogue, command)
        case ReplaceStart():
            return await replace(dialogue, command)
        case Expunge():
            return await expunge(dialogue, command)
        case Check():
            return ok(b"everything is on disk already")
        case Close():
            return await close(dialogue)
        case Unselect():
            return unselect(dialogue)
        case _:
            return await _outside(dialogue, command)


async def _outside(dialogue: Dialogue, command: Command) -> Answer | None:
    """The commands that need a log-in (RFC 3501 §6.3), then those of strangers."""
    match command:
        case Select():
            return await select(dialogue, command)
        case Idle():
            return await idle(dialogue, command)
        case Notify():
            return await notify(dialogue, command)
        case AppendStart():
            return await append(dialogue, command)
        case List():
            return await list_mailboxes(dialogue, command)
        case Lsub():
            return await lsub(dialogue, command)
        case MultiSearch():
            return await multi_search(dialogue, command)
        case Status():
            return status(dialogue, command)
        case Create():
            return await create(dialogue, command)
        case Delete():
            return await delete(dialogue, command)
        case Rename():
            return await rename(dialogue, command)
        case Subscribe():
            return await subscribe(dialogue, command)
        case Namespace():
            return namespace(dialogue)
        case UrlFetch():
            return await url_fetch(dialogue, command)
        case GenUrlAuth():
            return await gen_url_auth(dialogue, command)
        case ResetKey():
            return await reset_key(dialogue, command)
        case GetQuota():
            return get_quota(dialogue, command)
        case GetQuotaRoot():
            return get_quota_root(dialogue, command)
        case SetQuota():
            return await set_quota(dialogue, command)
        case SetAcl():
            return await set_acl(dialogue, command)
        case GetAcl():
            return get_acl(dialogue, command)
        case ListRights():
            return tell_rights(dialogue, command)
        case MyRights():
            return tell_my_rights(dialogue, command)
        case GetMetadata():
            return get_metadata(dialogue, command)
        case SetMetadata():
            return await set_metadata(dialogue, command)
        case _:
            return await _anywhere(dialogue, command)


async def _anywhere(dialogue: Dialogue, command: Command) -> Answer | None:
    """The commands of any state and of strangers (RFC 3501 §6.1, §6.2)."""
    match command:
        case Noop():
            return ok(b"done")
        case Capability():
            return capability(dialogue)
        case Id():
            return identify(dialogue, command)
        case Enable():
            return enable(dialogue, command)
        case Compress():
            return compress(dialogue, command)
        case Login():
            return await login(dialogue, command)
        case Authenticate():
            return await authenticate(dialogue, command)
        case StartTls():
            return await start_tls(dialogue, command)
        case Unauthenticate():
            return unauthenticate(dialogue, command)
        case Logout():
            dialogue.core.untagged(b"BYE see you")
            dialogue.over = True
            return ok(b"logged out")
        case _:
            return _MISPLACED


def may_expunge(command: Command) -> bool:
    """Whether EXPUNGE may be sent while answering: one rule for all (RFC 3501 §7.4.1).

    During FETCH, STORE and SEARCH the client counts on message numbers; their
    UID forms are other commands (§6.4.8), unless a UID SEARCH looks for
    numbers (RFC 7162 §3.2.10.2). VANISHED and EXPUNGE are the same here.
    """
    match command:
        case Fetch(uid=uid) | Store(uid=uid):
            return uid
        case Search(uid=uid, key=key) | Thread(uid=uid, key=key):
            return uid and not has_key(key, NumberKey)
        case _:
            return True
