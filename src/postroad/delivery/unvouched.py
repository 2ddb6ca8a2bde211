"""Senders whom nobody vouches for: they hear nothing of mail that may not be theirs (RFC 5321 §6.2)."""

from msgspec.structs import replace

from postroad.delivery.expand import Expansion
from postroad.delivery.sender_auth.service import Standing
from postroad.mailauth.authres.values import AuthResults
from postroad.model.address import Address
from postroad.trail.note import Note


def withhold_notices(sender: Address | None, expansion: Expansion, standing: Standing) -> Standing:
    """Let nobody be told of what is sent on elsewhere, if its sender may be made up; the trail says so."""
    results = standing.results
    if not expansion.remote or sender is None or results is None or is_vouched_for(sender, results):
        return standing
    expansion.forgo_notices()
    note = Note("unanswered", {"sender": str(sender), "domain": sender.domain})
    return replace(standing, notes=(*standing.notes, note))


def is_vouched_for(sender: Address, results: AuthResults) -> bool:
    """Whether SPF, DMARC or a signature of the sender's domain says that a message is from there (SAFETY C9).

    Where a signature holds although SPF does not, somebody has sent the message on.
    """
    if any(verdict.result == "pass" for method in ("spf", "dmarc") for verdict in results.of(method)):
        return True
    within = f".{sender.domain.lower()}"
    return any(
        within.endswith(f".{one.value.lower()}")
        for verdict in results.of("dkim")
        if verdict.result == "pass"
        for one in verdict.properties
        if (one.ptype, one.name) == ("header", "d")
    )
