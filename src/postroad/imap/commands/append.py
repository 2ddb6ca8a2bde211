"""APPEND (RFC 3501 §6.3.11, RFC 7889): a message of any size in bounded memory."""

from postroad.imap.answer import Answer, No, ok
from postroad.imap.dialogue import Dialogue
from postroad.imap.errors import answer_to
from postroad.imap.events import next_event
from postroad.imap.wire import responses
from postroad.imap.wire.commands import AppendEnd, AppendStart, LiteralChunk
from postroad.model.refusal import Unavailable
from postroad.store.blobs.spool import Spool
from postroad.store.errors import NoSuchMailbox, StoreError
from postroad.store.types import Mailbox, NewMessage


async def append(dialogue: Dialogue, command: AppendStart) -> Answer | None:
    """File a message; whatever can be known beforehand is refused before it is sent."""
    try:
        mailbox = dialogue.mailbox(command.mailbox, code=b"TRYCREATE")
        _check(dialogue, command)
    except (No, StoreError) as error:
        answer = answer_to(error)
        assert answer is not None
        await dialogue.catch_up(expunge=True)
        dialogue.core.refuse_literal(answer.status, answer.text, answer.code)
        return None
    dialogue.core.accept_literal()
    with dialogue.services.store.spool() as spool:
        failure = await _receive(dialogue, spool)
        if dialogue.over or isinstance(failure, _Aborted):
            return None
        if failure is not None:
            raise failure
        return await _file(dialogue, command, mailbox, spool)


class _Aborted(Exception):
    """The core has answered already."""


def _check(dialogue: Dialogue, command: AppendStart) -> None:
    limits = dialogue.services.limits
    if command.binary:
        raise No(b"", b"binary literals are not supported", b"BAD")
    if not command.size:
        # RFC 3502 §6.3.11: how a client says that it changed its mind.
        raise No(b"", b"an empty message is none")
    if command.size > limits.message_size:
        raise No(b"TOOBIG", b"the message is too big")
    quota = dialogue.account.quota()
    if quota.bytes_limit is not None and quota.bytes_used + command.size > quota.bytes_limit:
        raise No(b"OVERQUOTA", b"there is no room left in the account")
    if dialogue.services.store.free_space() < max(limits.free_space, command.size * 3 // 2):
        raise No(b"LIMIT", b"the server has no room left")


async def _receive(dialogue: Dialogue, spool: Spool) -> Exception | None:
    """Take the whole message, also where it can no longer be kept: the dialogue goes on behind it."""
    limits = dialogue.services.limits
    conn = dialogue.conn
    start = conn.deadline(limits.data_timeout)
    failure: Unavailable | None = None
    received = 0
    while True:
        # A peer may be slow, but not for ever: time grows with what has come.
        event = await next_event(dialogue, start + received / limits.data_rate)
        match event:
            case LiteralChunk(data=data):
                received += len(data)
                try:
                    if failure is None:
                        spool.write(data)
                except Unavailable as error:
                    failure = error
            case AppendEnd():
                return failure
            case _:
                return _Aborted()


async def _file(dialogue: Dialogue, command: AppendStart, mailbox: Mailbox, spool: Spool) -> Answer:
    message = NewMessage(spool.finish(), command.flags.mask, command.flags.keywords, command.date)
    try:
        uidvalidity, uids = await dialogue.account.append(mailbox.id, [message])
    except NoSuchMailbox:
        raise No(b"TRYCREATE", b"the mailbox has been deleted meanwhile") from None
    return ok(b"filed", responses.appenduid(uidvalidity, uids))
