"""APPEND of one or many messages (RFC 3501 §6.3.11, RFC 3502, RFC 7889), in bounded memory."""

from dataclasses import dataclass, field
from typing import Final

from postroad.imap.answer import Answer, No, ok
from postroad.imap.dialogue import Dialogue
from postroad.imap.errors import answer_to
from postroad.imap.events import next_event
from postroad.imap.news import tell_all
from postroad.imap.permission import need
from postroad.imap.wire import responses
from postroad.imap.wire.event import AppendEnd, LiteralChunk
from postroad.imap.wire.message_commands import AppendNext, AppendStart
from postroad.model.refusal import Unavailable
from postroad.store.account import Account
from postroad.store.blobs.spool import Spool
from postroad.store.errors import NoSuchMailbox, StoreError
from postroad.store.types import Mailbox, NewMessage

MOST_MESSAGES: Final = 1000
"""Messages of one APPEND: they are filed in one transaction, and others wait for its end."""


@dataclass(slots=True)
class _Batch:
    """What has come of the messages so far: their octets lie in the spool, one behind the other."""

    spool: Spool
    heads: list[AppendStart | AppendNext] = field(default_factory=list)
    octets: int = 0
    account_room: int | None = None
    """Octets that the account had room for when the command began; None without a limit."""
    disk_room: int = 0
    """And the disk. Both are looked at again when messages are kept."""
    failure: Unavailable | None = None


async def append(dialogue: Dialogue, command: AppendStart) -> Answer | None:
    """File all messages or none; whatever can be known beforehand is refused before it is sent."""
    with dialogue.services.store.spool() as spool:
        batch = _Batch(spool)
        head: AppendStart | AppendNext | None = command
        found: tuple[Account, Mailbox] | None = None
        while head is not None:
            try:
                if found is None:
                    found = dialogue.find(command.mailbox, code=b"TRYCREATE")
                    need(*found, "i")
                    _measure(dialogue, found[0], batch)
                _check(dialogue, batch, head)
            except (No, StoreError, Unavailable) as error:
                await _refuse(dialogue, error)
                return None
            dialogue.core.accept_literal()
            batch.heads.append(head)
            batch.octets += head.size
            event = await _receive(dialogue, batch)
            if event is None:
                return None
            head = event if isinstance(event, AppendNext) else None
        if batch.failure is not None:
            raise batch.failure
        assert found is not None
        return await _file(dialogue, *found, batch)


async def _refuse(dialogue: Dialogue, error: Exception) -> None:
    answer = answer_to(error)
    assert answer is not None
    await tell_all(dialogue)
    dialogue.core.refuse_literal(answer.status, answer.text, answer.code)


def _measure(dialogue: Dialogue, account: Account, batch: _Batch) -> None:
    """Look how much room there is."""
    quota = account.quota()
    if quota.bytes_limit is not None:
        batch.account_room = quota.bytes_limit - quota.bytes_used
    batch.disk_room = dialogue.services.store.free_space()


def _check(dialogue: Dialogue, batch: _Batch, head: AppendStart | AppendNext) -> None:
    """Whether one more message may come."""
    limits = dialogue.services.limits
    if batch.failure is not None:
        raise batch.failure
    if head.binary:
        raise No(b"", b"binary literals are not supported", b"BAD")
    if not head.size:
        # RFC 3502 §6.3.11: how a client says that it changed its mind.
        raise No(b"", b"an empty message is none")
    if head.size > limits.message_size:
        raise No(b"TOOBIG", b"the message is too big")
    if len(batch.heads) == MOST_MESSAGES:
        raise No(b"LIMIT", b"too many messages at once")
    octets = batch.octets + head.size
    if batch.account_room is not None and octets > batch.account_room:
        raise No(b"OVERQUOTA", b"there is no room left in the account")
    if batch.disk_room < max(limits.free_space, octets * 3 // 2):
        raise No(b"LIMIT", b"the server has no room left")


async def _receive(dialogue: Dialogue, batch: _Batch) -> AppendNext | AppendEnd | None:
    """Take one whole message, also where it can no longer be kept: the dialogue goes on behind it.

    None when there is nothing more to answer: the core has done so, or nobody is there any more.
    """
    limits = dialogue.services.limits
    conn = dialogue.conn
    start = conn.deadline(limits.data_timeout)
    received = 0
    while True:
        # A peer may be slow, but not for ever: time grows with what has come.
        event = await next_event(dialogue, start + received / limits.data_rate)
        match event:
            case LiteralChunk(data=data):
                received += len(data)
                try:
                    if batch.failure is None:
                        batch.spool.write(data)
                except Unavailable as error:
                    batch.failure = error
            case AppendEnd() | AppendNext():
                return event
            case _:
                return None


async def _file(dialogue: Dialogue, account: Account, mailbox: Mailbox, batch: _Batch) -> Answer:
    messages = [
        NewMessage(body, head.flags.mask, head.flags.keywords, head.date)
        for body, head in zip(batch.spool.parts([h.size for h in batch.heads]), batch.heads, strict=True)
    ]
    try:
        uidvalidity, uids = await account.append(mailbox.id, messages)
    except NoSuchMailbox:
        raise No(b"TRYCREATE", b"the mailbox has been deleted meanwhile") from None
    dialogue.filed(account, mailbox.id, uids)
    return ok(b"filed", responses.appenduid(uidvalidity, uids))
