"""Verbs of queue, directory, sharing and accounts in an order in which each has something to do."""

from collections.abc import Callable
from typing import Any, Final, TypeAlias

from postroad.config.limits import Limits
from postroad.config.settings import Queue
from postroad.db.transaction import Reader, Transaction
from postroad.delivery.bounce import Notice
from postroad.directory.accounts import add_account, remove_account, set_quota, suspend_account
from postroad.directory.aliases import add_alias, remove_alias
from postroad.directory.credentials import LEAST_COST, Hasher, set_password
from postroad.directory.domains import add_domain, remove_domain
from postroad.directory.domains import set_quota as set_domain_quota
from postroad.directory.kept_accounts import erase_account, kept_at, restore_account
from postroad.model.annotation import Annotation
from postroad.model.flags import Flag
from postroad.queue import leases, outcome, verbs
from postroad.queue.item import Work, read_item, read_recipients
from postroad.queue.outcome import Judged
from postroad.smtp.outcome import Outcome, Verdict
from postroad.store import annotations, entries, kept, sharing
from postroad.store.account import EVERYTHING
from postroad.store.annotating import annotate
from postroad.store.crossing import Place, carry
from postroad.store.entries import next_modseq
from postroad.store.guest_flags import store_flags
from postroad.store.kept import Which
from tests.interop.postroad_server import PASSWORD
from tests.unit.queue.queued import ADA, MESSAGE, put

Step: TypeAlias = Callable[[Transaction], object]

BOB: Final = "bob@here.test"
TEAM: Final = "team@here.test"
WHO: Final = "test"
SETTINGS: Final = Queue()
TAKEN: Final = Outcome(Verdict.DELIVERED, 250, "2.0.0", "taken", "mx.there.test", "192.0.2.1")
LATER: Final = Outcome(Verdict.DEFERRED, 451, "4.3.0", "later", "mx.there.test", "192.0.2.1")
NEVER: Final = Outcome(Verdict.FAILED, 550, "5.1.1", "no such user", "mx.there.test", "192.0.2.1")
_PASSWORD: Final = Hasher(LEAST_COST).hash(PASSWORD)
_INBOX: Final = 1
_BOBS_VIEW: Final = Place(1, _INBOX, 2)
"""ada's INBOX as bob sees it."""


class Original:
    """The message that a notice is about."""

    size = len(MESSAGE)

    def read(self, start: int, end: int) -> bytes:
        return MESSAGE[start:end]


class Attempt:
    """What an attempt came to, written down; a notice is written once, as its boundary is drawn by lot."""

    def __init__(self, *outcomes: Outcome) -> None:
        self._outcomes = outcomes
        self._notices: list[Notice] | None = None

    def __call__(self, tx: Transaction) -> list[Judged]:
        work = _leased(tx)
        judged = outcome.judge(work, self._outcomes, now=tx.now, settings=SETTINGS, chance=0.5)
        if self._notices is None:
            self._notices = outcome.notices(
                work, judged, Original(), hostname="mx.here.test", now=tx.now, settings=SETTINGS
            )
        done = outcome.apply(tx, work, judged, self._notices)
        leases.drop_leases(tx, [work.lease_id])
        leases.touch(tx, work.destination, SETTINGS, ailing=outcome.ailing(judged))
        return done


def _leased(reader: Reader) -> Work:
    """The lease with most recipients."""
    row = reader.row(
        "SELECT l.id, l.destination, r.item_id FROM queue_lease l"
        " JOIN queue_recipient r ON r.lease_id = l.id ORDER BY l.recipients DESC LIMIT 1"
    )
    assert row is not None
    lease_id, destination, item_id = row
    item = read_item(reader, item_id)
    assert item is not None
    leased = {n for (n,) in reader.rows("SELECT n FROM queue_recipient WHERE lease_id = ?", lease_id)}
    recipients = [one for one in read_recipients(reader, item_id) if one.n in leased]
    return Work(lease_id, 0.0, destination, item, tuple(recipients))


def _lease(tx: Transaction) -> object:
    return leases.lease(tx, "w0-1", settings=SETTINGS, room=10, working=())


def _latest(tx: Transaction) -> int:
    """The number of the item that was queued last."""
    return int(tx.value("SELECT max(id) FROM queue_item"))


def _expunge(tx: Transaction) -> object:
    return entries.expunge(tx, 1, _INBOX, None, only_deleted=False, keep=True)


def _restore_mail(tx: Transaction) -> object:
    wanted = kept.find(tx, 1, Which())
    return kept.restore(tx, 1, wanted, to=None, over_quota=False)


