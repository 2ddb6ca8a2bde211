"""The judge of strangers' mail: what it is told when a message is whole, and what it says of it."""

from collections.abc import Callable

from msgspec import Struct

from postroad.config.sender_auth import SenderAuth
from postroad.delivery.sender_auth.checks import check
from postroad.delivery.sender_auth.decide import decide
from postroad.delivery.sender_auth.fields import auth_results, received_spf
from postroad.delivery.sender_auth.notes import notes_of
from postroad.delivery.sender_auth.results import DmarcResults
from postroad.mailauth.authres.forged import forged_fields, without
from postroad.mailauth.authres.values import AuthResults
from postroad.mailauth.authres.write import field
from postroad.mailauth.spf.client import Client
from postroad.model.address import unicode_domain
from postroad.model.clock import Clock
from postroad.model.envelope import Envelope, Peer
from postroad.model.octets import Octets
from postroad.model.resolver import Resolver
from postroad.obs.log import log
from postroad.trail.note import Note


class Standing(Struct, frozen=True):
    """How a message stands that is taken."""

    trace: bytes = b""
    """Fields for the top of it."""
    notes: tuple[Note, ...] = ()
    junk: frozenset[str] = frozenset()
    """Domains of ours whose recipients get it filed as junk."""
    name: str = ""
    """The client's name, when it leads back to its address."""
    results: AuthResults | None = None
    """All verdicts, for the ARC set of what is sent on."""
    author: str = ""
    """The domain in From, when it vouches for the message by DMARC."""


class SenderJudge:
    """Judges messages of strangers; one object serves all sessions."""

    def __init__(
        self,
        settings: SenderAuth,
        resolver: Resolver,
        clock: Clock,
        hostname: str,
        results: DmarcResults | None = None,
        wish_of: Callable[[str], str | None] = lambda _: None,
    ) -> None:
        """With `results` verdicts are counted, for reports to the domains that they are about.

        `wish_of` says `enforce` or `monitor` for a domain that does not go by the settings.
        """
        self._wish_of = wish_of
        self._settings = settings
        self._results = results
        self._resolver = resolver
        self._clock = clock
        self._hostname = hostname
        self._id = settings.authserv_id or hostname
        ours = {self._id.lower(), hostname.lower()}
        self._names = frozenset(ours | {unicode_domain(name) for name in ours})

    async def judge(self, peer: Peer, envelope: Envelope, header: bytes, message: Octets) -> Standing:
        """Check where a message is from; `header` is the header block of `message`.

        Raises:
            Refused: 550 5.7.1 for what its domain asks to refuse, or for want of one From;
                451 4.7.0 when the settings say so and the DNS is silent.
        """
        try:
            client = Client.of(peer.address.partition("%")[0], peer.helo, self._hostname, self._clock.now())
        except ValueError:
            return Standing()  # it did not come over the Internet
        judged = await check(self._resolver, self._settings, client, envelope.sender, header, message)
        recipients = {recipient.address.domain for recipient in envelope.recipients}
        decision = decide(self._settings, judged, client.address, recipients, self._wish_of)
        log.info(
            "sender.judged",
            conn=peer.connection_id,
            author=judged.author.domain,
            spf=judged.spf.verdict,
            dkim=[one.result.value for one in judged.dkim.results],
            dmarc=judged.dmarc.verdict,
            policy=judged.dmarc.policy,
            done=decision.disposition,
            questions=judged.questions,
        )
        if self._results is not None:
            await self._results.note(judged, decision, envelope.sender)
        if decision.refusal is not None:
            raise decision.refusal
        results = auth_results(self._id, judged, decision, client, envelope.sender)
        trace = field(results)
        if self._settings.received_spf:
            trace += received_spf(judged.spf, client, envelope.sender)
        notes = tuple(notes_of(judged, decision, str(client.address)))
        author = judged.author.domain if judged.dmarc.verdict == "pass" else ""
        return Standing(trace, notes, decision.junk, judged.iprev.name, results, author)

    def without_forged(self, header: bytes) -> bytes | None:
        """The header without verdicts in our name; None when there are none in it (RFC 8601 §5)."""
        places = forged_fields(header, self._names)
        return without(header, places) if places else None
