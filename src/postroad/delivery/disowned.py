"""Senders that somebody made up: they hear nothing of mail that is not theirs (RFC 5321 §6.2)."""

from msgspec.structs import replace

from postroad.delivery.expand import Expansion
from postroad.delivery.sender_auth.service import Standing
from postroad.mailauth.authres.values import AuthResults
from postroad.model.address import Address
from postroad.trail.note import Note


def withhold_notices(sender: Address | None, expansion: Expansion, standing: Standing) -> Standing:
    """Let nobody be told of what is sent on elsewhere, if its sender was made up; the trail says so."""
    results = standing.results
    if not expansion.remote or sender is None or results is None or not is_disowned(sender, results):
        return standing
    expansion.forgo_notices()
    note = Note("unanswered", {"sender": str(sender), "domain": sender.domain})
    return replace(standing, notes=(*standing.notes, note))


def is_disowned(sender: Address, results: AuthResults) -> bool:
    """Whether the domain of a sender says that a message is not from there.

    SPF says so by fail and softfail (RFC 7208 §8.4, §8.5). Where a signature of the domain
    holds all the same, somebody sent the message on, and its sender is who it says.
    """
    if not any(verdict.result in ("fail", "softfail") for verdict in results.of("spf")):
        return False
    within = f".{sender.domain.lower()}"
    return not any(
        within.endswith(f".{one.value.lower()}")
        for verdict in results.of("dkim")
        if verdict.result == "pass"
        for one in verdict.properties
        if (one.ptype, one.name) == ("header", "d")
    )
