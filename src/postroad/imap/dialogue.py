"""One client's session: who it is, what it has selected, what it knows."""

import asyncio
import ssl
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from postroad.config.limits import Limits
from postroad.directory.accounts import AccountInfo
from postroad.directory.attempts import LoggedIn
from postroad.directory.client import Client, client_of
from postroad.directory.login import Login
from postroad.imap.answer import No
from postroad.imap.capabilities import OFFERED, capabilities
from postroad.imap.enabled import Enabled
from postroad.imap.followed import Followed
from postroad.imap.notify.everywhere import Everywhere
from postroad.imap.notify.hearing import BY_DEFAULT, Hearing
from postroad.imap.notify.overview import Overviews
from postroad.imap.notify.watching import Watching
from postroad.imap.progress import Progress
from postroad.imap.selected import Selected
from postroad.imap.shared_uids import SharedUids
from postroad.imap.wire.core import ImapServerCore
from postroad.imap.wire.event import Event
from postroad.imap.wire.extensions import Extension
from postroad.imap.wire.mailbox_name import MailboxName
from postroad.imap.wire.table import State
from postroad.model.clock import Clock
from postroad.model.switches import withheld
from postroad.net.connection import Connection
from postroad.policy.shared_counts import Refusal, UserSession
from postroad.sasl.exchange import takes_passwords
from postroad.store.account import Account
from postroad.store.namespaces import is_foreign
from postroad.store.store import Store
from postroad.store.types import Mailbox


class Authenticator(Protocol):
    """Who knows people; `postroad.directory.directory.Directory` does."""

    async def authenticate(self, login: str, password: str, client: Client, mechanism: str) -> LoggedIn:
        """Return who it is, or raise AuthenticationFailed, Refused or Unavailable."""
        ...

    def mechanisms(self, client: Client, allowed: Collection[str] = ()) -> tuple[str, ...]:
        """SASL mechanisms to offer."""
        ...

    async def set_quota(
        self, of: str, *, who: str, quota_bytes: int | None, quota_messages: int | None
    ) -> None:
        """Bound what an account or, with an @ and its name, a domain may hold."""
        ...

    def begin_login(self, mechanism: str, client: Client, allowed: Collection[str] = ()) -> Login | None:
        """Begin a SASL exchange of a mechanism that is offered."""
        ...


class SessionCounts(Protocol):
    """Who counts sessions over all workers; `postroad.policy.shared_counts.SharedCounts` does."""

    def open_session(self, account_id: int, address: str) -> UserSession | Refusal:
        """Count one more, or say why there is no room."""
        ...

    def close_session(self, session: UserSession) -> None:
        """Count it off."""
        ...


@dataclass(frozen=True, slots=True)
class Services:
    """What all IMAP sessions of a listener share."""

    store: Store
    directory: Authenticator
    clock: Clock
    limits: Limits
    hostname: str
    tls_context: ssl.SSLContext | None
    passwords_in_clear: bool
    mechanisms: Collection[str]
    """SASL mechanisms that this listener may use; none named: all."""
    shared_uids: SharedUids
    overviews: Overviews
    counts: SessionCounts
    large_searches: asyncio.Semaphore
    """How many large messages may be in memory at a time to be searched."""
    administrators: Collection[str]
    """Keys of the addresses whose accounts may set quotas (`model.address.Address.key`)."""
    about_server: Mapping[str, bytes]
    """What the operator notes about the server for all users: entries of METADATA (RFC 5464 §3.2.1.1)."""
    on_login: Callable[[Connection], None]
    """Told of connections that have earned their place (`postroad.policy.gate.Gate.authenticated`)."""
    on_logout: Callable[[Connection], None]
    """Told of those that are strangers' again (`Gate.logged_out`)."""


def _nothing() -> None:
    """Nobody listens to another's account."""


