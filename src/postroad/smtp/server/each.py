"""LMTP: the end of a message is answered for each recipient (RFC 2033 §4.2)."""

from msgspec import Struct
from msgspec.structs import replace

from postroad.model.octets import Octets
from postroad.model.refusal import Refused
from postroad.smtp.server import errors
from postroad.smtp.server.services import Services
from postroad.smtp.server.transaction import Transaction
from postroad.smtp.wire.replies import Reply
from postroad.store.errors import StoreError


class Answer(Struct, frozen=True):
    """What became of one RCPT."""

    address: str
    reply: Reply
    private: str = ""
    """The reason that the peer is not told."""


async def accept_each(services: Services, transaction: Transaction, connection_id: str) -> list[Answer]:
    """Have a message taken; gives an answer for each RCPT, in their order.

    All of them get it in one transaction. Only where that fails because of
    somebody (a full mailbox, a forwarding loop) each is tried by itself.
    """
    try:
        if transaction.failed is not None:
            return [Answer(key, transaction.failed) for key in transaction.asked]
        body, binary = transaction.whole(services.store), None
        if transaction.is_binary:
            body, binary = await transaction.unbinary(body, services.store), body
        envelope = transaction.envelope()
        try:
            text = await services.acceptor.accept(transaction.peer, envelope, body, binary)
        except (Refused, StoreError):
            if len(envelope.recipients) == 1:
                raise
            return await _one_by_one(services, transaction, (body, binary), connection_id)
    except Exception as error:
        return [_refusal(key, error, connection_id) for key in transaction.asked]
    return [Answer(key, Reply(250, "2.0.0", text)) for key in transaction.asked]


async def _one_by_one(
    services: Services, transaction: Transaction, message: tuple[Octets, Octets | None], connection_id: str
) -> list[Answer]:
    envelope = transaction.envelope()
    answers: dict[str, Answer] = {}
    for recipient in envelope.recipients:
        key = recipient.address.key
        try:
            alone = replace(envelope, recipients=(recipient,))
            text = await services.acceptor.accept(transaction.peer, alone, *message)
            answers[key] = Answer(key, Reply(250, "2.0.0", text))
        except Exception as error:
            answers[key] = _refusal(key, error, connection_id)
    return [answers[key] for key in transaction.asked]


def _refusal(key: str, error: Exception, connection_id: str) -> Answer:
    return Answer(key, *errors.refusal(error, connection_id, "accept_each"))
