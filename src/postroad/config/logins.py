"""How people log in: the `[auth]` and `[openid]` tables of the settings."""

from pathlib import Path
from typing import Annotated, Literal

import msgspec

from postroad.config.fields import Count, Duration
from postroad.sasl.exchange import MECHANISMS


class Auth(msgspec.Struct, frozen=True, kw_only=True):
    """The `[auth]` table."""

    mechanisms: Annotated[
        tuple[str, ...],
        "SASL mechanisms that may be used; each is offered where it can succeed, inside TLS alone. "
        "Without PLAIN and LOGIN there is no LOGIN of IMAP and no USER of POP3 either.",
    ] = MECHANISMS
    scram: Annotated[
        Literal["off", "auto", "on"],
        "Whether SCRAM keys are kept beside the argon2id hashes of passwords: whoever steals the data "
        "can guess at them faster. They are made at log-ins and of new passwords. auto: SCRAM is offered "
        "once every password has keys; on: at once, and accounts without keys cannot use it.",
    ] = "auto"
    scram_iterations: Annotated[
        Count, "What a guess at a SCRAM key costs, and a log-in the client; 4,096 or more."
    ] = 50_000
    end_point_binding: Annotated[
        bool,
        "Offer the -PLUS mechanisms where only tls-server-end-point can be had (TLS 1.3): for clients "
        "that are known to choose it. Others that can do -PLUS choose tls-exporter there, and fail.",
    ] = False


class OpenId(msgspec.Struct, frozen=True, kw_only=True):
    """The `[openid]` table."""

    issuer: Annotated[
        str,
        'Who vouches for tokens (OAUTHBEARER, XOAUTH2): "https://id.example.org/realms/staff"; '
        "empty: nobody.",
    ] = ""
    audience: Annotated[
        tuple[str, ...], "Names that this server goes by there: a token must be meant for one of them."
    ] = ()
    claim: Annotated[str, "The claim that holds the address of the account."] = "email"
    scopes: Annotated[tuple[str, ...], "Scopes that a token must have, all of them."] = ()
    algorithms: Annotated[tuple[str, ...], "Signatures that are believed: RS256, ES256, EdDSA, Ed25519."] = (
        "RS256",
        "ES256",
        "EdDSA",
        "Ed25519",
    )
    jwks: Annotated[str, "URL of the provider's keys. Empty: asked for at the issuer (discovery)."] = ""
    introspection: Annotated[
        str,
        "URL where each token is asked about, in place of looking at its signature (RFC 7662): "
        "for tokens that are no JWT, or have to be revocable at once.",
    ] = ""
    client_id: Annotated[str, "As whom this server asks there."] = ""
    client_secret: Annotated[Path | None, "File with its secret."] = None
    ca: Annotated[
        Path | None, "PEM file with the authorities that the provider's certificate may come from."
    ] = None
    leeway: Annotated[Duration, "How far the clocks may be apart."] = 60.0
    timeout: Annotated[Duration, "For one answer of the provider."] = 5.0
    keys_kept: Annotated[Duration, "When its keys are asked for again."] = 3600.0
    keys_pause: Annotated[
        Duration, "Least time between two such questions, however many tokens name an unknown key."
    ] = 30.0

    @property
    def configured(self) -> bool:
        """Whether there is somebody who vouches for tokens."""
        return bool(self.issuer)

    @property
    def discovery(self) -> str:
        """URL of what the provider says of itself (OpenID Connect Discovery 1.0 §4)."""
        return self.issuer.rstrip("/") + "/.well-known/openid-configuration"
