"""What becomes of held messages when their time has come (RFC 4865): some of their recipients are here."""

from collections.abc import Callable, Sequence
from typing import Final, Protocol

from msgspec.structs import replace

from postroad.db.transaction import Transaction
from postroad.delivery.accept import Acceptance, Message
from postroad.delivery.expand import Expansion, expand
from postroad.delivery.local import Delivery
from postroad.directory.directory import Directory
from postroad.message.header import MAX_HEADER
from postroad.model.envelope import Envelope, Recipient, Wish
from postroad.model.refusal import Refused
from postroad.queue.item import Item, QueuedRecipient, Work
from postroad.queue.spool import remove_recipients
from postroad.smtp.exchange import Lapsed, Source
from postroad.smtp.outcome import Outcome, Verdict
from postroad.store.errors import LimitReached, OverQuota, StoreError
from postroad.store.filing import Blob, Sheet
from postroad.store.prepare import Prepared, prepare
from postroad.store.store import Store
from postroad.trail import record

_FILED: Final = Outcome(
    Verdict.DELIVERED, 250, "2.0.0", "filed here", spoken=False, dsn_passed=True, filed=True, final=True
)


class Elsewhere(Protocol):
    """What hands messages to other servers (`delivery.remote`)."""

    async def deliver(self, work: Work, source: Source, still_ours: Callable[[], bool]) -> list[Outcome]: ...

    async def close(self) -> None: ...


class Releases:
    """Delivers the work of the queue; it files what was held for somebody of a domain of ours."""

    def __init__(
        self,
        elsewhere: Elsewhere,
        store: Store,
        directory: Directory,
        acceptance: Callable[[], Acceptance],
    ) -> None:
        self._elsewhere = elsewhere
        self._store = store
        self._directory = directory
        self._acceptance = acceptance

    async def deliver(self, work: Work, source: Source, still_ours: Callable[[], bool]) -> list[Outcome]:
        """Give an outcome for each recipient, in their order.

        Raises:
            Lapsed: another worker has taken over.
            Unavailable: the database cannot be written.
        """
        if work.item.release is None or not self._directory.is_local_domain(work.destination):
            return await self._elsewhere.deliver(work, source, still_ours)
        prepared = await prepare(source.read(len(work.item.prefix), source.size))
        try:
            await self._file(work, work.recipients, prepared)
        except (Refused, StoreError) as error:
            if len(work.recipients) == 1:
                return [_refusal(error)]
            return [await self._file_one(work, recipient, prepared) for recipient in work.recipients]
        return [_FILED] * len(work.recipients)

    async def close(self) -> None:
        """Say goodbye to other servers."""
        await self._elsewhere.close()

    async def _file_one(self, work: Work, recipient: QueuedRecipient, prepared: Prepared) -> Outcome:
        try:
            await self._file(work, [recipient], prepared)
        except (Refused, StoreError) as error:
            return _refusal(error)
        return _FILED

    async def _file(self, work: Work, recipients: Sequence[QueuedRecipient], prepared: Prepared) -> None:
        """File it for all of them and tell the sender who asked to be told."""
        envelope = _envelope(work.item, recipients)
        expansion = expand(self._directory, envelope.recipients, relay=False)
        await self._store.database.write(
            lambda tx: self._write(tx, work, recipients, envelope, expansion, prepared)
        )
        header = bytes(prepared.body[:MAX_HEADER])
        await self._acceptance().confirm(envelope, expansion, header, work.item.trail_id)

    def _write(
        self,
        tx: Transaction,
        work: Work,
        recipients: Sequence[QueuedRecipient],
        envelope: Envelope,
        expansion: Expansion,
        prepared: Prepared,
    ) -> None:
        """In one transaction into the mailboxes and out of the queue: nobody gets it twice, or never."""
        item, numbers = work.item, [recipient.n for recipient in recipients]
        leased = {n for (n,) in tx.rows("SELECT n FROM queue_recipient WHERE lease_id = ?", work.lease_id)}
        if not leased.issuperset(numbers):
            raise Lapsed
        row = tx.row("SELECT id, pack, offset FROM blob WHERE id = ?", item.blob_id)
        assert row is not None, "an item has its octets"
        tx.run("UPDATE blob SET refs = refs + ? WHERE id = ?", expansion.copies, item.blob_id)
        assert envelope.release is not None, "only what was held comes here"
        # Somebody may have let it go before its time.
        release = replace(envelope.release, at=min(envelope.release.at, tx.now))
        delivery = Delivery(item.sender, Blob(*row), prepared, item.prefix)
        message = Message(replace(envelope, release=release), delivery, item.account_id, item.trail_id)
        sheet = Sheet()
        record.add(tx, item.trail_id, self._acceptance().spread(tx, message, expansion, {}, sheet))
        sheet.write(tx)
        remove_recipients(tx, item, numbers)


def _envelope(item: Item, recipients: Sequence[QueuedRecipient]) -> Envelope:
    return Envelope(
        item.sender,
        tuple(Recipient(r.address, r.notify, r.original) for r in recipients),
        body=item.body,
        smtputf8=item.smtputf8,
        ret=item.ret,
        envid=item.envid,
        tls=Wish(item.tls),
        release=item.release,
        priority=item.priority,
        deliver_by=item.deliver_by,
    )


def _refusal(error: Refused | StoreError) -> Outcome:
    match error:
        case Refused():
            verdict = Verdict.FAILED if error.code >= 500 else Verdict.DEFERRED
            return Outcome(verdict, error.code, error.enhanced, error.public, spoken=False)
        case OverQuota() | LimitReached():
            return Outcome(Verdict.DEFERRED, 452, "4.2.2", "mailbox full", spoken=False)  # RFC 3463 §3.3
        case _:
            return Outcome(Verdict.DEFERRED, 451, "4.3.0", str(error), spoken=False)
