"""What the packs say was where: their journal played from the first line to the last."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from postroad.store.blobs.group_line import Group
from postroad.store.blobs.parts import read_parts
from postroad.store.blobs.record import Record


@dataclass(slots=True)
class FoundEntry:
    """A message in a mailbox."""

    message: int
    flags: int
    keywords: str
    date: int
    saved: int
    modseq: int


@dataclass(slots=True)
class FoundMailbox:
    """A mailbox and its entries by UID."""

    name: str
    uidvalidity: int
    """0 when nothing tells it."""
    special: str
    entries: dict[int, FoundEntry] = field(default_factory=dict)
    highest_uid: int = 0


@dataclass(slots=True)
class FoundAccount:
    """Everything that the packs know of one account."""

    mailboxes: dict[int, FoundMailbox] = field(default_factory=dict)
    messages: dict[int, tuple[int, int, bytes, int]] = field(default_factory=dict)
    """Message id: pack, offset, prefix, thread (0 in packs from before it was written down)."""
    modseq: int = 0
    highest_mailbox: int = 0
    """Of all that ever were: what was deleted must not lend its number to another."""
    kept: dict[tuple[int, int], tuple[FoundEntry, int]] = field(default_factory=dict)
    """What was expunged and can be restored: by mailbox and UID, with the time."""
    kept_mailboxes: dict[int, tuple[FoundMailbox, int]] = field(default_factory=dict)
    """What was deleted and can be restored, with the time."""
    removed: bool = False
    """It is not in the directory any more, and can be restored."""

    annotations: dict[tuple[int, int, str], bytes | None] = field(default_factory=dict)
    """What was noted, by mailbox, user and entry; None where it was removed again."""

    shares: dict[tuple[int, int, int], str] = field(default_factory=dict)
    """Rights by mailbox, user and whether they are taken away; empty where they were withdrawn."""
    seen: dict[tuple[int, int, int], bool] = field(default_factory=dict)
    """\\Seen of those who are not the owner, by mailbox, user and UID."""

    notes: dict[tuple[int, int, int, str], bytes | None] = field(default_factory=dict)
    """Annotations of messages, by mailbox, UID, user and entry; None where one was removed again."""

    def forget(self, mailbox_id: int, uids: Iterable[int] | None) -> None:
        """Drop expunged messages, or a deleted mailbox, that can be restored no more."""
        if uids is None:
            self.kept_mailboxes.pop(mailbox_id, None)
            return
        for uid in uids:
            self.kept.pop((mailbox_id, uid), None)

    subscribed: dict[str, bool] = field(default_factory=dict)
    """Names that were subscribed, and those that were given up; empty when nothing tells."""


@dataclass(slots=True)
class FoundItem:
    """A message that was on its way out, as `queue.journal` wrote it."""

    id: int
    fields: dict[str, bytes]
    gone: set[int] = field(default_factory=set)
    """Recipients that wait no more, by their number."""

    @property
    def place(self) -> tuple[int, int]:
        """Pack and offset of its octets."""
        pack, _, offset = self.fields["blob"].partition(b":")
        return int(pack), int(offset)

    def number(self, name: str) -> int:
        """A numeric field."""
        return int(self.fields[name])


@dataclass(slots=True)
class Found:
    """The whole store as the packs have it."""

    accounts: dict[int, FoundAccount] = field(default_factory=dict)
    blobs: dict[tuple[int, int], tuple[int, bytes]] = field(default_factory=dict)
    """(pack, offset): length, digest."""
    tails: dict[int, int] = field(default_factory=dict)
    queue: dict[int, FoundItem] = field(default_factory=dict)
    last_group: Group = field(default_factory=lambda: Group(0, "", ""))


def replay(folder: Path) -> Found:
    """Read every pack and play its journal.

    Records of different packs are put in order by the account's modseq, which
    every change counts up, and by the group for those that have none. What is
    doubtful comes last and takes nobody's place.
    """
    packs = read_parts(folder)
    found = Found(tails=packs.tails, last_group=packs.last)
    journal: list[tuple[bool, int, int, int, int, Record]] = []
    for part in packs.parts:
        for record in part.believed():
            if record.kind == "blob":
                digest = bytes.fromhex(record.text("sha256"))
                found.blobs[part.pack, record.body_at] = (record.number("length"), digest)
            else:
                doubtful = not part.sure
                order = (doubtful, record.number("modseq"), part.number, part.pack, record.at)
                journal.append((*order, record))
    journal.sort(key=lambda line: line[:5])
    # What leaves the queue may stand in an earlier pack than what entered it; numbers are never used twice.
    for wanted in ("queue", "unqueue"):
        for *_, record in journal:
            if record.kind == wanted:
                _play_queue(found, record)
    for doubtful, modseq, *_, record in journal:
        if "account" not in record.fields:
            continue
        account_id = record.number("account")
        account = found.accounts.setdefault(account_id, FoundAccount())
        account.modseq = max(account.modseq, modseq)
        _play(account, record, doubtful=doubtful)
    # A line without a modseq stands first, and ids are never used twice: what is removed stays so.
    for *_, record in journal:
        if record.kind == "unaccount":
            found.accounts.pop(record.number("account"), None)
        elif record.kind == "forget" and (known := found.accounts.get(record.number("account"))):
            known.forget(record.number("mailbox"), _uids(record) if "uids" in record.fields else None)
    return found


def _play_queue(found: Found, record: Record) -> None:
    item_id = record.number("item")
    if record.kind == "queue":
        found.queue[item_id] = FoundItem(item_id, record.fields)
    elif (item := found.queue.get(item_id)) is not None:
        item.gone.update(int(n) for n in record.text("recipients").split(",") if n)


def _play(account: FoundAccount, record: Record, *, doubtful: bool) -> None:
    mailbox_id = record.number("mailbox")
    account.highest_mailbox = max(account.highest_mailbox, mailbox_id)
    mailbox = account.mailboxes.get(mailbox_id)
    match record.kind:
        case "mailbox":
            name, special = record.text("name"), record.text("special")
            if mailbox is None:
                account.mailboxes[mailbox_id] = FoundMailbox(name, record.number("uidvalidity"), special)
            else:
                mailbox.name, mailbox.special = name, special
                mailbox.uidvalidity = record.number("uidvalidity")
                mailbox.highest_uid = max(mailbox.highest_uid, record.number("passed"))
        case "unmailbox":
            gone = account.mailboxes.pop(mailbox_id, None)
            if gone is not None and "time" in record.fields:
                account.kept_mailboxes[mailbox_id] = gone, record.number("time")
        case "removed" | "restored":
            account.removed = record.kind == "removed"
        case "file" | "copy":
            if not doubtful or _is_new(account, mailbox, record):
                _enter(account, mailbox, record)
        case "subscribe":
            account.subscribed[record.text("name")] = bool(record.number("on"))
        case "annotation":
            key = (mailbox_id, record.number("user"), record.text("entry"))
            account.annotations[key] = record.fields.get("value")
        case "note":
            for uid in _uids(record):
                note = (mailbox_id, uid, record.number("user"), record.text("entry"))
                account.notes[note] = record.fields.get("value")
        case "share":
            who = (mailbox_id, record.number("user"), record.number("negative"))
            account.shares[who] = record.text("rights")
        case "seen":
            for uid in _uids(record):
                account.seen[mailbox_id, record.number("user"), uid] = bool(record.number("on"))
        case "message":
            _know(account, record)
        case "flags" if mailbox is not None:
            for uid in _uids(record):
                if entry := mailbox.entries.get(uid):
                    entry.flags = record.number("flags")
                    entry.keywords = record.text("keywords")
                    entry.modseq = record.number("modseq")
        case "expunge" if mailbox is not None:
            for uid in _uids(record):
                entry = mailbox.entries.pop(uid, None)
                if entry is not None and "time" in record.fields:
                    account.kept[mailbox_id, uid] = entry, record.number("time")


def _is_new(account: FoundAccount, mailbox: FoundMailbox | None, record: Record) -> bool:
    """Whether neither the number of the message nor its UID was given to another since."""
    if record.number("message") in account.messages:
        return False
    return mailbox is None or record.number("uid") > mailbox.highest_uid


def _enter(account: FoundAccount, mailbox: FoundMailbox | None, record: Record) -> None:
    message = record.number("message")
    if record.kind == "file":
        _know(account, record)
    if mailbox is None:
        # The line that told of it lay in what is lost; its mail need not be.
        mailbox_id = record.number("mailbox")
        mailbox = account.mailboxes[mailbox_id] = FoundMailbox(f"Recovered {mailbox_id}", 0, "")
    uid = record.number("uid")
    mailbox.highest_uid = max(mailbox.highest_uid, uid)
    mailbox.entries[uid] = FoundEntry(
        message,
        record.number("flags"),
        record.text("keywords"),
        record.number("date"),
        record.number("saved"),
        record.number("modseq"),
    )


def _know(account: FoundAccount, record: Record) -> None:
    pack, _, offset = record.text("blob").partition(":")
    prefix = record.fields.get("prefix", b"")
    account.messages[record.number("message")] = (int(pack), int(offset), prefix, record.number("thread"))


def _uids(record: Record) -> Iterator[int]:
    for run in record.text("uids").split(","):
        low, _, high = run.partition(":")
        yield from range(int(low), int(high or low) + 1)
