"""A small post office: the services of an SMTP session, without store and database."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from postroad.directory.accounts import AccountInfo
from postroad.directory.attempts import LoggedIn
from postroad.directory.client import Client
from postroad.directory.errors import AuthenticationFailed, AuthorizationFailed, BadExchange
from postroad.model.address import Address, parse_mailbox
from postroad.model.envelope import Envelope, Peer
from postroad.model.octets import Octets
from postroad.model.refusal import Refused, Unavailable
from postroad.sasl.exchange import start_exchange
from postroad.sasl.outcome import Challenge, Exchange, Failed, Outcome, Password
from postroad.store.blobs.spool import Spool
from postroad.store.errors import OverQuota

ADA = AccountInfo(1, parse_mailbox("ada@ours.test"), "Ada", False, None, None)


@dataclass(frozen=True, slots=True)
class Taken:
    """A message that was accepted."""

    peer: Peer
    envelope: Envelope
    body: bytes


@dataclass(frozen=True, slots=True)
class No:
    """What a session had to keep for the trail."""

    peer: Peer
    sender: str
    recipients: list[str]
    refusals: list[str]


@dataclass(slots=True)
class Office:
    """Takes mail for ours.test; some local parts stand for what can go wrong."""

    folder: Path
    relay: bool = False
    taken: list[Taken] = field(default_factory=list)
    said_no: list[No] = field(default_factory=list)
    spools: list["WatchedSpool"] = field(default_factory=list)
    attempts: list[tuple[str, str, str, str]] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)
    room: int = 1 << 40
    """Octets that fit on its disk."""

    # Acceptor

    def check_sender(self, peer: Peer, sender: Address | None) -> None:
        if sender is not None and sender.local == "forged":
            raise Refused(550, "5.7.1", "sender address is not yours to use", "forged by test")

    def check_recipient(self, peer: Peer, address: Address) -> None:
        match address.local:
            case "nobody":
                raise Refused(550, "5.1.1", "no such user here")
            case "full":
                raise OverQuota("full")
            case "bug":
                raise ZeroDivisionError("in check_recipient")
        if not self.relay and address.domain not in ("ours.test", ""):
            raise Refused(550, "5.7.1", "relaying is not allowed")

    async def accept(self, peer: Peer, envelope: Envelope, body: Octets, binary: Octets | None = None) -> str:
        names = {recipient.address.local for recipient in envelope.recipients}
        if "quota" in names:
            raise OverQuota("quota")
        if "outage" in names:
            raise Unavailable("the database is away")
        if "loop" in names:
            raise Refused(554, "5.4.6", "the message is in a loop", "51 Received fields")
        if "crash" in names:
            raise ZeroDivisionError("in accept")
        self.taken.append(Taken(peer, envelope, body[:]))
        return f"accepted as m{len(self.taken)}"

    async def refused(
        self, peer: Peer, sender: str, recipients: Sequence[str], refusals: Sequence[str]
    ) -> None:
        self.said_no.append(No(peer, sender, list(recipients), list(refusals)))

    # Authenticator

    def mechanisms(self, client: Client, allowed: Collection[str] = ()) -> tuple[str, ...]:
        return ("PLAIN", "LOGIN")

    def vouched_for(self, login: str) -> LoggedIn | None:
        return LoggedIn(ADA, "XCLIENT") if login == "ada@ours.test" else None

    def begin_login(
        self, mechanism: str, client: Client, allowed: Collection[str] = ()
    ) -> "PasswordLogin | None":
        exchange = start_exchange(mechanism)
        return PasswordLogin(self, exchange, client) if exchange else None

    async def verify(self, password: Password, client: Client) -> LoggedIn:
        login, secret = password.login, password.secret
        if not password.as_itself:
            raise AuthorizationFailed
        self.attempts.append((login, secret, client.address, client.protocol))
        if login == "limited@ours.test":
            raise Refused(454, "4.7.0", "too many failed log-ins, try again later")
        if login == "outage@ours.test":
            raise Unavailable("the database is away")
        if (login, secret) != ("ada@ours.test", "sesame"):
            raise AuthenticationFailed
        return LoggedIn(ADA, "PLAIN")

    # Spools

    def spool(self) -> "WatchedSpool":
        spool = WatchedSpool(self)
        self.spools.append(spool)
        return spool

    # Clock

    def now(self) -> float:
        return 1_700_000_000.0

    def monotonic(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


class PasswordLogin:
    """An exchange that comes to a name and a password."""

    def __init__(self, office: Office, exchange: Exchange, client: Client) -> None:
        self._office = office
        self._exchange = exchange
        self._client = client

    async def start(self, initial: bytes | None) -> Challenge | LoggedIn:
        return await self._go_on(self._exchange.start(initial))

    async def respond(self, response: bytes) -> Challenge | LoggedIn:
        return await self._go_on(self._exchange.respond(response))

    async def _go_on(self, outcome: Outcome) -> Challenge | LoggedIn:
        match outcome:
            case Challenge():
                return outcome
            case Password():
                return await self._office.verify(outcome, self._client)
            case Failed(reason):
                raise BadExchange(reason)
            case _:
                raise AssertionError(outcome)


class WatchedSpool(Spool):
    """The real spool on a disk of a certain size; tells whether it was closed."""

    def __init__(self, office: Office) -> None:
        super().__init__(office.folder)
        self._office = office
        self.closed = False

    def write(self, chunk: bytes) -> None:
        if self.size + len(chunk) > self._office.room:
            raise Unavailable("disk full")
        super().write(chunk)

    def close(self) -> None:
        self.closed = True
        super().close()