class Dialogue:
    """A session in progress; the commands work on this."""

    __slots__ = (
        "_account",
        "_counted",
        "_stop_watching_other",
        "administers",
        "conn",
        "core",
        "enabled",
        "failures",
        "followed",
        "hearing",
        "left",
        "maybe_selected",
        "over",
        "patience",
        "services",
        "stranger_commands",
        "watching",
    )

    def __init__(self, conn: Connection, core: ImapServerCore, services: Services) -> None:
        self.conn = conn
        self.core = core
        self.services = services
        self.enabled = Enabled()
        self.followed = Followed()
        self.over = False
        """Nothing more is to be read: flush and close."""
        self.left: Event | None = None
        """What has been read already, and is still to be seen to."""
        self.patience: float = services.limits.command_timeout
        """Seconds that the client may take for its next command."""
        self.administers = False
        """Whether the user may set quotas."""
        self.failures = 0
        """Failed log-ins."""
        self.stranger_commands = 0
        """Commands before log-in."""
        self.hearing: Hearing = BY_DEFAULT
        """What it is told of the selected mailbox."""
        self.watching: Everywhere | None = None
        """What it is told of others, since NOTIFY SET."""
        self._account: Account | None = None
        self.maybe_selected: Selected | None = None
        """The selected mailbox, or None."""
        self._stop_watching_other: Callable[[], None] = _nothing
        """Ends the hints about the account of a selected mailbox that is somebody else's."""
        self._counted: UserSession | None = None

    # -- who and where -----------------------------------------------------

    @property
    def account(self) -> Account:
        """The mail of the user; the core lets no command through that needs it before log-in."""
        assert self._account is not None
        return self._account

    @property
    def selected(self) -> Selected:
        """The selected mailbox; the core lets no command through that needs it before SELECT."""
        assert self.maybe_selected is not None
        return self.maybe_selected

    def log_in(self, account: AccountInfo) -> Refusal | None:
        """Enter the authenticated state, unless the user has too many sessions."""
        counted = self.services.counts.open_session(account.id, self.conn.peer[0])
        if isinstance(counted, Refusal):
            return counted
        self._counted = counted
        self._account = self.services.store.account(account.id)
        self.administers = account.address.key in self.services.administrators
        # RFC 3501 §5.4: an autologout timer must be at least 30 minutes.
        self.patience = max(self.services.limits.imap_idle_timeout, 1800)
        self.core.state = State.AUTHENTICATED
        self.core.offer_only(OFFERED, withheld(account.switched_off))
        self.conn.account_id = account.id
        self.services.on_login(self.conn)
        return None

    def log_out(self) -> None:
        """Go back to where nobody has logged in: nothing of the user stays (RFC 8437 §4)."""
        self.leave()
        self._account = self.maybe_selected = self.conn.account_id = None
        self.enabled = Enabled()
        self.followed = Followed()
        self.administers = False
        self.hearing = BY_DEFAULT
        self.stranger_commands = 0
        self.patience = self.services.limits.command_timeout
        self.core.state = State.NOT_AUTHENTICATED
        self.core.offer_only(OFFERED)
        self.services.on_logout(self.conn)

    def select(self, selected: Selected) -> None:
        """Enter the selected state; `unselect` first where another mailbox is selected."""
        self.maybe_selected = selected
        self.core.state = State.SELECTED
        if selected.account.id != self.account.id:
            topic = f"account:{selected.account.id}"
            self._stop_watching_other = self.services.store.watch.subscribe(topic, self.conn.poke)

    def unselect(self) -> None:
        """Leave the selected state."""
        if self.maybe_selected is not None and self.watching is not None:
            self.watching.left(self.maybe_selected)
        self.maybe_selected = None
        self.core.state = State.AUTHENTICATED

    def mailbox_gone(self) -> None:
        """The selected mailbox has been deleted by somebody else, or may not be read any more."""
        # RFC 2180 §3.3, RFC 4314 §5.1.1: what else could be told of a mailbox that is no more.
        self.core.bye(b"the mailbox is gone, or no longer yours to read")
        self.over = True

    def leave(self) -> None:
        """Count the session off; it hears of nothing any more."""
        self.listen(self.hearing, None)
        self._stop_watching_other()
        if self._counted is not None:
            self.services.counts.close_session(self._counted)
            self._counted = None

    @property
    def may_log_in(self) -> bool:
        """Under TLS alone, or where nobody can listen in (RFC 8314 §3)."""
        return self.conn.tls is not None or self.services.passwords_in_clear

    @property
    def takes_passwords(self) -> bool:
        """Whether LOGIN is on: it shows the password as PLAIN and its like do."""
        return takes_passwords(self._mechanisms())

    def client(self) -> Client:
        """What the directory has to know of the client."""
        return client_of(self.conn, "imap")

    def _mechanisms(self) -> tuple[str, ...]:
        if not self.may_log_in:
            return ()
        return self.services.directory.mechanisms(self.client(), self.services.mechanisms)

    @property
    def message_limit(self) -> int:
        """How many messages one command of this user looks at (RFC 9738); 0: any number."""
        return 0 if "MESSAGELIMIT" in self.core.withheld else self.services.limits.imap_message_limit

    @property
    def save_limit(self) -> int:
        """How many it copies or files, as the user is told; 0 where that is not told."""
        return 0 if "SAVELIMIT" in self.core.withheld else self.services.limits.imap_save_limit

    def capabilities(self) -> bytes:
        """What the client can use in this state."""
        return capabilities(
            self.core.state,
            mechanisms=self._mechanisms() if self.core.state is State.NOT_AUTHENTICATED else (),
            tls_offered=self.services.tls_context is not None and self.conn.tls is None,
            append_limit=self.services.limits.message_size,
            message_limit=self.message_limit,
            save_limit=self.save_limit,
            compressed=self.core.compression is not None,
            administers=self.administers,
            withheld=self.core.withheld,
        )

    # -- mailboxes ---------------------------------------------------------

    def find(self, named: MailboxName, *, code: bytes = b"NONEXISTENT") -> tuple[Account, Mailbox]:
        """Find a mailbox by the name that the client gave, and whose it is.

        Raises:
            No: there is none; `code` is TRYCREATE where making it would help.
        """
        account: Account = self.account
        found = account.mailbox(named.name) if named.valid else None
        if found is None and named.valid and is_foreign(named.name):
            account, name = self.whose(named.name)
            found = account.mailbox(name) if account is not self.account else None
        if found is None:
            raise No(code if named.valid else b"NONEXISTENT", b"there is no such mailbox")
        return account, found

    def everything(self) -> list[tuple[Account, Mailbox]]:
        """All mailboxes that the user may see, with whose they are: one's own, then those of others."""
        accounts = [self.account, *self.services.store.guests(self.account.id)]
        return [(account, mailbox) for account in accounts for mailbox in account.mailboxes()]

    def whose(self, name: str) -> tuple[Account, str]:
        """The account that a name belongs to, and what its owner calls it; one's own names come first."""
        if not is_foreign(name) or self.account.mailbox(name) is not None:
            return self.account, name
        foreign = self.services.store.foreign(name)
        if foreign is None or foreign.account_id == self.account.id:
            return self.account, name
        return self.services.store.guest(foreign.account_id, self.account.id, foreign.prefix), foreign.name

    # -- news --------------------------------------------------------------

    def listen(self, hearing: Hearing, watching: Everywhere | None) -> None:
        """Tell the client of this, and of nothing that it wanted to hear before (RFC 5465 §3.1)."""
        if self.watching is not None:
            self.watching.stop()
            self.followed.watch_no_more()
        self.hearing, self.watching = hearing, watching
        if watching is not None and watching.follows_metadata:
            self.followed.watch(self.account, watching.wants_metadata, watching.others)

    def filed(self, account: Account, mailbox_id: int, uids: Sequence[int]) -> None:
        """The client has put messages into a mailbox itself, and need not be told that they came."""
        selected = self.maybe_selected
        if selected is not None and (selected.account.id, selected.id) == (account.id, mailbox_id):
            if self.hearing.messages:
                selected.filed(uids)
        elif uids and (watching := self.watch_over(account)) is not None:
            watching.filed(mailbox_id, len(uids), max(uids))

    def watch_over(self, account: Account) -> Watching | None:
        """Where is noted what the client does to an account itself, if it watches that."""
        return None if self.watching is None else self.watching.of(account)

    def progress(self, tag: bytes, goal: int = 0) -> Progress:
        """Begin to count what the command with this tag does; `goal` is how many messages that will be."""
        progress = Progress(self.core, self.conn.flush, self.services.clock, tag)
        progress.goal = goal
        return progress

    def aware_of_modseqs(self) -> None:
        """The client has said that it knows mod-sequences (RFC 7162 §3.1, CONDSTORE enabling commands)."""
        if self.enabled.condstore:
            return
        self.enabled.condstore = True
        if self.maybe_selected is not None:
            self.tell_modseq(self.maybe_selected.highest_modseq())

    def resyncs(self) -> None:
        """The client wants VANISHED for EXPUNGE, and may ask what it has missed (RFC 7162 §3.2.3)."""
        self.enabled.qresync = True
        self.core.offer(Extension.QRESYNC)
        self.aware_of_modseqs()

    def uids_only(self) -> None:
        """The client speaks of UIDs alone, and wants to hear of nothing else (RFC 9586 §3.1)."""
        self.enabled.uidonly = True
        self.core.offer(Extension.UIDONLY)
        if self.maybe_selected is not None:
            # What is followed by message numbers could not be told any more.
            for tag in self.maybe_selected.contexts.numbered():
                self.maybe_selected.contexts.cancel([tag])
                self.core.untagged(b'NO [NOUPDATE "%b"] messages have no numbers any more' % tag)

    def follows_metadata(self) -> None:
        """The client wants to hear which annotations others change (RFC 5464 §4.1)."""
        self.followed.follow(self.account)

    def speaks_rev2(self) -> None:
        """The client wants to be answered as RFC 9051 says (appendix A there)."""
        self.enabled.rev2 = self.enabled.utf8 = True
        self.core.offer(Extension.REV2)

    def speaks_utf8(self) -> None:
        """The client takes UTF-8 in quoted strings (RFC 6855 §3)."""
        self.enabled.utf8 = True
        self.core.offer(Extension.UTF8)

    def tell_modseq(self, code: bytes) -> None:
        """Tell HIGHESTMODSEQ in a response of its own."""
        self.core.untagged(b"OK [%b] all up to here is known" % code)
