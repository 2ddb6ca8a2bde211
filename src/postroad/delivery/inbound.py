"""Mail exchange: what strangers may send, which is mail for our own addresses."""

from collections.abc import Sequence
from typing import Protocol

from msgspec.structs import replace

from postroad.delivery.accept import Acceptance, Accepted
from postroad.delivery.binary import as_kept
from postroad.delivery.dmarc_received import is_dmarc_report, keep_dmarc_report
from postroad.delivery.expand import Expansion, expand, refuse_unresolved
from postroad.delivery.failures_received import is_failure_report, keep_failure_report
from postroad.delivery.forwarding import Forwarding
from postroad.delivery.header_checks import check_loop, header_of, lacks_header
from postroad.delivery.rewrite import rewritten
from postroad.delivery.sender_auth.service import SenderJudge, Standing
from postroad.delivery.tls_received import is_tls_report, keep_tls_report
from postroad.delivery.tls_wish import with_tls_wish
from postroad.delivery.unvouched import withhold_notices
from postroad.directory.directory import Directory
from postroad.directory.resolve import AccountTarget, Local, Unknown
from postroad.mailauth.srs import looks_rewritten
from postroad.model.address import Address
from postroad.model.envelope import Envelope, Peer
from postroad.model.octets import Octets
from postroad.model.refusal import Refused
from postroad.policy.limits import Limits
from postroad.policy.space import Space
from postroad.store.store import Store


class Harvests(Protocol):
    """Counts who asks for addresses that are not there (see `policy.shared_counts`)."""

    def unknown_recipient(self, address: str) -> None: ...

    def harvests(self, address: str) -> bool: ...


class Senders(Protocol):
    """Knows whether a stranger is where its mail comes from (see `policy.known_sender`)."""

    async def answers_at(self, sender: Address, address: str) -> bool: ...


class Inbound:
    """Decides on mail from other servers (the port 25 role). Never relays."""

    def __init__(
        self,
        acceptance: Acceptance,
        directory: Directory,
        store: Store,
        space: Space,
        limits: Limits,
        harvests: Harvests | None,
        senders: Senders,
        judge: SenderJudge | None = None,
        forwarding: Forwarding | None = None,
    ) -> None:
        """Without a `judge` nobody asks where mail is from, without `forwarding` no bounce finds back.

        Without `harvests` a peer may ask for as many unknown recipients as it likes.
        """
        self._acceptance = acceptance
        self._directory = directory
        self._store = store
        self._space = space
        self._limits = limits
        self._harvests = harvests
        self._senders = senders
        self._judge = judge
        self._forwarding = forwarding

    def check_sender(self, peer: Peer, sender: Address | None) -> None:
        """Anyone may be a sender here; the disk has the say whether there is room."""
        self._space.check()

    def check_recipient(self, peer: Peer, address: Address) -> None:
        """Refuse recipients that are unknown, not ours, suspended or full, here and now.

        Raises:
            Refused: 550 5.1.1, 550 5.7.1, 550 5.2.1, 452 4.2.2, or 450 4.7.1 for one that
                has asked for too many unknown recipients today.
        """
        harvests = self._harvests
        if harvests is not None and harvests.harvests(peer.address):
            raise Refused(450, "4.7.1", "too many unknown recipients from your address, come back tomorrow")
        found = self._directory.resolve(address)
        if not isinstance(found, Local):
            if isinstance(found, Unknown) and self._original(address) is not None:
                return
            if isinstance(found, Unknown) and harvests is not None:
                harvests.unknown_recipient(peer.address)
            raise refuse_unresolved(found, address)
        for target in found.targets:
            if not isinstance(target, AccountTarget) or not target.limited:
                continue
            if self._store.account(target.account_id).quota().is_full:
                raise Refused(452, "4.2.2", "mailbox full", f"{target.address} is over quota")

    async def accept(self, peer: Peer, envelope: Envelope, body: Octets, binary: Octets | None = None) -> str:
        """Take the message for good; give the text behind the 250.

        Raises:
            Refused: a loop, a header beyond the limits, a recipient gone since RCPT, a sender
                that its domain disowns.
            Unavailable, StoreError: nothing was kept.
        """
        self._space.check(len(body))
        expansion = expand(self._directory, envelope.recipients, relay=False, original=self._original)
        self._check_returning(envelope)
        came = body if binary is None else binary
        peer, envelope, body = as_kept(peer, envelope, body, binary, stays=bool(expansion.accounts))
        header = header_of(body, self._limits)
        check_loop(header, self._limits, _forwarders(envelope, expansion))
        if expansion.remote:
            envelope = with_tls_wish(envelope, header)
        standing = Standing()
        head, start = (b"\r\n", 0) if not header and lacks_header(body) else (None, len(header))
        if self._judge is not None:
            standing = await self._judge.judge(peer, envelope, header_of(came, self._limits), came)
            head = head or self._judge.without_forged(header)
            if is_dmarc_report(header):
                await keep_dmarc_report(self._store.database, body, standing.author)
        if is_failure_report(header):
            await keep_failure_report(self._store.database, body, standing.author)
        if is_tls_report(header):
            await keep_tls_report(self._store.database, body, standing.author)
        answerable = False
        if any("SUCCESS" in recipient.notify for recipient in envelope.recipients):
            answerable = await self._is_answerable(peer, envelope.sender, standing)
            if not answerable:
                expansion.forgo_success()
        standing = withhold_notices(envelope.sender, expansion, standing)
        accepted = Accepted(
            "in", _named(peer, standing.name), envelope, expansion, answerable, standing=standing
        )
        if head is None:
            return f"accepted as {await self._acceptance.commit(accepted, body)}"
        with rewritten(self._store, head, body, start) as whole:
            return f"accepted as {await self._acceptance.commit(accepted, whole)}"

    async def refused(
        self, peer: Peer, sender: str, recipients: Sequence[str], refusals: Sequence[str]
    ) -> None:
        """Keep the trail of what a session was refused."""
        await self._acceptance.refused(peer, sender, recipients, refusals)

    async def _is_answerable(self, peer: Peer, sender: Address | None, standing: Standing) -> bool:
        """Whether what is sent back reaches who has sent, and nobody who has been made up."""
        if sender is None:
            return False
        if standing.results is not None and any(
            verdict.result == "pass" for verdict in standing.results.of("spf")
        ):
            return True
        return await self._senders.answers_at(sender, peer.address)

    def _original(self, address: Address) -> Address | None:
        """Whom a rewritten sender stands for."""
        return None if self._forwarding is None else self._forwarding.original(address)

    def _check_returning(self, envelope: Envelope) -> None:
        """Who has seen such an address must not be able to write to the one in it by way of us."""
        if self._forwarding is None or envelope.sender is None:
            return
        for recipient in envelope.recipients:
            address = recipient.address
            if looks_rewritten(address) and isinstance(self._directory.resolve(address), Unknown):
                raise Refused(
                    550, "5.7.1", "the address takes bounces alone", f"{address} is a rewritten sender"
                )


def _forwarders(envelope: Envelope, expansion: Expansion) -> list[Address]:
    forwarded = expansion.forwarded
    return [r.address for r in envelope.recipients if str(r.address) in forwarded] if forwarded else []


def _named(peer: Peer, name: str) -> Peer:
    return replace(peer, reverse_name=name) if name else peer
