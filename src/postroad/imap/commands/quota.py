"""GETQUOTA, GETQUOTAROOT, SETQUOTA (RFC 9208): a root for each account, and for each domain.

One's own account is the root "", another's its address; a domain is an @ and
its name, for administrators alone: how much others have is not for everybody
to know (§8). What has no limit has no root: the grammar has no empty list of
resources (§7 quota-list).
"""

from typing import Final

from postroad.imap.answer import Answer, No, ok
from postroad.imap.dialogue import Dialogue
from postroad.imap.permission import need
from postroad.imap.wire import responses
from postroad.imap.wire.mailbox_commands import GetQuota, GetQuotaRoot
from postroad.imap.wire.quota_commands import SetQuota
from postroad.store.account import Account
from postroad.store.namespaces import is_foreign
from postroad.store.types import Quota

_OWN: Final = ""
_KIB: Final = 1024
_MOST: Final = 1 << 62
"""Octets that can be said to be a limit."""
_NO_ROOT: Final = No(b"NONEXISTENT", b"there is no such quota root")


def get_quota(dialogue: Dialogue, command: GetQuota) -> Answer:
    """Tell use and limits of a root."""
    resources = _resources(_quota(dialogue, command.root))
    if not resources:
        raise _NO_ROOT
    dialogue.core.untagged(responses.quota(command.root, resources))
    return ok(b"done")


def get_quota_root(dialogue: Dialogue, command: GetQuotaRoot) -> Answer:
    """Tell the root of a mailbox; of one that is yet to be made too (§4.1.2)."""
    account, root = dialogue.account, _OWN
    named = command.mailbox
    if named.valid and is_foreign(named.name):
        found, mailbox = dialogue.find(named)
        need(found, mailbox, "r")  # §6: how much is in it is told by what is used
        if found.id != account.id:
            account, root = found, found.shares().owner()
    resources = _resources(account.quota())
    name = dialogue.enabled.octets(named.name)
    dialogue.core.untagged(responses.quotaroot(name, (root,) if resources else ()))
    if resources:
        dialogue.core.untagged(responses.quota(root, resources))
    return ok(b"done")


async def set_quota(dialogue: Dialogue, command: SetQuota) -> Answer:
    """Set the limits of a root, and lift those that are not named (§4.1.3)."""
    if not dialogue.administers:
        raise No(b"NOPERM", b"quotas are for the operator to set")
    limits = dict(command.limits)
    if not limits.keys() <= {b"STORAGE", b"MESSAGE"}:
        raise No(b"CANNOT", b"STORAGE and MESSAGE can be limited here, and nothing else")
    octets = None if b"STORAGE" not in limits else limits[b"STORAGE"] * _KIB
    if octets is not None and octets > _MOST:
        raise No(b"CANNOT", b"that is more than can be kept")
    _quota(dialogue, command.root)
    await dialogue.services.directory.set_quota(
        command.root or dialogue.account.shares().owner(),
        who=dialogue.account.shares().owner(),
        quota_bytes=octets,
        quota_messages=limits.get(b"MESSAGE"),
    )
    if resources := _resources(_quota(dialogue, command.root)):
        dialogue.core.untagged(responses.quota(command.root, resources))
    return ok(b"done")


def _quota(dialogue: Dialogue, root: str) -> Quota:
    """Use and limits of a root that the user may know of.

    Raises:
        No: to others it is not there.
    """
    if root == _OWN:
        return dialogue.account.quota()
    if root.startswith("@"):
        quota = dialogue.services.store.quota_of_domain(root[1:]) if dialogue.administers else None
    else:
        account = _account(dialogue, root)
        quota = None if account is None else account.quota()
    if quota is None:
        raise _NO_ROOT
    return quota


def _account(dialogue: Dialogue, address: str) -> Account | None:
    account_id = dialogue.account.shares().user_named(address)
    if not account_id:  # nobody, or anyone
        return None
    readable = account_id == dialogue.account.id or dialogue.services.store.reads_any(
        account_id, dialogue.account.id
    )
    return dialogue.services.store.account(account_id) if dialogue.administers or readable else None


def _resources(quota: Quota) -> list[tuple[bytes, int, int]]:
    resources = []
    if quota.bytes_limit is not None:
        # RFC 9208 §5.1: in units of 1024 octets; what is begun counts.
        resources.append((b"STORAGE", -(-quota.bytes_used // _KIB), quota.bytes_limit // _KIB))
    if quota.messages_limit is not None:
        resources.append((b"MESSAGE", quota.messages_used, quota.messages_limit))
    return resources
