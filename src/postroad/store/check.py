"""`store check`: does the index tell the truth about the packs, and about itself?"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from postroad.db.transaction import Reader
from postroad.store.blobs.reader import PackReader
from postroad.store.errors import Damaged

_STEP: Final = 1000

_COUNTERS: Final = """
SELECT m.account_id, m.name, m.messages, m.unseen, m.deleted, m.size, m.uidnext,
       count(e.uid), coalesce(sum(e.flags & 8 = 0), 0), coalesce(sum(e.flags & 4 > 0), 0),
       coalesce(sum(e.size), 0), coalesce(max(e.uid), 0)
FROM mailbox m LEFT JOIN entry e ON e.account_id = m.account_id AND e.mailbox_id = m.id
WHERE m.account_id NOT IN (SELECT id FROM kept_account WHERE erasing = 1)
GROUP BY m.account_id, m.id
"""
_ACCOUNTS: Final = """
SELECT a.id, a.bytes_used, a.messages_used, coalesce(sum(e.size), 0), count(e.uid)
FROM (
    SELECT id, bytes_used, messages_used FROM account
    UNION ALL SELECT id, bytes_used, messages_used FROM kept_account WHERE erasing = 0
) a LEFT JOIN entry e ON e.account_id = a.id GROUP BY a.id
"""
_ORPHANS: Final = (
    (
        "an entry has no message",
        "SELECT e.account_id, e.uid FROM entry e LEFT JOIN message m"
        " ON m.account_id = e.account_id AND m.id = e.message_id WHERE m.id IS NULL",
    ),
    (
        "an entry has no mailbox",
        "SELECT e.account_id, e.uid FROM entry e LEFT JOIN mailbox m"
        " ON m.account_id = e.account_id AND m.id = e.mailbox_id WHERE m.id IS NULL",
    ),
    (
        "a message has no blob",
        "SELECT m.account_id, m.id FROM message m LEFT JOIN blob b ON b.id = m.blob_id WHERE b.id IS NULL",
    ),
    (
        "a message is in no mailbox and was not deleted",
        "SELECT m.account_id, m.id FROM message m WHERE NOT EXISTS"
        " (SELECT 1 FROM entry e WHERE e.account_id = m.account_id AND e.message_id = m.id) AND NOT EXISTS"
        " (SELECT 1 FROM kept k WHERE k.account_id = m.account_id AND k.message_id = m.id)",
    ),
    (
        "a deleted message that could be restored has no message",
        "SELECT k.account_id, k.uid FROM kept k LEFT JOIN message m"
        " ON m.account_id = k.account_id AND m.id = k.message_id WHERE m.id IS NULL",
    ),
    (
        "an annotation has no mailbox",
        "SELECT a.account_id, a.mailbox_id FROM annotation a WHERE a.mailbox_id > 0 AND NOT EXISTS"
        " (SELECT 1 FROM mailbox m WHERE m.account_id = a.account_id AND m.id = a.mailbox_id) AND NOT EXISTS"
        " (SELECT 1 FROM kept_mailbox k WHERE k.account_id = a.account_id AND k.id = a.mailbox_id)",
    ),
    (
        "an annotation of a message has no message",
        "SELECT a.account_id, a.uid FROM message_annotation a WHERE NOT EXISTS (SELECT 1 FROM entry e"
        " WHERE e.account_id = a.account_id AND e.mailbox_id = a.mailbox_id AND e.uid = a.uid)"
        " AND NOT EXISTS (SELECT 1 FROM kept k"
        " WHERE k.account_id = a.account_id AND k.mailbox_id = a.mailbox_id AND k.uid = a.uid)"
        " AND a.account_id NOT IN (SELECT id FROM kept_account WHERE erasing = 1)",
    ),
    (
        "a mailbox does not know of annotations of its messages",
        "SELECT DISTINCT a.account_id, a.mailbox_id FROM message_annotation a JOIN mailbox m"
        " ON m.account_id = a.account_id AND m.id = a.mailbox_id WHERE m.annotated < a.modseq",
    ),
    (
        "annotations of messages are not counted right",
        "SELECT u.account_id, u.octets FROM annotation_use u WHERE u.octets <> (SELECT"
        " coalesce(sum(500 + length(CAST(entry AS BLOB)) + coalesce(length(value), 0)), 0)"
        " FROM message_annotation WHERE account_id = u.account_id)",
    ),
    (
        "a share has no mailbox",
        "SELECT s.account_id, s.mailbox_id FROM share s WHERE NOT EXISTS"
        " (SELECT 1 FROM mailbox m WHERE m.account_id = s.account_id AND m.id = s.mailbox_id) AND NOT EXISTS"
        " (SELECT 1 FROM kept_mailbox k WHERE k.account_id = s.account_id AND k.id = s.mailbox_id)",
    ),
    (
        "a mailbox has no account",
        "SELECT m.account_id, m.id FROM mailbox m WHERE m.account_id NOT IN"
        " (SELECT id FROM account UNION ALL SELECT id FROM kept_account)",
    ),
)
# Counted for all blobs at once: asked for each of them, a hundred thousand messages would take hours.
_REFS: Final = """
WITH used (blob_id, users) AS (
    SELECT blob_id, count(*)
    FROM (SELECT blob_id FROM message UNION ALL SELECT blob_id FROM queue_item)
    GROUP BY blob_id
)
SELECT b.id, b.refs, coalesce(u.users, 0) AS users
FROM blob b LEFT JOIN used u ON u.blob_id = b.id WHERE b.refs <> coalesce(u.users, 0)
"""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is not as it should be, in a sentence."""

    what: str
    mail_affected: bool
    """Whether octets of a message are lost or damaged, rather than a count."""


