"""A directory that offers SCRAM and tokens, with nothing left to chance: for dialogues about log-ins."""

from pathlib import Path
from typing import Final

from joserfc import jwt
from joserfc.jwk import KeySet, OKPKey

from postroad.config.limits import Limits
from postroad.config.logins import Auth, OpenId
from postroad.db.database import Database
from postroad.db.transaction import Transaction
from postroad.directory.credentials import LEAST_COST
from postroad.directory.directory import Directory
from postroad.directory.provider import Provider
from postroad.directory.scram import THE_PASSWORD, keep_keys
from postroad.directory.tokens import Tokens
from postroad.model.refusal import Unavailable
from postroad.sasl.scram_keys import HASHES, derive
from tests.unit.directory.world import HeldClock

NONCE: Final = "the-servers-part"
SALT: Final = b"a grain of salt."
ISSUER: Final = "https://id.demo.test"
AUTH: Final = Auth(scram="on", scram_iterations=4096)
_KEY: Final = OKPKey.import_key(
    {  # RFC 8037 appendix A.1
        "kty": "OKP",
        "crv": "Ed25519",
        "kid": "k",
        "d": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
        "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
    }
)


class KnownProvider(Provider):
    """Has one key, and cannot be asked for others."""

    async def keys(self, kid: str | None) -> KeySet:
        if kid != "k":
            raise Unavailable("nobody there")
        return KeySet([_KEY])


def directory_with_everything(database: Database, clock: HeldClock, data: Path, limits: Limits) -> Directory:
    """Offers SCRAM with a nonce that is known, and believes the provider."""
    openid = OpenId(issuer=ISSUER, audience=("mail",))
    return Directory(
        database,
        clock,
        data,
        limits=limits,
        auth=AUTH,
        tokens=Tokens(openid, clock, KnownProvider(openid, clock)),
        hash_cost=LEAST_COST,
        nonce=lambda: NONCE,
    )


def give_ada_keys(tx: Transaction) -> None:
    """For the password demo."""
    keep_keys(tx, 1, THE_PASSWORD, {name: derive(name, "demo", SALT, 4096) for name in HASHES})


def token(kid: str = "k", email: str = "ada@demo.test") -> str:
    """As it stands in the dialogues; Ed25519 signs without chance."""
    claims = {"iss": ISSUER, "aud": "mail", "email": email, "exp": 1_700_000_300}
    return jwt.encode({"alg": "Ed25519", "kid": kid}, claims, _KEY, algorithms=["Ed25519"])
