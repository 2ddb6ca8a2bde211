"""What is wrong with `[auth]`, `[openid]` and the like only in the light of other settings."""

from collections.abc import Iterator
from typing import Final, TypeAlias

from postroad.config.errors import nearest
from postroad.config.logins import OpenId
from postroad.config.settings import Settings
from postroad.sasl.exchange import MECHANISMS
from postroad.sasl.scram_keys import LEAST_ITERATIONS

Mistake: TypeAlias = tuple[tuple[str | int, ...], str]
"""Where in the file, and what."""

SIGNATURES: Final = ("RS256", "ES256", "EdDSA", "Ed25519")
"""What tokens may be signed with; no others: a provider's public key must never pass for a shared secret."""


def judge_logins(settings: Settings) -> Iterator[Mistake]:
    """Find mistakes in how people log in."""
    yield from _words(("auth", "mechanisms"), settings.auth.mechanisms, MECHANISMS)
    for index, listener in enumerate(settings.listeners):
        yield from _words(("listener", index, "mechanisms"), listener.mechanisms, MECHANISMS)
    if settings.auth.scram_iterations < LEAST_ITERATIONS:
        yield ("auth", "scram_iterations"), f"must be {LEAST_ITERATIONS} or more (RFC 7677 §4)"
    if settings.openid.configured:
        yield from _openid(settings.openid)


def _openid(openid: OpenId) -> Iterator[Mistake]:
    yield from _words(("openid", "algorithms"), openid.algorithms, SIGNATURES)
    for key in ("issuer", "jwks", "introspection"):
        url = getattr(openid, key)
        if url and not url.startswith("https://"):
            yield ("openid", key), "must begin with https://"
    if openid.introspection and not (openid.client_id and openid.client_secret):
        yield ("openid", "introspection"), "needs openid.client_id and openid.client_secret beside it"
    if not openid.audience:
        # Without it a token that any other service got would open mailboxes here (RFC 9068 §4).
        yield ("openid", "audience"), "is missing: name what tokens for this server are made out to"
    if not openid.claim:
        yield ("openid", "claim"), "must name the claim that holds the address"


def _words(at: tuple[str | int, ...], said: tuple[str, ...], known: tuple[str, ...]) -> Iterator[Mistake]:
    for word in said:
        if word not in known:
            meant = {name.lower().replace("-", "_"): name for name in known}.get(nearest(word, _plain(known)))
            hint = f'did you mean "{meant}"?' if meant else f"known are {', '.join(known)}"
            yield at, f'"{word}" is not one of them; {hint}'


def _plain(known: tuple[str, ...]) -> list[str]:
    return [name.lower().replace("-", "_") for name in known]
