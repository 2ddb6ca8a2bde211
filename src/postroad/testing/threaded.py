"""A `MailWorld` for tests that are plain functions: it lives in a thread with a loop of its own."""

import asyncio
import ssl
import threading
import time
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Future
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from postroad.config.limits import Limits
from postroad.config.logins import Auth
from postroad.config.receiving import Receiving
from postroad.config.sender_auth import SenderAuth
from postroad.config.settings import Listener, Queue, Settings
from postroad.db.transaction import Reader, Transaction
from postroad.directory.aliases import Alias
from postroad.dns.zone import ZoneResolver
from postroad.smtp.timeouts import Timeouts
from postroad.testing.authority import Authority, Issued
from postroad.testing.mailbox import PATIENCE, Message
from postroad.testing.remote import RemoteServer
from postroad.testing.stranger import TIMEOUTS
from postroad.testing.web import WebServer
from postroad.testing.world import HOSTNAME, LOOK_EVERY, PASSWORD, MailWorld, Queued
from postroad.trail.note import Trail

T = TypeVar("T")


class ThreadedWorld:
    """What `MailWorld` can do, without `await`; `with` starts and ends it."""

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
        loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = None,
    ) -> None:
        """See `MailWorld`; `loop_factory` chooses the event loop, by default asyncio's."""
        self.world = MailWorld(
            workers=workers,
            real_time=real_time,
            limits=limits,
            queue=queue,
            auth=auth,
            sender_auth=sender_auth,
            client_ca=client_ca,
            timeouts=timeouts,
            hostname=hostname,
            data=data,
            listeners=listeners,
            receiving=receiving,
        )
        self._factory = loop_factory
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._live, name="mail-world", daemon=True)
        self._started: Future[None] = Future()
        self._end: asyncio.Event | None = None

    def __enter__(self) -> "ThreadedWorld":
        self._thread.start()
        self._started.result()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._loop is not None
        assert self._end is not None
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine in the world's loop and wait for it."""
        assert self._loop is not None, "the world has not been started"
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def call(self, work: Callable[[], T]) -> T:
        """Call a function in the world's loop and wait for it."""

        async def called() -> T:
            return work()

        return self.run(called())

    # -- the same words as MailWorld ------------------------------------------

    @property
    def settings(self) -> Settings:
        """See `MailWorld.settings`."""
        return self.world.settings

    @property
    def data(self) -> Path:
        """See `MailWorld.data`."""
        return self.world.data

    @property
    def authority(self) -> Authority:
        """See `MailWorld.authority`."""
        return self.world.authority

    @property
    def resolver(self) -> ZoneResolver:
        """The DNS, to add records to."""
        return self.world.resolver

    @property
    def now(self) -> float:
        """The time of the clock."""
        return self.world.clock.now()

    def port(self, name: str, worker: int | None = None) -> int:
        """See `MailWorld.port`."""
        return self.world.port(name, worker)

    def tls(self) -> ssl.SSLContext:
        """See `MailWorld.tls`."""
        return self.world.tls()

    def add_domain(self, name: str) -> None:
        """See `MailWorld.add_domain`."""
        self.run(self.world.add_domain(name))

    def add_account(
        self,
        address: str,
        password: str = PASSWORD,
        *,
        name: str = "",
        quota_bytes: int | None = None,
        quota_messages: int | None = None,
    ) -> None:
        """See `MailWorld.add_account`."""
        self.run(
            self.world.add_account(
                address, password, name=name, quota_bytes=quota_bytes, quota_messages=quota_messages
            )
        )

    def add_alias(self, source: str, *targets: str) -> Alias:
        """See `MailWorld.add_alias`."""
        return self.run(self.world.add_alias(source, *targets))

    def change(self, work: Callable[[Transaction], T]) -> T:
        """See `MailWorld.change`."""
        return self.run(self.world.change(work))

    def read(self, work: Callable[[Reader], T]) -> T:
        """See `MailWorld.read`."""
        return self.call(lambda: self.world.read(work))

    def deliver(
        self,
        *recipients: str,
        sender: str = "stranger@elsewhere.test",
        subject: str = "Hello",
        text: str = "Hello.\n",
        message: bytes | None = None,
    ) -> None:
        """See `MailWorld.deliver`."""
        self.run(self.world.deliver(*recipients, sender=sender, subject=subject, text=text, message=message))

    def mailbox(self, address: str, name: str = "INBOX", *, worker: int = 0) -> "ThreadedMailbox":
        """See `MailWorld.mailbox`."""
        return ThreadedMailbox(self, address, name, worker)

    def remote(
        self,
        domain: str,
        *,
        host: str | None = None,
        preference: int = 10,
        address: str | None = None,
        tls: bool = True,
        shows: Issued | None = None,
    ) -> RemoteServer:
        """See `MailWorld.remote`."""
        return self.run(
            self.world.remote(domain, host=host, preference=preference, address=address, tls=tls, shows=shows)
        )

    def website(self, host: str, *, shows: Issued | None = None) -> WebServer:
        """See `MailWorld.website`."""
        return self.run(self.world.website(host, shows=shows))

    def advance(self, seconds: float = 0, *, minutes: float = 0, hours: float = 0, days: float = 0) -> None:
        """See `MailWorld.advance`."""
        self.run(self.world.advance(seconds, minutes=minutes, hours=hours, days=days))

    def settle(self) -> None:
        """See `MailWorld.settle`."""
        self.run(self.world.settle())

    def until(self, look: Callable[[], T]) -> T:
        """See `MailWorld.until`; `look` is called in the thread of the test."""
        deadline = time.monotonic() + PATIENCE
        while not (seen := look()):
            assert time.monotonic() < deadline, "in vain"
            time.sleep(LOOK_EVERY)
        return seen

    def queue(self) -> list[Queued]:
        """See `MailWorld.queue`."""
        return self.call(self.world.queue)

    def trail(self, key: str | None = None) -> list[Trail]:
        """See `MailWorld.trail`."""
        return self.call(lambda: self.world.trail(key))

    # -- the thread --------------------------------------------------------------

    def _live(self) -> None:
        try:
            with asyncio.Runner(loop_factory=self._factory) as runner:
                runner.run(self._be())
        except BaseException as error:
            if self._started.done():
                raise  # pytest shows what a thread ends with
            self._started.set_exception(error)

    async def _be(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._end = asyncio.Event()
        async with self.world:
            self._started.set_result(None)
            await self._end.wait()


class ThreadedMailbox:
    """One mailbox of an account (see `testing.mailbox.MailboxView`)."""

    def __init__(self, world: ThreadedWorld, address: str, name: str, worker: int) -> None:
        self._world = world
        self._which = (address, name, worker)

    def messages(self) -> list[Message]:
        """Everything in it, the oldest first."""
        address, name, worker = self._which
        return self._world.call(lambda: self._world.world.mailbox(address, name, worker=worker).messages())

    def wait(self, subject: str | None = None, *, timeout: float = PATIENCE) -> Message:
        """Return the first message (with that subject), as soon as it is there.

        Raises:
            AssertionError: it did not come within `timeout` seconds.
        """

        async def waited() -> Message:
            address, name, worker = self._which
            return await self._world.world.mailbox(address, name, worker=worker).wait(
                subject, timeout=timeout
            )

        return self._world.run(waited())
