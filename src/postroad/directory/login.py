"""Driving a SASL exchange: what it comes to is asked of the directory (RFC 4422 §3).

One implementation for all protocols. The session carries octets: it gives
`start` and `respond` what the client sent, sends each `Challenge` in the
manner of its protocol, and is told who it is once that is sure.
"""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Final, Protocol

import msgspec

from postroad.config.logins import OpenId
from postroad.db.database import Database
from postroad.db.transaction import Reader
from postroad.directory import accounts, app_passwords
from postroad.directory.accounts import AccountInfo
from postroad.directory.app_passwords import AppPassword
from postroad.directory.attempts import Attempt, Attempts, LoggedIn, login_key
from postroad.directory.authenticate import Authenticator
from postroad.directory.client import Client
from postroad.directory.errors import AuthenticationFailed, AuthorizationFailed, BadExchange
from postroad.directory.scram import THE_PASSWORD, Candidate, candidates
from postroad.model.clock import Clock
from postroad.sasl.oauth import OAuth
from postroad.sasl.outcome import (
    Acknowledged,
    Bearer,
    Certificate,
    Challenge,
    Exchange,
    Failed,
    KeysWanted,
    Outcome,
    Password,
    Proof,
)
from postroad.sasl.scram import Scram

if TYPE_CHECKING:  # most servers have no OpenID provider (`worker.tokens_of`)
    from postroad.directory.tokens import Tokens

GOOGLE_SCOPE: Final = "https://mail.google.com/"
"""What clients of XOAUTH2 look for in the error."""


class Login(Protocol):
    """One exchange, as a session sees it."""

    async def start(self, initial: bytes | None) -> Challenge | LoggedIn:
        """Begin; `initial` is the client's initial response if the protocol carried one.

        Raises:
            BadExchange: the client does not keep to the mechanism.
            AuthenticationFailed, AuthorizationFailed, Refused: it is not let in.
            Unavailable: not now.
        """
        ...

    async def respond(self, response: bytes) -> Challenge | LoggedIn:
        """Go on with the client's response to the last challenge; raises like `start`."""
        ...


class SaslLogin:
    """See `Login`."""

    def __init__(
        self,
        mechanism: str,
        exchange: Exchange,
        client: Client,
        *,
        attempts: Attempts,
        authenticator: Authenticator,
        tokens: "Tokens | None",
        database: Database,
        clock: Clock,
    ) -> None:
        self._mechanism = mechanism
        self._exchange = exchange
        self._client = client
        self._attempts = attempts
        self._authenticator = authenticator
        self._tokens = tokens
        self._database = database
        self._clock = clock
        self._attempt: Attempt | None = None
        self._candidates: Sequence[Candidate] = ()
        self._hash = ""
        self._logged_in: LoggedIn | None = None
        self._refused = False

    async def start(self, initial: bytes | None) -> Challenge | LoggedIn:
        return await self._go_on(self._exchange.start(initial))

    async def respond(self, response: bytes) -> Challenge | LoggedIn:
        return await self._go_on(self._exchange.respond(response))

    async def _go_on(self, outcome: Outcome) -> Challenge | LoggedIn:
        match outcome:
            case Challenge():
                return outcome
            case Failed(reason):
                if self._refused:
                    raise AuthenticationFailed
                raise BadExchange(reason)
            case Password():
                return await self._password(outcome)
            case KeysWanted():
                return await self._keys(outcome)
            case Proof():
                return await self._proof(outcome)
            case Acknowledged():
                assert self._logged_in is not None, "there was something to acknowledge"
                return self._logged_in
            case Bearer():
                return await self._bearer(outcome)
            case Certificate():
                return await self._certificate(outcome)

    async def _password(self, password: Password) -> LoggedIn:
        if not password.as_itself:
            raise AuthorizationFailed
        return await self._authenticator.authenticate(
            password.login, password.secret, self._client, self._mechanism
        )

    # -- SCRAM ----------------------------------------------------------------

    async def _keys(self, wanted: KeysWanted) -> Challenge:
        if not wanted.as_itself:
            raise AuthorizationFailed
        self._attempt = await self._attempts.begin(wanted.login, self._client, self._mechanism)
        self._hash = wanted.hash
        self._candidates = self._database.read(self._read_candidates)
        assert isinstance(self._exchange, Scram)
        return self._exchange.use([one.keys for one in self._candidates])

    def _read_candidates(self, reader: Reader) -> Sequence[Candidate]:
        attempt = self._attempt
        assert attempt is not None
        account_id = attempt.account.id if attempt.account else None
        iterations = self._authenticator.auth.scram_iterations
        return candidates(reader, attempt.name, account_id, self._hash, iterations)

    async def _proof(self, proof: Proof) -> Challenge:
        assert self._attempt is not None
        assert isinstance(self._exchange, Scram)
        attempt = self._attempts.go_on(self._attempt)
        account, used = None, None
        if proof.index is not None:
            account, used = self._database.read(
                partial(self._opened_by, proved=self._candidates[proof.index])
            )
        self._logged_in = await self._attempts.settle(attempt, account, used)
        # RFC 4954, RFC 3501 and RFC 5034 have no data with success: it goes out in a challenge.
        return self._exchange.accept()

    def _opened_by(
        self, reader: Reader, *, proved: Candidate
    ) -> tuple[AccountInfo | None, AppPassword | None]:
        """Who the proved keys let in, as of now: the client may have taken a minute to prove them."""
        assert self._attempt is not None
        before = self._attempt.account
        account = accounts.by_id(reader, before.id) if before else None
        if account is None or proved not in self._read_candidates(reader):
            return None, None
        if proved.label == THE_PASSWORD:
            return (None if account.app_passwords_only else account), None
        used = app_passwords.get(reader, account.id, proved.label)
        opens = used is not None and used.opens(self._client.scope, self._clock.now())
        return (account if opens else None), used

    # -- tokens and certificates ------------------------------------------------

    async def _bearer(self, bearer: Bearer) -> Challenge | LoggedIn:
        assert isinstance(self._exchange, OAuth)
        assert self._tokens is not None, "the mechanism is offered only with a provider"
        if not bearer.token:
            return self._refuse(self._exchange, self._tokens.settings)
        attempt = await self._attempts.begin(bearer.login, self._client, self._mechanism)
        address = await self._tokens.address(bearer.token)
        name = login_key(address) if address is not None else ""
        if bearer.login and name != attempt.name:
            name = ""  # a token of somebody else
        account = self._database.read(partial(accounts.by_key, key=name)) if name else None
        try:
            return await self._attempts.settle(attempt, account)
        except AuthenticationFailed:
            return self._refuse(self._exchange, self._tokens.settings)

    def _refuse(self, exchange: OAuth, openid: OpenId) -> Challenge:
        self._refused = True
        scope = " ".join(openid.scopes)
        if self._mechanism == "XOAUTH2":
            error = {"status": "400", "schemes": "Bearer", "scope": scope or GOOGLE_SCOPE}
        else:  # RFC 7628 §3.2.2
            error = {"status": "invalid_token", "openid-configuration": openid.discovery}
            error.update({"scope": scope} if scope else {})
        return exchange.refuse(msgspec.json.encode(error))

    async def _certificate(self, certificate: Certificate) -> LoggedIn:
        names = {login_key(name) for name in self._client.names}
        wanted = certificate.authorization
        if not wanted and len(names) == 1:
            wanted = self._client.names[0]
        attempt = await self._attempts.begin(wanted, self._client, self._mechanism)
        return await self._attempts.settle(attempt, attempt.account if attempt.name in names else None)
