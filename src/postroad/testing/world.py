"""The whole server in one event loop, and the world around it: DNS, other servers, time."""

import asyncio
import shutil
import ssl
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Final, TypeVar

from msgspec.structs import replace

from postroad.config.limits import Limits
from postroad.config.logins import Auth
from postroad.config.receiving import Receiving
from postroad.config.sender_auth import SenderAuth
from postroad.config.settings import Listener, Queue, Settings, Tls
from postroad.db.transaction import Reader, Transaction
from postroad.directory import accounts, aliases, domains
from postroad.directory.aliases import Alias
from postroad.directory.credentials import LEAST_COST, Hasher, set_password
from postroad.directory.resolve import is_local_domain
from postroad.model.address import parse_mailbox
from postroad.net.clock import SystemClock
from postroad.net.sockets import open_sockets
from postroad.net.tls import ServerTls
from postroad.prepare_start import prepare
from postroad.queue.item import Item, QueuedRecipient, read_items, read_recipients
from postroad.smtp.timeouts import Timeouts
from postroad.testing import certificate
from postroad.testing.authority import Issued
from postroad.testing.clock import ManualClock, turns
from postroad.testing.compose import compose
from postroad.testing.mailbox import PATIENCE, MailboxView
from postroad.testing.neighbours import Neighbours
from postroad.testing.remote import RemoteServer
from postroad.testing.stranger import TIMEOUTS, hand_over
from postroad.testing.web import WebServer
from postroad.trail import record
from postroad.trail.note import Trail
from postroad.worker import Worker

T = TypeVar("T")

HOSTNAME: Final = "mx.world.test"
PASSWORD: Final = "correct horse battery"  # noqa: S105 - of a server that lives for one test
_WHO: Final = "test"
LOOK_EVERY: Final = 0.002
_MANY: Final = 1_000_000

LISTENERS: Final = {
    "smtp": Listener(role="smtp", address="127.0.0.1:0"),
    "submission": Listener(role="submission", address="127.0.0.1:0"),
    "submissions": Listener(role="submission", address="127.0.0.1:0", tls="implicit"),
    "imap": Listener(role="imap", address="127.0.0.1:0"),
    "imaps": Listener(role="imap", address="127.0.0.1:0", tls="implicit"),
    "pop3": Listener(role="pop3", address="127.0.0.1:0"),
    "pop3s": Listener(role="pop3", address="127.0.0.1:0", tls="implicit"),
}
"""What is served, by the names of the well-known ports; s is TLS from the first octet."""


@dataclass(frozen=True, slots=True)
class Queued:
    """A message that waits for its way out, and for whom."""

    item: Item
    recipients: tuple[QueuedRecipient, ...]


