"""A judgement as notes of a trail; `trail.sender_auth` puts them into words."""

from collections.abc import Iterator

from postroad.delivery.sender_auth.decide import Decision
from postroad.delivery.sender_auth.judgement import Judgement
from postroad.mailauth.dkim.result import Result as ArcVerdict
from postroad.mailauth.spf.result import Spf
from postroad.trail.note import Fact, Note


def notes_of(judged: Judgement, decision: Decision, client: str) -> Iterator[Note]:
    """What was found out, check by check, and what follows."""
    yield _spf(judged.spf, client)
    if not judged.dkim.results:
        yield Note("dkim", {"verdict": "none"})
    for one in judged.dkim.results:
        facts: dict[str, Fact] = {"verdict": one.result.value, "domain": one.domain, "reason": one.reason}
        if one.selector:
            facts["selector"] = one.selector
        yield Note("dkim", facts)
    if judged.arc.result is not ArcVerdict.NONE:
        yield Note("arc", {"verdict": judged.arc.result.value, "reason": judged.arc.reason})
    dmarc = judged.dmarc
    aligned = [*([f"SPF {dmarc.spf}"] if dmarc.spf else []), *(f"DKIM {domain}" for domain in dmarc.dkim)]
    facts = {"verdict": dmarc.verdict, "domain": dmarc.domain, "policy": dmarc.policy, "aligned": aligned}
    if dmarc.holder != dmarc.domain:
        facts["holder"] = dmarc.holder
    if dmarc.problem:
        facts["problem"] = dmarc.problem
    yield Note("dmarc", facts)
    if decision.why:
        yield Note("policy", {"why": decision.why, "done": decision.disposition})


def _spf(spf: Spf, client: str) -> Note:
    facts: dict[str, Fact] = {"verdict": spf.verdict, "domain": spf.domain, "client": client}
    if spf.matched:
        facts["matched"] = [one.term for one in spf.matched]
    if spf.problem:
        facts["problem"] = spf.problem
    return Note("spf", facts)
