"""Submission: mail from our own users to anyone (RFC 6409)."""

import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Final

from postroad.delivery.accept import Acceptance, Accepted
from postroad.delivery.binary import as_kept
from postroad.delivery.expand import expand, refuse_unresolved
from postroad.delivery.header_checks import check_loop, header_of, lacks_header
from postroad.delivery.rewrite import rewritten
from postroad.delivery.send_alert import post_alert, was_told, write_alert
from postroad.delivery.tls_wish import with_tls_wish
from postroad.directory.directory import Directory
from postroad.directory.resolve import Local, NotOurs
from postroad.directory.send_limits import OverSendLimit, of_settings
from postroad.message.address_list import Mailbox, parse_addresses
from postroad.message.compose import missing_fields, strip_headers
from postroad.message.header import HeaderBlock
from postroad.model.address import Address, AddressError, parse_mailbox
from postroad.model.clock import Clock
from postroad.model.envelope import Envelope, Peer
from postroad.model.octets import Octets
from postroad.model.refusal import Refused, Unavailable
from postroad.obs.log import log
from postroad.policy.limits import Limits
from postroad.policy.space import Space
from postroad.store.store import Store

_PRIVATE: Final = (b"bcc", b"resent-bcc")  # RFC 5322 §3.6.3: not for the recipients' eyes


class Submission:
    """Decides on mail from users who logged in."""

    def __init__(
        self,
        acceptance: Acceptance,
        directory: Directory,
        store: Store,
        space: Space,
        limits: Limits,
        clock: Clock,
        hostname: str,
    ) -> None:
        self._acceptance = acceptance
        self._directory = directory
        self._store = store
        self._space = space
        self._limits = limits
        self._clock = clock
        self._hostname = hostname

    def check_sender(self, peer: Peer, sender: Address | None) -> None:
        """A user may only send from addresses that are theirs (RFC 6409 §6.1).

        The null sender is allowed: clients send disposition notifications with it.

        Raises:
            Refused: 550 5.7.1; 452 4.3.1 when the disk is full.
        """
        self._space.check()
        if sender is not None:
            self._check_own(peer, sender, "sender")

    def check_recipient(self, peer: Peer, address: Address) -> None:
        """Refuse at once what could only bounce: unknown users of our own domains.

        Raises:
            Refused: 550 5.1.1 or 550 5.2.1.
        """
        found = self._directory.resolve(address)
        if not isinstance(found, Local | NotOurs):
            raise refuse_unresolved(found, address)

    async def accept(self, peer: Peer, envelope: Envelope, body: Octets, binary: Octets | None = None) -> str:
        """Complete the message, file it for local recipients, queue it for others.

        Raises:
            Refused: the From field names somebody else, the message is in a loop, or the account has
                sent as much as it may.
            Unavailable, StoreError: nothing was kept.
        """
        self._space.check(len(body))
        header = header_of(body, self._limits)
        block = HeaderBlock.parse(header)
        self._check_from(peer, block)
        expansion = expand(self._directory, envelope.recipients, relay=True)
        if binary is not None:
            # RFC 6376 §5.3: what is signed has to be in the form in which it goes everywhere.
            signed = self._acceptance.signer.signs(block)
            stays = bool(expansion.accounts) or envelope.release is not None or signed
            peer, envelope, body = as_kept(peer, envelope, body, binary, stays=stays)
            header = header_of(body, self._limits)
            block = HeaderBlock.parse(header)
        check_loop(header, self._limits, [])
        private = strip_headers(header, _PRIVATE)
        added = missing_fields(
            block,
            sender=str(envelope.sender or peer.login),
            now=datetime.fromtimestamp(int(self._clock.now()), UTC),
            token=secrets.token_hex(12),
            domain=self._hostname,
        )
        if expansion.remote:
            envelope = with_tls_wish(envelope, header)
        headless = lacks_header(body)
        body_start = 0 if headless else min(len(header) + 2, len(body))
        leaves = None if envelope.release is None else envelope.release.at
        signatures = await self._acceptance.signer.sign(
            added + private + b"\r\n", body, body_start, leaves=leaves
        )
        accepted = Accepted(
            *("out", peer, envelope, expansion),
            answerable=True,
            signatures=signatures,
            send_limits=of_settings(self._limits),
            most_held=self._limits.hold_messages,
        )
        if not added and len(private) == len(header):
            return await self._commit(accepted, body)
        head = added + private + (b"\r\n" if headless else b"")
        with rewritten(self._store, head, body, len(header)) as whole:
            return await self._commit(accepted, whole)

    async def _commit(self, accepted: Accepted, body: Octets) -> str:
        try:
            return f"accepted as {await self._acceptance.commit(accepted, body)}"
        except OverSendLimit as error:
            # Perhaps somebody else has the password: an operator should hear of it.
            log.warning("submission.over_limit", account=accepted.peer.login, reason=error.private)
            await self._alert(accepted.peer, error.private)
            raise

    async def _alert(self, peer: Peer, reason: str) -> None:
        database, account_id, now = self._store.database, peer.account_id, self._clock.now()
        if account_id is None or database.read(partial(was_told, account_id=account_id, now=now)):
            return
        sign = self._acceptance.signer.signed
        mail = write_alert(peer.login, reason, hostname=self._hostname, now=now, sign=sign)
        try:
            await database.write(lambda tx: post_alert(tx, account_id, mail))
        except Unavailable as error:
            log.warning("submission.alert_lost", account=peer.login, error=str(error))

    async def refused(
        self, peer: Peer, sender: str, recipients: Sequence[str], refusals: Sequence[str]
    ) -> None:
        """Keep the trail of what a session was refused."""
        await self._acceptance.refused(peer, sender, recipients, refusals)

    def _check_from(self, peer: Peer, block: HeaderBlock) -> None:
        """Every author, and the Sender if one is named, has to be the user (RFC 6409 §8.1).

        Exactly one From field is wanted (RFC 5322 §3.6): with two, what one
        reader shows is not what another has checked.
        """
        fields = block.all(b"from") + block.all(b"sender")
        if block.count(b"from") > 1:
            raise Refused(550, "5.6.0", "the message has more than one From field")
        for value in fields:
            for entry in parse_addresses(value):
                if not isinstance(entry, Mailbox):
                    continue  # the name of a group is no address
                try:
                    author = parse_mailbox(entry.address)
                except AddressError as error:
                    raise Refused(
                        550, "5.6.0", "a From or Sender address cannot be read", str(error)
                    ) from error
                self._check_own(peer, author, "author")

    def _check_own(self, peer: Peer, address: Address, role: str) -> None:
        if peer.account_id is None or not self._directory.may_send_as(peer.account_id, address):
            raise Refused(
                550, "5.7.1", f"{role} address is not yours to use", f"{peer.login} may not send as {address}"
            )
