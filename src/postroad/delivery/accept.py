"""From an accepted message to mailboxes, queue and trail: one transaction for all of it."""

import time
from collections.abc import Mapping, Sequence
from itertools import count
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from postroad.db.transaction import Transaction
from postroad.delivery import bounce
from postroad.delivery.bounce import Notice
from postroad.delivery.expand import Expansion
from postroad.delivery.forwarding import Forwarding
from postroad.delivery.local import Delivery, deliver
from postroad.delivery.sealing import Sealer
from postroad.delivery.sender_auth.service import Standing
from postroad.delivery.signing import Signatures, Signer
from postroad.delivery.trace_fields import forward_field, received
from postroad.directory.send_limits import SendLimits, charge
from postroad.message.header import MAX_HEADER
from postroad.model.address import Address
from postroad.model.clock import Clock
from postroad.model.envelope import Envelope, Peer, Recipient
from postroad.model.octets import Octets
from postroad.model.refusal import Refused, Unavailable
from postroad.obs.log import log
from postroad.obs.metrics import ACCEPTED, ACCEPTED_WITHIN, MESSAGES
from postroad.queue.claims import Claims
from postroad.queue.item import text_id as queue_text_id
from postroad.queue.spool import enqueue
from postroad.store.errors import StoreError
from postroad.store.filing import Blob, Sheet, put_blobs
from postroad.store.prepare import Parcel, pack_up, prepare
from postroad.store.store import Store
from postroad.trail import record
from postroad.trail.note import Fact, Kind, Note, text_id


class Accepted(Struct, frozen=True):
    """One message that passed every check, and where it goes."""

    way: Kind
    peer: Peer
    envelope: Envelope
    expansion: Expansion
    answerable: bool = False
    """What the sender asked to be told will not reach somebody else."""
    signatures: Signatures = Signatures()
    """DKIM-Signature fields, which go below the Received field of this hop."""
    send_limits: SendLimits | None = None
    """What the account of the sender may send; None: it is not counted."""
    most_held: int = 0
    """Messages of the account that may be held at a time."""
    standing: Standing = Standing()
    """Where it is from, as far as that was asked."""


class Taken(NamedTuple):
    """A message that is about to be written, with what was worked out about it before."""

    accepted: Accepted
    parcel: Parcel
    seals: Mapping[str, bytes]

    @property
    def users(self) -> int:
        """Of its octets."""
        accepted = self.accepted
        return accepted.expansion.copies if accepted.envelope.release is None else 1


class Message(Struct, frozen=True):
    """A message that is in a pack, on its way to mailboxes and queue."""

    envelope: Envelope
    delivery: Delivery
    account_id: int | None
    """Who submitted it, if one of ours did."""
    trail_id: int


