"""GETQUOTA and GETQUOTAROOT (RFC 9208): one root for the whole account, or none where nothing is limited."""

from postroad.imap.answer import Answer, No, ok
from postroad.imap.dialogue import Dialogue
from postroad.imap.wire import responses
from postroad.imap.wire.mailbox_commands import GetQuota, GetQuotaRoot

_ROOT = ""


def get_quota(dialogue: Dialogue, command: GetQuota) -> Answer:
    """Tell use and limits of a root."""
    resources = _resources(dialogue)
    if command.root != _ROOT or not resources:
        raise No(b"NONEXISTENT", b"there is no such quota root")
    dialogue.core.untagged(responses.quota(_ROOT, resources))
    return ok(b"done")


def get_quota_root(dialogue: Dialogue, command: GetQuotaRoot) -> Answer:
    """Tell the root of a mailbox; of one that is yet to be made too (RFC 9208 §4.1.2)."""
    resources = _resources(dialogue)
    # A root without a resource could not be written (§7 quota-list): what has no limit has no root.
    roots = (_ROOT,) if resources else ()
    dialogue.core.untagged(responses.quotaroot(command.mailbox.name, roots))
    if resources:
        dialogue.core.untagged(responses.quota(_ROOT, resources))
    return ok(b"done")


def _resources(dialogue: Dialogue) -> list[tuple[bytes, int, int]]:
    quota = dialogue.account.quota()
    resources = []
    if quota.bytes_limit is not None:
        # RFC 9208 §5.1: in units of 1024 octets; what is begun counts.
        resources.append((b"STORAGE", -(-quota.bytes_used // 1024), quota.bytes_limit // 1024))
    if quota.messages_limit is not None:
        resources.append((b"MESSAGE", quota.messages_used, quota.messages_limit))
    return resources
