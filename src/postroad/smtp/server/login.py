"""AUTH: carrying a SASL exchange over SMTP (RFC 4954)."""

from collections.abc import Collection

from postroad.directory.attempts import LoggedIn
from postroad.directory.client import Client
from postroad.directory.errors import BadExchange
from postroad.directory.login import Login as Exchange
from postroad.model.refusal import Unavailable
from postroad.sasl.base64 import decode
from postroad.sasl.outcome import Challenge
from postroad.smtp.server.errors import LOGGED_IN, LOGIN_UNAVAILABLE, NOT_BASE64
from postroad.smtp.server.services import Authenticator
from postroad.smtp.wire.events import Auth, AuthResponse
from postroad.smtp.wire.replies import Reply


class Login:
    """The log-in of one connection; `who` it is once that has succeeded."""

    def __init__(self, directory: Authenticator, allowed: Collection[str]) -> None:
        """`allowed`: see `Directory.mechanisms`."""
        self.who: LoggedIn | None = None
        self.failures = 0
        self._directory = directory
        self._allowed = allowed
        self._exchange: Exchange | None = None

    async def begin(self, event: Auth, client: Client) -> Reply | Challenge:
        """Take AUTH.

        Raises:
            AuthenticationFailed, Refused: it counts as a failure.
        """
        self._exchange = self._directory.begin_login(event.mechanism, client, self._allowed)
        return await self._step(event.initial, first=True)

    async def respond(self, event: AuthResponse) -> Reply | Challenge:
        """Take a line of the exchange; raises like `begin`."""
        return await self._step(event.data, first=False)

    def cancel(self) -> None:
        """The client gave up."""
        self._exchange = None

    def forget(self) -> None:
        """TLS has begun: nothing from before counts (RFC 3207 §4.2)."""
        self._exchange = self.who = None

    async def _step(self, response: bytes | None, *, first: bool) -> Reply | Challenge:
        exchange, self._exchange = self._exchange, None
        octets = None if response is None else decode(response)
        self.failures += 1  # until it has turned out to be none
        if exchange is None or (response is not None and octets is None):
            return NOT_BASE64
        try:
            answer = await (exchange.start(octets) if first else exchange.respond(octets or b""))
        except BadExchange as error:
            return Reply(501, "5.5.2", str(error))
        except Unavailable:
            self.failures -= 1
            return LOGIN_UNAVAILABLE
        self.failures -= 1
        if isinstance(answer, Challenge):
            self._exchange = exchange
            return answer
        self.who = answer
        return LOGGED_IN