class MailWorld:
    """A server with its own data, DNS, time and neighbours; `async with` starts and ends it.

    Its workers share one event loop and are otherwise what `postroad serve`
    starts: each with its own store, listeners and part in the queue.
    """

    def __init__(
        self,
        *,
        workers: int = 2,
        real_time: bool = False,
        limits: Limits | None = None,
        queue: Queue | None = None,
        auth: Auth | None = None,
        sender_auth: SenderAuth | None = None,
        client_ca: Path | None = None,
        timeouts: Timeouts = TIMEOUTS,
        hostname: str = HOSTNAME,
        data: Path | None = None,
        listeners: Mapping[str, Listener] | None = None,
        receiving: Receiving | None = None,
    ) -> None:
        """Without `real_time` the clock stands still until `advance`; `data`, if named, is kept.

        `listeners` come beside the usual ones, or in place of those of the same name.
        Nobody asks where mail is from unless `sender_auth` says so.
        """
        self.clock: ManualClock | SystemClock = SystemClock() if real_time else ManualClock()
        self._neighbours = Neighbours(hostname)
        self.resolver: Final = self._neighbours.resolver
        self.authority: Final = self._neighbours.authority
        """The one that this server believes when it verifies certificates of others."""
        self.workers: list[Worker] = []
        self._count = workers
        self._timeouts = timeouts
        self._hasher = Hasher(LEAST_COST)
        self._kept = data
        self._folder: Path | None = None
        self._ports: dict[tuple[str, int | None], int] = {}
        self._listeners = {**LISTENERS, **(listeners or {})}
        self._settings = Settings(
            hostname=hostname,
            data=data or Path(),
            workers=workers,
            listeners=tuple(self._listeners.values()),
            limits=limits or (Limits() if real_time else _unhurried()),
            receiving=receiving or Receiving(),
            queue=queue or Queue(allow_private_addresses=True),
            # Making SCRAM keys takes 60 ms at the first log-in of each account.
            auth=auth or Auth(scram="off"),
            sender_auth=sender_auth or SenderAuth(enabled=False),
            tls=Tls(client_ca=client_ca),
        )

    @property
    def settings(self) -> Settings:
        """What the workers go by."""
        return self._settings

    @property
    def data(self) -> Path:
        """The data directory."""
        return self._settings.data

    # -- start and end -----------------------------------------------------

    async def __aenter__(self) -> "MailWorld":
        try:
            await self.start()
        except BaseException:
            await self.stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Start the workers; after a `stop_workers` again over the same data, at other ports."""
        if self._kept is None and self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="postroad-world-"))
            self._settings = replace(self._settings, data=self._folder / "data")
        certificate.place(self._settings)
        files = await asyncio.to_thread(prepare, self._settings)
        shared = {name: open_sockets("127.0.0.1", 0, self._count) for name in self._listeners}
        outside = self._neighbours.outside(self._timeouts)
        for index in range(self._count):
            worker = Worker(
                self._settings,
                clock=self.clock,
                tls=ServerTls(files.certificate, files.key, self._settings.tls.client_ca),
                resolver=self.resolver,
                index=index,
                hash_cost=LEAST_COST,
                outside=outside,
            )
            self.workers.append(worker)
            bound = []
            for name, listener in self._listeners.items():
                (own,) = open_sockets("127.0.0.1", 0, 1)
                self._ports[name, index] = own.getsockname()[1]
                self._ports[name, None] = shared[name][index].getsockname()[1]
                bound += [(listener, shared[name][index]), (listener, own)]
            await worker.start(bound)

    async def stop_workers(self, grace: float = 2.0) -> None:
        """End all workers as SIGTERM does; the data stays."""
        workers, self.workers = self.workers, []
        await asyncio.gather(*(worker.stop(grace) for worker in workers))

    async def stop(self) -> None:
        """End everything and tidy up."""
        await self._neighbours.stop()
        await self.stop_workers()
        if self._folder is not None:
            await asyncio.to_thread(shutil.rmtree, self._folder)
            self._folder = None

    # -- where things are --------------------------------------------------

    def port(self, name: str, worker: int | None = None) -> int:
        """The port of `smtp`, `submission`, `submissions`, `imap`, `imaps`, `pop3` or `pop3s` on 127.0.0.1.

        The kernel spreads connections over the workers; with `worker` (0, 1, …)
        it is a port that only this one serves.
        """
        return self._ports[name, worker]

    def tls(self) -> ssl.SSLContext:
        """A client's context that trusts this server and nobody else."""
        return certificate.client_context(self._settings.hostname)

    # -- the directory -----------------------------------------------------

    async def add_domain(self, name: str) -> None:
        """Take mail for a domain."""
        await self.change(lambda tx: domains.add_domain(tx, name, who=_WHO))

    async def add_account(
        self,
        address: str,
        password: str = PASSWORD,
        *,
        name: str = "",
        quota_bytes: int | None = None,
        quota_messages: int | None = None,
    ) -> None:
        """Make an account, and its domain where that is new."""
        hashed = self._hasher.hash(password, allow_weak=True)

        def add(tx: Transaction) -> None:
            domain = parse_mailbox(address).domain
            if not is_local_domain(tx, domain):
                domains.add_domain(tx, domain, who=_WHO)
            accounts.add_account(
                tx, address, who=_WHO, name=name, quota_bytes=quota_bytes, quota_messages=quota_messages
            )
            set_password(tx, address, hashed, who=_WHO)

        await self.change(add)

    async def add_alias(self, source: str, *targets: str) -> Alias:
        """Send the mail of `source` to `targets`; `@example.org` catches all."""
        return await self.change(lambda tx: aliases.add_alias(tx, source, targets, who=_WHO))

    async def change(self, work: Callable[[Transaction], T]) -> T:
        """Run any verb of `postroad.directory` (or of the store) in a transaction."""
        return await self.workers[0].directory.change(work)

    def read(self, work: Callable[[Reader], T]) -> T:
        """Ask the database anything."""
        return self.workers[0].store.database.read(work)

    # -- mail ----------------------------------------------------------------

    async def deliver(
        self,
        *recipients: str,
        sender: str = "stranger@elsewhere.test",
        subject: str = "Hello",
        text: str = "Hello.\n",
        message: bytes | None = None,
    ) -> None:
        """Send a message to port 25 as another server would; `message` is it whole, CR LF and all.

        Raises:
            NotAccepted: for one recipient or all; others may have it.
        """
        octets = (
            message if message is not None else compose(sender, recipients, subject, text, self.clock.now())
        )
        await hand_over(self.settings.hostname, self.port("smtp"), sender, recipients, octets)

    def mailbox(self, address: str, name: str = "INBOX", *, worker: int = 0) -> MailboxView:
        """One mailbox of an account."""
        store, directory = self.workers[worker].store, self.workers[worker].directory
        account = directory.account(parse_mailbox(address))
        if account is None:
            raise LookupError(f"there is no account {address}")
        return MailboxView(store, store.account(account.id), name)

    # -- the world outside ---------------------------------------------------

    async def remote(
        self,
        domain: str,
        *,
        host: str | None = None,
        preference: int = 10,
        address: str | None = None,
        tls: bool = True,
        shows: Issued | None = None,
    ) -> RemoteServer:
        """Start a scripted server, with MX and address records for `domain`.

        A `host` that has been started already takes mail for this domain too.
        Its address is one of its own in 127/8, or `address`. Its certificate is
        `shows`, or one that proves nothing.
        """
        return await self._neighbours.mail_server(
            domain, host or f"mx.{domain}", preference, address, tls=tls, shows=shows
        )

    async def website(self, host: str, *, shows: Issued | None = None) -> WebServer:
        """Start a scripted HTTPS server, with an address record.

        Its certificate is `shows`, or one for its name that this server believes.
        """
        return await self._neighbours.website(host, shows)

    # -- time, queue, trail ----------------------------------------------------

    async def advance(
        self, seconds: float = 0, *, minutes: float = 0, hours: float = 0, days: float = 0
    ) -> None:
        """Let time pass; what falls due in between is done when it is due."""
        if not isinstance(self.clock, ManualClock):
            raise TypeError("real time cannot be advanced")
        seconds += 60 * minutes + 3600 * hours + 86400 * days
        await self.clock.advance(seconds, between=self.settle)

    async def settle(self) -> None:
        """Return when the queue has nothing to do at this time of the clock.

        Raises:
            AssertionError: it does not come to rest.
        """
        await turns()
        if not self._settings.queue.remote:
            return
        await self.until(
            lambda: self.read(partial(_rests, now=self.clock.now())),
            lambda: f"the queue does not come to rest: {self.queue()}",
        )

    async def until(self, look: Callable[[], T], complaint: Callable[[], str] = lambda: "in vain") -> T:
        """Look again and again until there is something to see, and return it.

        For what the server does on its own time: it writes the trail of a
        refusal, say, when the session is over and its client is gone.

        Raises:
            AssertionError: there was nothing to see for half a minute.
        """
        try:
            async with asyncio.timeout(PATIENCE):
                while not (seen := look()):  # noqa: ASYNC110 - nobody tells when it is there
                    await asyncio.sleep(LOOK_EVERY)
        except TimeoutError:
            raise AssertionError(complaint()) from None
        return seen

    def queue(self) -> list[Queued]:
        """Everything that waits for its way out, the oldest first."""
        return self.read(
            lambda r: [Queued(item, read_recipients(r, item.id)) for item in read_items(r, _MANY)]
        )

    def trail(self, key: str | None = None) -> list[Trail]:
        """What was decided about messages, the newest first; `key` is an address, Message-ID or queue id."""
        return self.read(lambda r: record.find(r, key=key, limit=_MANY))


def _unhurried() -> Limits:
    """Nothing that makes a peer wait for a clock that stands still."""
    limits = Limits()
    return Limits(auth_delay=0, auth_delay_max=0, errors_soft=limits.errors_hard)


def _rests(reader: Reader, *, now: float) -> bool:
    return (
        reader.value("SELECT 1 FROM queue_lease LIMIT 1") is None
        and reader.value(
            "SELECT 1 FROM queue_recipient r WHERE due <= ?1 AND held = 0 AND NOT EXISTS (SELECT 1"
            " FROM queue_pace p WHERE p.destination = r.destination AND p.rest_until > ?1) LIMIT 1",
            now,
        )
        is None
    )
