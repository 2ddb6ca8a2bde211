"""The store of one worker: opens the index and the packs, hands out accounts."""

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from postroad.config.limits import Limits
from postroad.config.settings import Retention
from postroad.db.bus import Bus
from postroad.db.database import Database
from postroad.db.transaction import Reader
from postroad.model.clock import Clock
from postroad.model.rights import Anyone
from postroad.store import namespaces, sharing
from postroad.store.account import Account
from postroad.store.blobs.pack import ActivePack
from postroad.store.blobs.reader import PackReader
from postroad.store.blobs.spool import Spool
from postroad.store.guest import GuestAccount
from postroad.store.listings import Listings
from postroad.store.namespaces import Foreign
from postroad.store.quota import quota_of_domain
from postroad.store.types import Quota
from postroad.store.url_keys import UrlKeys
from postroad.store.watch import Watch

PACKS: Final = "packs"
SPOOL: Final = "spool"
BUS: Final = "bus"
_SAID_AGAIN: Final = 0.02
"""Seconds until a worker that had no room for a hint is sent it again."""


class Store:
    """Index, packs, bus and watch of one worker, over a data directory that is migrated already."""

    def __init__(
        self,
        data: Path,
        clock: Clock,
        *,
        name: str,
        limits: Limits | None = None,
        retention: Retention | None = None,
        anyone: Anyone = "domain",
    ) -> None:
        """`name` tells this worker from others on the bus; `anyone` is who is meant where a share says so."""
        self.limits = limits or Limits()
        self.retention = retention or Retention()
        self.anyone: Final = anyone
        self._spool = data / SPOOL
        self._spool.mkdir(exist_ok=True)
        self._bus = Bus(data / BUS, name)
        self.watch = Watch(self._bus)
        self.packs = PackReader(data / PACKS)
        self._active = ActivePack(data / PACKS)
        self.database = Database(data, clock, self._active, self._tell)
        self._listings = Listings(self.database)
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._bus.fileno(), self._hear)
        self._again: asyncio.TimerHandle | None = None

    def account(self, account_id: int) -> Account:
        """The verbs of one account; nothing is looked up yet."""
        keep = self.retention.keeps
        return Account(account_id, self.database, self.packs, self._listings, self.limits, keep=keep)

    def guest(self, account_id: int, user_id: int, prefix: str) -> GuestAccount:
        """The verbs of an account for a user who is not its owner."""
        return GuestAccount(
            *(account_id, user_id, prefix, self.database, self.packs, self._listings, self.limits),
            keep=self.retention.keeps,
            anyone=self.anyone,
        )

    def foreign(self, name: str) -> Foreign | None:
        """Whose mailbox a name means that lies among those of others."""
        return self.database.ask(lambda reader: namespaces.foreign(reader, name))

    def guests(self, user_id: int) -> list[GuestAccount]:
        """The accounts of others with mailboxes that a user may see."""

        def look(reader: Reader) -> list[tuple[int, str]]:
            return [
                (account_id, namespaces.prefix_of(row[0], shared=bool(row[1])))
                for account_id in sharing.visible(reader, user_id, self.anyone)
                if (row := reader.row("SELECT address, shared FROM account WHERE id = ?", account_id))
            ]

        return [self.guest(account_id, user_id, prefix) for account_id, prefix in self.database.read(look)]

    def reads_any(self, account_id: int, user_id: int) -> bool:
        """Whether a user may read any mailbox of another's account."""
        return self.database.ask(lambda reader: sharing.reads_any(reader, account_id, user_id, self.anyone))

    def quota_of_domain(self, name: str) -> Quota | None:
        """Use and limits of all accounts of a domain together; None where there is no such domain."""
        return self.database.ask(lambda reader: quota_of_domain(reader, name))

    def url_keys(self, account_id: int) -> UrlKeys:
        """What URLs of an account's messages are authorized with (RFC 4467)."""
        return UrlKeys(account_id, self.database)

    def use(self, limits: Limits, retention: Retention) -> None:
        """Go by these from now on; sessions that are open keep theirs."""
        self.limits, self.retention = limits, retention

    def spool(self) -> Spool:
        """A place for a message that is coming in; close it."""
        return Spool(self._spool, self.limits.free_space)

    def free_space(self) -> int:
        """Octets that are free where mail is kept."""
        status = os.statvfs(self._spool)
        return status.f_bavail * status.f_frsize

    async def close(self) -> None:
        """Finish what is under way, then close everything."""
        await self._listings.close()
        await self.database.close()
        if self._again is not None:
            self._again.cancel()
        self._loop.remove_reader(self._bus.fileno())
        self._bus.close()
        self._active.close()
        self.packs.close()

    def _tell(self, topics: list[str]) -> None:
        self.watch.tell(topics)
        self._say(topics)

    def _say(self, topics: Sequence[str] = ()) -> None:
        if self._again is not None:
            self._again.cancel()
        said = self._bus.send(topics)
        self._again = None if said else self._loop.call_later(_SAID_AGAIN, self._say)

    def _hear(self) -> None:
        self.watch.tell(self._bus.receive())
