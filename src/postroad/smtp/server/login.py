"""AUTH: carrying a SASL exchange over SMTP (RFC 4954)."""

from postroad.directory.accounts import AccountInfo
from postroad.model.refusal import Unavailable
from postroad.sasl.base64 import decode
from postroad.sasl.exchange import Challenge, Exchange, Failed, Outcome, Password, start_exchange
from postroad.smtp.server.errors import BAD_CREDENTIALS, LOGGED_IN, LOGIN_UNAVAILABLE, NOT_BASE64
from postroad.smtp.server.services import Authenticator
from postroad.smtp.wire.events import Auth, AuthResponse
from postroad.smtp.wire.replies import Reply


class Login:
    """The log-in of one connection; `account` is who it is once that has succeeded."""

    def __init__(self, directory: Authenticator, peer_address: str, protocol: str) -> None:
        self.account: AccountInfo | None = None
        self.failures = 0
        self._directory = directory
        self._peer_address = peer_address
        self._protocol = protocol
        self._exchange: Exchange | None = None

    async def step(self, event: Auth | AuthResponse) -> Reply | Challenge:
        """Take one line of the exchange.

        Raises:
            AuthenticationFailed, Refused: it counts as a failure.
        """
        response = event.initial if isinstance(event, Auth) else event.data
        octets = None if response is None else decode(response)
        if isinstance(event, Auth):
            self._exchange = start_exchange(event.mechanism)
        exchange = self._exchange
        if exchange is None or (response is not None and octets is None):
            return self._over(NOT_BASE64)
        outcome = exchange.start(octets) if isinstance(event, Auth) else exchange.respond(octets or b"")
        if isinstance(outcome, Challenge):
            return outcome
        return self._over(await self._judge(outcome))

    def cancel(self) -> None:
        """The client gave up."""
        self._exchange = None

    def forget(self) -> None:
        """TLS has begun: nothing from before counts (RFC 3207 §4.2)."""
        self._exchange = self.account = None

    async def _judge(self, outcome: Outcome) -> Reply:
        match outcome:
            case Failed():
                return Reply(501, "5.5.2", outcome.reason)
            case Password():
                return await self._verify(outcome)
            case Challenge():
                raise AssertionError("a challenge is no end of an exchange")

    async def _verify(self, password: Password) -> Reply:
        if not password.as_itself:
            return BAD_CREDENTIALS
        self._exchange = None
        self.failures += 1  # until it has turned out to be none
        try:
            account = await self._directory.authenticate(
                password.login, password.secret, self._peer_address, self._protocol
            )
        except Unavailable:
            self.failures -= 1
            return LOGIN_UNAVAILABLE
        self.failures -= 1
        self.account = account
        return LOGGED_IN

    def _over(self, reply: Reply) -> Reply:
        self._exchange = None
        if reply.code >= 500:
            self.failures += 1
        return reply
