"""The directory as the services see it: who gets mail, who may send as whom, who logs in."""

from collections.abc import Callable, Collection
from functools import partial
from pathlib import Path
from secrets import token_urlsafe
from typing import TYPE_CHECKING, TypeVar

from postroad.config.limits import Limits
from postroad.config.logins import Auth
from postroad.db.database import Database
from postroad.db.transaction import Reader, Work
from postroad.directory import accounts, domains, snapshot
from postroad.directory import resolve as addresses
from postroad.directory.accounts import AccountInfo
from postroad.directory.attempts import Attempts, LoggedIn
from postroad.directory.authenticate import Authenticator
from postroad.directory.client import Client
from postroad.directory.credentials import FULL_COST, Cost, Hasher
from postroad.directory.login import Login, SaslLogin
from postroad.directory.remembered import Remembered
from postroad.directory.resolve import AccountTarget, Local, Resolution
from postroad.directory.scram import drop_all_keys, has_any_keys
from postroad.directory.scram_offer import ScramOffer
from postroad.model.address import Address, AddressError, parse_mailbox
from postroad.model.clock import Clock
from postroad.obs.log import log
from postroad.sasl.exchange import start_exchange, usable
from postroad.sasl.outcome import Surroundings

if TYPE_CHECKING:  # most servers have no OpenID provider (`worker.tokens_of`)
    from postroad.directory.tokens import Tokens

T = TypeVar("T")


class Directory:
    """Questions are point reads at the database, so an operator's change holds at once."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        data: Path,
        *,
        hostname: str = "",
        limits: Limits | None = None,
        auth: Auth | None = None,
        tokens: "Tokens | None" = None,
        hash_cost: Cost = FULL_COST,
        nonce: Callable[[], str] = token_urlsafe,
    ) -> None:
        """`data` is where `directory.json` is kept; `nonce` draws the server's part of SCRAM nonces.

        `hostname` is the server's own name, whose postmaster gets mail whether or not it is a domain here.
        """
        self.hasher = Hasher(hash_cost)
        self._database = database
        self._clock = clock
        self._data = data
        self._hostname = hostname.lower()
        self._remembered = Remembered(self._hostname)
        self._auth = auth or Auth()
        self._nonce = nonce
        self._scram = ScramOffer(self._auth, database, clock)
        self._attempts = Attempts(database, clock, limits or Limits())
        self._authenticator = Authenticator(database, clock, self._attempts, self.hasher, self._auth)
        self._tokens = tokens

    def is_local_domain(self, domain: str) -> bool:
        """Whether mail for `domain` (A-labels, lower case) is ours to take, if only for its postmaster."""
        return domain == self._hostname or self._database.read(
            lambda reader: addresses.is_local_domain(reader, domain)
        )

    def resolve(self, address: Address) -> Resolution:
        """Follow an address to its targets."""
        known = self._remembered.known(self._database, address)
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

    def mechanisms(self, client: Client, allowed: Collection[str] = ()) -> tuple[str, ...]:
        """SASL mechanisms to offer a client: those that can succeed; of `allowed`, if any are named."""
        binding = client.default_binding or (bool(client.bindings) and self._auth.end_point_binding)
        return usable(
            [name for name in self._auth.mechanisms if not allowed or name in allowed],
            scram=self._scram.stands(),
            binding=binding,
            tokens=self._tokens is not None,
            certificate=bool(client.names),
        )

    def vouched_for(self, login: str) -> LoggedIn | None:
        """The account that logged in at a proxy, which is trusted to have looked (XCLIENT LOGIN)."""
        try:
            account = self.account(parse_mailbox(login))
        except AddressError:
            return None
        return None if account is None or account.suspended else LoggedIn(account, "XCLIENT")

    def begin_login(self, mechanism: str, client: Client, allowed: Collection[str] = ()) -> Login | None:
        """Begin a SASL exchange; None if the mechanism is not among `mechanisms`."""
        offered = self.mechanisms(client, allowed)
        if mechanism.upper() not in offered:
            return None
        surroundings = Surroundings(
            self._nonce(),
            client.bindings,
            plus_offered=any(name.endswith("-PLUS") for name in offered),
        )
        exchange = start_exchange(mechanism, surroundings)
        assert exchange is not None, "what is offered is known"
        return SaslLogin(
            mechanism.upper(),
            exchange,
            client,
            attempts=self._attempts,
            authenticator=self._authenticator,
            tokens=self._tokens,
            database=self._database,
            clock=self._clock,
        )

    async def authenticate(self, login: str, password: str, client: Client, mechanism: str) -> LoggedIn:
        """See `Authenticator.authenticate`; for the commands of IMAP and POP3 that are no SASL."""
        return await self._authenticator.authenticate(login, password, client, mechanism)

    def use(self, limits: Limits) -> None:
        """Take limits that were read anew."""
        self._attempts.limits = limits

    async def forget_unwanted_keys(self) -> None:
        """Erase all SCRAM keys where the settings say that none are kept."""
        if self._auth.scram == "off" and self._database.read(has_any_keys):
            await self.change(partial(drop_all_keys, who="settings"))

    async def set_quota(
        self, of: str, *, who: str, quota_bytes: int | None, quota_messages: int | None
    ) -> None:
        """Bound what an account or, with an @ and its name, a domain may hold; None is no bound.

        Raises:
            NoSuchAccount, NoSuchDomain, BadName
        """
        if of.startswith("@"):
            await self.change(
                partial(
                    domains.set_quota,
                    name=of[1:],
                    who=who,
                    quota_bytes=quota_bytes,
                    quota_messages=quota_messages,
                )
            )
            return
        await self.change(
            partial(
                accounts.set_quota,
                address=of,
                who=who,
                quota_bytes=quota_bytes,
                quota_messages=quota_messages,
            )
        )

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
        if self._tokens is not None:
            await self._tokens.close()


def may_send_as(reader: Reader, account_id: int, address: Address) -> bool:
    """See `Directory.may_send_as`; for use inside a transaction."""
    if not address.domain:
        return False
    found = addresses.resolve(reader, address)
    return isinstance(found, Local) and any(
        isinstance(target, AccountTarget) and target.account_id == account_id for target in found.targets
    )