def check(
    reader: Reader, packs: PackReader, progress: Callable[[int, int], None] = lambda _done, _all: None
) -> Iterator[Problem]:
    """Give every problem; reads every message once and compares digests.

    `progress` is told messages done and messages in all.
    """
    verdict = reader.value("PRAGMA integrity_check(20)")
    if verdict != "ok":
        yield Problem(f"the index file is damaged: {verdict}; `postroad store rebuild` makes it anew", True)
        return
    yield from _counters(reader)
    for what, sql in _ORPHANS:
        for account, number in reader.rows(sql + " LIMIT 100"):
            yield Problem(f"account {account}: {what} ({number})", False)
    for blob, refs, users in reader.rows(_REFS + " LIMIT 100"):
        yield Problem(f"blob {blob} counts {refs} users and has {users}", False)
    yield from _bodies(reader, packs, progress)


def _counters(reader: Reader) -> Iterator[Problem]:
    names = ("messages", "unseen", "deleted", "size")
    for account, mailbox, *numbers in reader.rows(_COUNTERS):
        *kept, uidnext = numbers[:5]
        *found, highest = numbers[5:]
        for name, one, other in zip(names, kept, found, strict=True):
            if one != other:
                yield Problem(f"account {account}, {mailbox}: {name} says {one}, there are {other}", False)
        if highest >= uidnext:
            yield Problem(
                f"account {account}, {mailbox}: UID {highest} is not below UIDNEXT {uidnext}", False
            )
    for account, kept_bytes, kept_messages, octets, messages in reader.rows(_ACCOUNTS):
        if (kept_bytes, kept_messages) != (octets, messages):
            yield Problem(
                f"account {account} is charged for {kept_messages} messages and {kept_bytes} octets,"
                f" it has {messages} and {octets}",
                False,
            )


def _bodies(reader: Reader, packs: PackReader, progress: Callable[[int, int], None]) -> Iterator[Problem]:
    count = reader.value("SELECT count(*) FROM blob WHERE refs > 0")
    done, last = 0, 0
    while looked := look_at_bodies(reader, packs, last):
        for _, _, problem in looked:
            if problem is not None:
                yield problem
        last = looked[-1][0]
        done += len(looked)
        progress(done, count)


def look_at_bodies(
    reader: Reader, packs: PackReader, after: int, octets: int = 64 * 1024 * 1024
) -> list[tuple[int, int, Problem | None]]:
    """Read the messages behind blob `after`, some `octets` of them: blob, length, what is wrong with it."""
    looked: list[tuple[int, int, Problem | None]] = []
    for blob, pack, offset, length, digest in reader.rows(
        "SELECT id, pack, offset, length, digest FROM blob WHERE id > ? AND refs > 0 ORDER BY id LIMIT ?",
        *(after, _STEP),
    ):
        what = ""
        try:
            if packs.digest(pack, offset, length) != digest:
                what = f"pack {pack}: the message at octet {offset} does not match its digest"
        except Damaged as error:
            what = str(error)
        looked.append((blob, length, Problem(what + _owners(reader, blob), True) if what else None))
        octets -= length
        if octets <= 0:
            break
    return looked


def _owners(reader: Reader, blob: int) -> str:
    rows = reader.rows(
        "SELECT e.account_id, b.name, e.uid FROM message m"
        " JOIN entry e ON e.account_id = m.account_id AND e.message_id = m.id"
        " JOIN mailbox b ON b.account_id = e.account_id AND b.id = e.mailbox_id WHERE m.blob_id = ? LIMIT 5",
        blob,
    )
    deleted = reader.rows(
        "SELECT k.account_id, k.uid FROM message m"
        " JOIN kept k ON k.account_id = m.account_id AND k.message_id = m.id WHERE m.blob_id = ? LIMIT 5",
        blob,
    )
    return "".join(
        [
            *(f"; account {account}, {name}, UID {uid}" for account, name, uid in rows),
            *(f"; account {account}, deleted, had UID {uid}" for account, uid in deleted),
        ]
    )
