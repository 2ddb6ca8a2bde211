"""The directory as the services see it: who gets mail, who may send as whom, who logs in."""

from functools import partial
from pathlib import Path
from typing import TypeVar

from postroad.config.limits import Limits
from postroad.db.database import Database
from postroad.db.transaction import Reader, Work
from postroad.directory import accounts, snapshot
from postroad.directory import resolve as addresses
from postroad.directory.accounts import AccountInfo
from postroad.directory.authenticate import Authenticator
from postroad.directory.credentials import FULL_COST, Cost, Hasher
from postroad.directory.remembered import Remembered
from postroad.directory.resolve import AccountTarget, Local, Resolution
from postroad.model.address import Address
from postroad.model.clock import Clock
from postroad.obs.log import log

T = TypeVar("T")


class Directory:
    """Questions are point reads at the database, so an operator's change holds at once."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        data: Path,
        *,
        limits: Limits | None = None,
        hash_cost: Cost = FULL_COST,
    ) -> None:
        """`data` is where `directory.json` is kept."""
        self.hasher = Hasher(hash_cost)
        self._database = database
        self._data = data
        self._remembered = Remembered()
        self._authenticator = Authenticator(database, clock, limits or Limits(), self.hasher)

    def is_local_domain(self, domain: str) -> bool:
        """Whether mail for `domain` (A-labels, lower case) is ours to take."""
        return self._database.read(lambda reader: addresses.is_local_domain(reader, domain))

    def resolve(self, address: Address) -> Resolution:
        """Follow an address to its targets."""
        known = self._database.ask(lambda reader: self._remembered.known(reader, address))
        if known is not None:
            return known
        return self._database.read(lambda reader: self._remembered.resolve(reader, address))

    def account(self, which: Address | int) -> AccountInfo | None:
        """The account of an address (exactly this one, no alias) or of an id."""
        if isinstance(which, Address):
            return self._database.read(partial(accounts.by_key, key=which.key))
        return self._database.read(partial(accounts.by_id, account_id=which))

    def may_send_as(self, account_id: int, address: Address) -> bool:
        """Whether an account may put `address` into MAIL FROM or From.

        It may use every address whose mail reaches it: its own, subaddresses
        of that, aliases that lead to it (to others as well, perhaps), and what
        the catch-all of a domain gives it.
        """
        return self._database.read(partial(may_send_as, account_id=account_id, address=address))

    async def authenticate(self, login: str, password: str, peer_address: str, protocol: str) -> AccountInfo:
        """See `Authenticator.authenticate`."""
        return await self._authenticator.authenticate(login, password, peer_address, protocol)

    async def change(self, work: Work[T]) -> T:
        """Run a verb of this package (`add_account`, `set_password` …), then save `directory.json`."""
        result = await self._database.write(work)
        await self.save()
        return result

    async def save(self) -> None:
        """Bring `directory.json` up to date: after a change, and at start for one that was missed."""
        try:
            await self._database.read_long(partial(snapshot.save, data=self._data))
        except OSError as error:
            # The change stands in the database; the next one, or the next start, writes the file.
            log.error("directory.not_saved", file=snapshot.FILE_NAME, error=str(error))

    async def close(self) -> None:
        """Let log-ins that are under way come to their end."""
        await self._authenticator.close()


def may_send_as(reader: Reader, account_id: int, address: Address) -> bool:
    """See `Directory.may_send_as`; for use inside a transaction."""
    if not address.domain:
        return False
    found = addresses.resolve(reader, address)
    return isinstance(found, Local) and any(
        isinstance(target, AccountTarget) and target.account_id == account_id for target in found.targets
    )
