"""What follows from a judgement: the domain's wish, and where this server decides otherwise."""

from collections.abc import Callable, Iterable
from ipaddress import IPv4Address, IPv6Address, ip_network
from typing import Final, Literal, TypeAlias

from msgspec import Struct

from postroad.config.judge_sender_auth import is_network
from postroad.config.sender_auth import SenderAuth
from postroad.delivery.sender_auth.judgement import Judgement
from postroad.mailauth.authres.read import parse_authres
from postroad.mailauth.dkim.result import Result as ArcVerdict
from postroad.model.refusal import Refused

Override: TypeAlias = Literal["", "local_policy", "trusted_forwarder"]
"""Why the published policy was not carried out (RFC 9990 §3.1.1.6)."""


_EXPLANATION: Final = 150
"""Characters of a domain's own words in a reply, whose line has room for 512 octets (RFC 5321 §4.5.3.1.5)."""


class Decision(Struct, frozen=True):
    """How a message is treated."""

    refusal: Refused | None = None
    junk: frozenset[str] = frozenset()
    """Domains of ours whose recipients get it filed as junk."""
    why: str = ""
    """A sentence, when anything but plain acceptance was asked for."""
    override: Override = ""

    @property
    def disposition(self) -> Literal["none", "quarantine", "reject"]:
        """What was done about a DMARC policy."""
        if self.refusal is not None:
            return "reject"
        return "quarantine" if self.junk else "none"


def decide(
    settings: SenderAuth,
    judged: Judgement,
    client: IPv4Address | IPv6Address,
    recipients: Iterable[str],
    wish_of: Callable[[str], str | None] = lambda _: None,
) -> Decision:
    """Decide on a message; `recipients` are the domains that it is for.

    `wish_of` says `enforce` or `monitor` for a domain of ours that does not go by the settings.
    """
    dmarc, spf = judged.dmarc, judged.spf
    if dmarc.verdict == "permerror":
        wish: Refused | str = Refused(
            550, "5.7.1", f"the message {judged.author.problem}; it needs one From with one domain"
        )
    elif dmarc.verdict == "fail" and dmarc.policy == "reject":
        wish = Refused(
            550,
            "5.7.1",
            f"{dmarc.domain} asks to refuse what it does not vouch for (DMARC p=reject), "
            "and neither SPF nor DKIM vouches for this message",
            f"DMARC of {dmarc.domain}: {summary(judged)}",
        )
    elif spf.verdict == "fail" and settings.spf_fail == "reject" and dmarc.verdict != "pass":
        words = f": {spf.explanation[:_EXPLANATION]}" if spf.explanation else ""
        wish = Refused(
            550, "5.7.23", f"{spf.domain} does not let {client} send its mail (SPF){words}", summary(judged)
        )
    elif dmarc.verdict == "fail" and dmarc.policy == "quarantine":
        wish = f"{dmarc.domain} asks to treat as junk what it does not vouch for (DMARC p=quarantine)"
    elif dmarc.verdict == "temperror" and settings.on_temperror == "defer":
        wish = Refused(451, "4.7.0", "where the message is from cannot be checked now", dmarc.problem)
    else:
        return Decision()
    return _carried_out(settings, judged, client, frozenset(recipients), wish_of, wish)


def summary(judged: Judgement) -> str:
    """The verdicts in a line, for the log and the trail of a refusal."""
    signers = [f"{one.domain or '?'} {one.result.value}" for one in judged.dkim.results]
    matched = f" ({judged.spf.matched[0].term})" if judged.spf.matched else ""
    return (
        f"SPF of {judged.spf.domain or 'nobody'} {judged.spf.verdict}{matched}, "
        f"DKIM {', '.join(signers) or 'none'}, DMARC {judged.dmarc.verdict}"
    )


def _carried_out(
    settings: SenderAuth,
    judged: Judgement,
    client: IPv4Address | IPv6Address,
    recipients: frozenset[str],
    wish_of: Callable[[str], str | None],
    wish: Refused | str,
) -> Decision:
    words = wish if isinstance(wish, str) else wish.public
    if who := _allowed(settings, judged.author.domain, client):
        return Decision(
            None, frozenset(), f"taken all the same, because {who} is allowed: {words}", "local_policy"
        )
    if who := _trusted_sealer(settings, judged):
        return Decision(
            None,
            frozenset(),
            f"taken all the same, because {who} is trusted and says that it passed there (ARC): {words}",
            "trusted_forwarder",
        )
    enforced = frozenset(one for one in recipients if (wish_of(one) or settings.policy) == "enforce")
    if not enforced:
        return Decision(None, frozenset(), f"only noted, by local policy: {words}", "local_policy")
    if isinstance(wish, str):
        return Decision(None, enforced, words)
    if enforced != recipients:
        # Some of its recipients want to see it, and a message has one answer.
        return Decision(
            None, enforced, f"not refused, since some recipients only monitor: {words}", "local_policy"
        )
    return Decision(wish, frozenset(), words)


def _trusted_sealer(settings: SenderAuth, judged: Judgement) -> str:
    """A trusted domain that has seen the message pass DMARC; empty: none.

    The chain is gone through from the newest seal, as long as the sealers are
    trusted: whoever is not could have put an old chain on top of another message.
    """
    if judged.arc.result is not ArcVerdict.PASS or judged.dmarc.verdict != "fail":
        return ""
    if b"from" not in judged.arc.chain.sets[-1].message.names:
        return ""  # the chain holds, whoever From names: it says nothing of the author (RFC 6376 §6.1.1)
    for one in reversed(judged.arc.chain.sets):
        if one.seal.domain not in settings.trusted_sealers:
            return ""
        said = parse_authres(one.said)
        for result in said.of("dmarc") if said else ():
            about = [p.value for p in result.properties if (p.ptype, p.name) == ("header", "from")]
            if result.result == "pass" and about == [judged.author.domain]:
                return one.seal.domain
    return ""


def _allowed(settings: SenderAuth, author: str, client: IPv4Address | IPv6Address) -> str:
    """Which entry of the allow list speaks for a message; empty: none."""
    for entry in settings.allow:
        if is_network(entry):
            if client in ip_network(entry, strict=False):
                return str(client)
        elif author and (author == entry or (entry.startswith(".") and author.endswith(entry))):
            return author
    return ""