def _purge(tx: Transaction) -> None:
    kept.erase(tx, kept.find(tx, 1, Which()))


def _restore_account(tx: Transaction) -> object:
    (gone,) = kept_at(tx, ADA)
    return restore_account(tx, gone, who=WHO)


def _erase_account(tx: Transaction) -> object:
    (gone,) = kept_at(tx, ADA)
    return erase_account(tx, gone.id, who=WHO)


DIRECTORY: Final[dict[str, Step]] = {
    "domain": lambda tx: add_domain(tx, "here.test", who=WHO),
    "account": lambda tx: add_account(tx, ADA, who=WHO, name="Ada"),
    "another": lambda tx: add_account(tx, BOB, who=WHO),
    "password": lambda tx: set_password(tx, ADA, _PASSWORD, who=WHO),
    "quota": lambda tx: set_quota(tx, ADA, who=WHO, quota_bytes=10**9, quota_messages=None),
    "suspension": lambda tx: suspend_account(tx, BOB, True, who=WHO),
    "alias": lambda tx: add_alias(tx, TEAM, [ADA, BOB], who=WHO),
    "more targets": lambda tx: add_alias(tx, TEAM, ["eve@there.test"], who=WHO),
    "fewer targets": lambda tx: remove_alias(tx, TEAM, [BOB], who=WHO),
}
QUEUE: Final[dict[str, Step]] = {
    "accept": lambda tx: put(tx, "a@there.test", "b@there.test", "c@there.test", "d@elsewhere.test"),
    "lease": _lease,
    "taken, put off, refused": Attempt(TAKEN, LATER, NEVER),
    "refused": Attempt(NEVER),
    "hold": lambda tx: verbs.hold(tx, _latest(tx), who=WHO),
    "release": lambda tx: verbs.release(tx, _latest(tx), who=WHO),
    "retry": lambda tx: verbs.retry(tx),
    "lease again": _lease,
    "give back": lambda tx: leases.release_worker(tx, "w0-1"),
    "cancel": lambda tx: verbs.cancel(tx, _latest(tx), who=WHO),
}
SHARING: Final[dict[str, Step]] = {
    "annotate": lambda tx: annotations.put(tx, (1, _INBOX, 0, "/shared/comment"), b"x", next_modseq(tx, 1)),
    "annotate messages": lambda tx: annotate(
        tx,
        Place(1, _INBOX, 1),
        EVERYTHING,
        [Annotation("/comment", True, b"x"), Annotation("/comment", False, b"y")],
        None,
        Limits(),
    ),
    "share": lambda tx: sharing.change(tx, 1, _INBOX, 2, negative=False, rights=frozenset("lrswite")),
    "mark in another's": lambda tx: store_flags(
        tx, _BOBS_VIEW, EVERYTHING, "add", Flag.SEEN | Flag.FLAGGED, frozenset({"work"}), None
    ),
    "copy out": lambda tx: carry(
        tx, _BOBS_VIEW, EVERYTHING, Place(2, _INBOX, 2), None, Limits(), move=False, keep=True
    ),
    "move back": lambda tx: carry(
        tx, Place(2, _INBOX, 2), EVERYTHING, _BOBS_VIEW, None, Limits(), move=True, keep=True
    ),
    "unshare": lambda tx: sharing.change(tx, 1, _INBOX, 2, negative=False, rights=None),
    "bound the domain": lambda tx: set_domain_quota(
        tx, "here.test", who=WHO, quota_bytes=10**9, quota_messages=None
    ),
}
ACCOUNTS: Final[dict[str, Step]] = {
    "expunge": _expunge,
    "restore mail": _restore_mail,
    "expunge again": _expunge,
    "purge": _purge,
    "accept more": lambda tx: put(tx, "a@there.test"),
    "lease more": _lease,
    "refuse more": Attempt(NEVER),
    "delete": lambda tx: remove_account(tx, ADA, who=WHO, with_aliases=True),
    "restore": _restore_account,
    "delete again": lambda tx: remove_account(tx, ADA, who=WHO),
    "erase": _erase_account,
    "remove the domain": lambda tx: remove_domain(tx, "here.test", who=WHO, with_contents=True),
}


def seen(reader: Reader) -> dict[str, Any]:
    """Every row of every table but for where in the packs messages lie."""
    tables = reader.rows("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
    rows = {
        name: sorted(reader.rows(f"SELECT * FROM {name}"), key=repr)
        for (name,) in tables
        if name not in ("pack", "pack_group", "blob") and not name.startswith("sqlite_")
    }
    rows["blob"] = reader.rows("SELECT id, length, digest, refs, freed_at FROM blob ORDER BY id")
    return rows
