"""A judgement as fields on top of a message (RFC 8601, RFC 7208 §9.1)."""

import re
from collections.abc import Iterator
from typing import Final

from postroad.delivery.sealing import arc_verdict
from postroad.delivery.sender_auth.decide import Decision
from postroad.delivery.sender_auth.judgement import Judgement
from postroad.mailauth.authres.values import AuthResults, Property, Result
from postroad.mailauth.dkim.result import Result as ArcVerdict
from postroad.mailauth.dkim.result import SignatureResult
from postroad.mailauth.spf.client import Client
from postroad.mailauth.spf.result import Spf
from postroad.model.address import Address

_SIGNATURE_SHOWN: Final = 8
"""Characters of b= that tell signatures apart (RFC 6008 §4)."""
_UNSAFE: Final = re.compile(r"[^ !#-'*-\[\]-~]")


def auth_results(
    authserv_id: str, judged: Judgement, decision: Decision, client: Client, sender: Address | None
) -> AuthResults:
    """All verdicts, for the Authentication-Results field and for ARC's."""
    results = [
        _spf(judged.spf, client, Property("smtp", "mailfrom", str(sender)) if sender else _helo(client)),
        *([_spf(judged.helo, client, _helo(client))] if sender and judged.helo.verdict != "none" else []),
        *_dkim(judged),
        _dmarc(judged, decision),
        *([arc_verdict(judged.arc)] if judged.arc.result is not ArcVerdict.NONE else []),
        Result(
            "iprev",
            judged.iprev.verdict,
            (Property("policy", "iprev", judged.iprev.address),),
            comment=judged.iprev.name or judged.iprev.problem,
        ),
    ]
    return AuthResults(authserv_id, tuple(results))


def received_spf(spf: Spf, client: Client, sender: Address | None) -> bytes:
    """The Received-SPF field with its line end."""
    pairs = [
        ("client-ip", str(client.address)),
        ("envelope-from", str(sender) if sender else f"postmaster@{client.helo}"),
        ("helo", client.helo),
        ("receiver", client.receiver),
        ("identity", spf.identity),
        ("mechanism", spf.matched[0].term if spf.matched else ""),
        ("problem", spf.problem),
    ]
    text = f"Received-SPF: {spf.verdict} ({client.receiver}: {_told(spf, client)})"
    for name, value in pairs:
        if value:
            text += f'\r\n\t{name}="{_UNSAFE.sub("?", value)[:300]}";'
    return text.encode() + b"\r\n"


def _spf(spf: Spf, client: Client, identity: Property) -> Result:
    return Result("spf", spf.verdict, (identity,), comment=_told(spf, client))


def _helo(client: Client) -> Property:
    return Property("smtp", "helo", client.helo)


def _told(spf: Spf, client: Client) -> str:
    if spf.problem:
        words = spf.problem
    elif spf.matched:
        words = f"{spf.matched[0].term} of {spf.matched[0].domain} for {client.address}"
    else:
        words = f"{spf.domain} says nothing about {client.address}"
    return _UNSAFE.sub("?", words)[:200]


def _dkim(judged: Judgement) -> Iterator[Result]:
    if not judged.dkim.results:
        yield Result("dkim", "none", comment="not signed")
    for one in judged.dkim.results:
        yield Result(
            "dkim", one.result.value, tuple(_signature(one)), comment=_UNSAFE.sub("?", one.reason)[:200]
        )


def _signature(one: SignatureResult) -> Iterator[Property]:
    values = {"d": one.domain, "i": one.identity, "s": one.selector, "a": one.algorithm}
    values["b"] = one.signature[:_SIGNATURE_SHOWN]
    for name, value in values.items():
        if value:
            yield Property("header", name, value)


def _dmarc(judged: Judgement, decision: Decision) -> Result:
    dmarc = judged.dmarc
    properties = [Property("header", "from", dmarc.domain)] if dmarc.domain else []
    comment = dmarc.problem
    if dmarc.record is not None:
        properties.append(Property("policy", "dmarc", dmarc.policy))
        comment = f"p={dmarc.published} by {dmarc.holder}, done={decision.disposition}"
    return Result("dmarc", dmarc.verdict, tuple(properties), comment=_UNSAFE.sub("?", comment)[:200])