class Acceptance:
    """Commits accepted messages; shared by mail exchange and submission."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        hostname: str,
        signer: Signer,
        forwarding: Forwarding | None = None,
        sealer: Sealer | None = None,
        claims: Claims | None = None,
    ) -> None:
        """Without `forwarding` aliases send mail on under its first sender's name, without a `sealer`
        nothing is told of what was found about it. `claims` are of this worker's part in the queue, with
        which what goes elsewhere goes on at once.
        """
        self._store = store
        self._forwarding = forwarding
        self._clock = clock
        self._hostname = hostname
        self.signer = signer
        self._sealer = sealer
        self._claims = claims

    async def commit(self, accepted: Accepted, body: Octets) -> str:
        """File and queue a message; durable when this returns its public id.

        Raises:
            StoreError, Unavailable: nothing of it was kept.
        """
        started = time.perf_counter()
        filed = accepted.expansion.accounts and accepted.envelope.release is None
        parcel = await (prepare(body) if filed else pack_up(body))
        seals = await self._seals(accepted, body) if accepted.expansion.via else {}
        taken = Taken(accepted, parcel, seals)
        trail_id = await self._store.database.write_together(self._write_all, taken)
        # There is no mail to an address that anybody could have given; held mail has not arrived anywhere.
        if accepted.answerable and accepted.envelope.release is None:
            await self.confirm(accepted.envelope, accepted.expansion, body[:MAX_HEADER], trail_id)
        ACCEPTED[accepted.way].count += 1
        ACCEPTED_WITHIN[accepted.way].observe(time.perf_counter() - started)
        return text_id(trail_id)

    async def refused(
        self, peer: Peer, sender: str, recipients: Sequence[str], refusals: Sequence[str]
    ) -> None:
        """Keep one trail of a session in which we said no."""
        facts: dict[str, Fact] = {**_connection_facts(peer), "refusals": list(refusals)}
        await self._store.database.write(
            lambda tx: record.begin(
                tx, kind="refused", sender=sender, recipients=recipients, notes=[Note("refused", facts)]
            )
        )
        MESSAGES.labels("submitted" if peer.account_id is not None else "in", "refused").inc()

    async def confirm(self, envelope: Envelope, expansion: Expansion, header: Octets, trail_id: int) -> None:
        """Tell the sender, who asked for it, of the mail that has arrived here; it stands in any case."""
        receipt = bounce.receipt(
            envelope,
            expansion.confirmed,
            header,
            hostname=self._hostname,
            now=self._clock.now(),
            sign=self.signer.signed,
        )
        if receipt is not None:
            await self._post(receipt, trail_id)

    async def _post(self, receipt: Notice, trail_id: int) -> None:

        def post(tx: Transaction) -> None:
            record.add(tx, trail_id, [bounce.post(tx, receipt)])

        try:
            await self._store.database.write(post)
        except (StoreError, Unavailable) as error:
            log.warning("receipt.lost", trail=text_id(trail_id), reason=f"{type(error).__name__}: {error}")

    async def _seals(self, accepted: Accepted, body: Octets) -> dict[str, bytes]:
        """ARC sets by the domain of the alias, for mail of strangers that leaves again."""
        results, via = accepted.standing.results, accepted.expansion.via
        if self._sealer is None or results is None or not via:
            return {}
        domains = {alias.domain for alias in via.values()}
        return await self._sealer.seals(domains, results, body)

    def _write_all(self, tx: Transaction, messages: Sequence[Taken]) -> list[int]:
        """File and queue messages; give their trails."""
        blobs = put_blobs(tx, [(taken.parcel, taken.users) for taken in messages])
        sheet = Sheet()
        trails = [
            self._write(tx, trail_id, taken, blob, sheet)
            for trail_id, taken, blob in zip(count(record.next_id(tx)), messages, blobs, strict=False)
        ]
        sheet.write(tx)
        record.begin_all(tx, trails)
        return [trail.trail_id for trail in trails]

    def _write(
        self, tx: Transaction, trail_id: int, taken: Taken, blob: Blob, sheet: Sheet
    ) -> record.Beginning:
        accepted, parcel, seals = taken
        envelope, expansion, peer = accepted.envelope, accepted.expansion, accepted.peer
        identity = text_id(trail_id)
        only = envelope.recipients[0].address if len(envelope.recipients) == 1 else None
        standing = accepted.standing
        trace = standing.trace + received(
            peer,
            hostname=self._hostname,
            message_id=identity,
            now=tx.now,
            recipient=only,
            priority=envelope.priority,
        )
        if accepted.send_limits is not None and peer.account_id is not None:
            charge(tx, peer.account_id, [r.address for r in expansion.remote.values()], accepted.send_limits)
        delivery = Delivery(envelope.sender, blob, parcel, trace + accepted.signatures.fields, standing.junk)
        notes = [Note("received", {**_connection_facts(peer), "size": parcel.size}), *standing.notes]
        if envelope.priority is not None:
            notes[0].facts["priority"] = envelope.priority
        notes += accepted.signatures.notes
        message = Message(envelope, delivery, peer.account_id, trail_id)
        if envelope.release is not None:
            notes += hold(tx, message, accepted.most_held)
        else:
            notes += self.spread(tx, message, expansion, seals, sheet)
        title, recipients = parcel.title, [str(r.address) for r in envelope.recipients]
        return record.Beginning(
            *(trail_id, accepted.way, _sender(envelope.sender), recipients),
            *(title.message_id, title.subject, notes),
        )

    def spread(
        self,
        tx: Transaction,
        message: Message,
        expansion: Expansion,
        seals: Mapping[str, bytes],
        sheet: Sheet,
    ) -> list[Note]:
        """File a message here, on a sheet that is to be written, and queue it for elsewhere.

        Gives notes for its trail. Its blob has a user for each of them already (`Expansion.copies`).
        """
        notes = deliver(tx, message.delivery, expansion.accounts.values(), sheet)
        notes += [
            Note("forwarded", {"alias": alias, "to": targets})
            for alias, targets in expansion.forwarded.items()
        ]
        for alias, recipients in expansion.outgoing():
            path = self._reverse_path(tx, message.envelope.sender, alias)
            top = b"" if alias is None else seals.get(alias.domain, b"") + forward_field(alias)
            if alias is not None and seals.get(alias.domain):
                notes.append(Note("sealed", {"domain": alias.domain, "alias": str(alias)}))
            facts = _queued_facts(_enqueue(tx, message, recipients, top, path, self._claims), recipients)
            notes.append(Note("queued", facts if path is None else {**facts, "sender": str(path)}))
        return notes

    def _reverse_path(self, tx: Transaction, sender: Address | None, alias: Address | None) -> Address | None:
        if alias is None or self._forwarding is None:
            return None
        return self._forwarding.reverse_path(tx, sender, alias)


def hold(tx: Transaction, message: Message, most: int) -> list[Note]:
    """Queue a message for everybody whom its sender has named until it may go (RFC 4865).

    Who they are here and now is of no matter: addresses are resolved when it goes.

    Raises:
        Refused: 554 5.7.16, the account has as many held messages as it may (RFC 4865 §6).
    """
    release, account_id = message.envelope.release, message.account_id
    assert release is not None, "nothing asks for it to be held"
    held: int = tx.value(
        "SELECT count(*) FROM queue_item WHERE account_id = ? AND release_at > ?", account_id, tx.now
    )
    if held >= most:
        reason = f"{held} messages are held for the account, [limits] hold_messages is {most}"
        raise Refused(554, "5.7.16", "as many messages are held for you as may be", reason)
    recipients = [_named(tx, recipient) for recipient in message.envelope.recipients]
    facts = _queued_facts(_enqueue(tx, message, recipients), recipients)
    return [Note("queued", {**facts, "until": release.at})]


def _named(tx: Transaction, recipient: Recipient) -> Recipient:
    """A recipient with a domain: the bare `<postmaster>` is that of the first one (RFC 5321 §4.5.1)."""
    address = recipient.address
    if address.domain:
        return recipient
    domain = tx.value("SELECT name FROM domain ORDER BY id LIMIT 1")
    return replace(recipient, address=Address(address.local, domain, address.utf8))


def _queued_facts(key: str, recipients: Sequence[Recipient]) -> dict[str, Fact]:
    return {"queue": key, "recipients": [str(recipient.address) for recipient in recipients]}


def _enqueue(
    tx: Transaction,
    message: Message,
    recipients: Sequence[Recipient],
    top: bytes = b"",
    reverse_path: Address | None = None,
    claims: Claims | None = None,
) -> str:
    """Queue the message for some recipients, with the fields `top` above all others; give the queue id."""
    envelope, delivery = message.envelope, message.delivery
    prefix = top + delivery.received
    number = enqueue(
        tx,
        sender=envelope.sender,
        recipients=recipients,
        blob=delivery.blob,
        prefix=prefix,
        size=len(prefix) + delivery.parcel.size,
        account_id=message.account_id,
        trail_id=message.trail_id,
        ret=envelope.ret,
        envid=envelope.envid,
        body=envelope.body,
        smtputf8=envelope.smtputf8,
        tls=envelope.tls,
        reverse_path=reverse_path,
        release=envelope.release,
        priority=envelope.priority or 0,
        deliver_by=envelope.deliver_by,
        taker=None if claims is None else claims.on(delivery.blob, delivery.parcel),
    )
    return queue_text_id(number)


def _sender(sender: Address | None) -> str:
    return "" if sender is None else str(sender)


def _connection_facts(peer: Peer) -> dict[str, Fact]:
    facts: dict[str, Fact] = {
        "protocol": peer.protocol,
        "address": peer.address,
        "connection": peer.connection_id,
    }
    for name, value in (
        ("helo", peer.helo),
        ("name", peer.reverse_name),
        ("tls", peer.tls),
        ("login", peer.login),
    ):
        if value:
            facts[name] = value
    if peer.facts:
        facts["also"] = list(peer.facts)
    return facts
