"""After a restore: what clients and other servers may have seen since the backup is not given out again.

A restored server has forgotten what happened after the backup; clients have
not. UIDVALIDITY stays, so that they keep what they hold and POP3 clients
fetch nothing twice. What counts up jumps far ahead instead: a UID that was
given to a message which is lost now never means another one (RFC 3501
§2.3.1.1), and every entry counts as changed after any modseq that a client
can know, so that flags which went back are told to it (RFC 7162 §3.1).
"""

from typing import Final

from postroad.db.transaction import Transaction
from postroad.store.blobs.record import line

UIDS: Final = 10_000_000
"""UIDs left out: more than a mailbox gets between a backup and its restore, and enough for 400 restores."""
MODSEQS: Final = 1_000_000_000
"""Modseqs left out; there are 2**63."""
IDS: Final = 10_000_000
"""The same for the numbers of accounts, mailboxes and messages."""
_LAST_UID: Final = 2**32 - 1 - 2 * UIDS


def wind_on(tx: Transaction, *, hold_queue: bool) -> int:
    """Make an index that is back from a backup safe to serve; give how many recipients wait in the queue.

    Whoever waits in the queue may have got the message meanwhile, so with
    `hold_queue` they are held until an operator lets them go.
    """
    _accounts(tx)
    _mailboxes(tx)
    _write_down(tx)
    return _queue(tx, hold_queue)


def _accounts(tx: Transaction) -> None:
    for table in ("account", "kept_account"):
        tx.run(
            f"UPDATE {table} SET modseq = modseq + ?, next_mailbox_id = next_mailbox_id + ?,"  # noqa: S608 - names from the line above
            " next_message_id = next_message_id + ?, next_uidvalidity = max(next_uidvalidity, ?) + 1",
            *(MODSEQS, IDS, IDS, int(tx.now) & 0xFFFFFFFF),
        )
    tx.run(
        "UPDATE directory_state SET version = version + ?, next_account_id = next_account_id + ?", IDS, IDS
    )


def _mailboxes(tx: Transaction) -> None:
    # The few that ran out of UIDs are new to clients; nothing else can be told to them.
    tx.run(
        "UPDATE mailbox SET uidvalidity = max(uidvalidity, ?) + 1 WHERE uidnext > ?",
        *(int(tx.now) & 0xFFFFFFFF, _LAST_UID),
    )
    tx.run("UPDATE mailbox SET uidnext = uidnext + ? WHERE uidnext <= ?", UIDS, _LAST_UID)
    modseq = (
        "coalesce((SELECT modseq FROM account WHERE id = {0}.account_id),"
        " (SELECT modseq FROM kept_account WHERE id = {0}.account_id), modseq + ?)"
    )
    tx.run(f"UPDATE mailbox SET recent_from = uidnext, modseq = {modseq.format('mailbox')}", MODSEQS)  # noqa: S608 - constants
    of_entry = modseq.format("entry")
    tx.run(f"UPDATE entry SET modseq = {of_entry}, created_modseq = {of_entry}", MODSEQS, MODSEQS)  # noqa: S608 - constants


def _write_down(tx: Transaction) -> None:
    """Have the packs know of the jump: an index that is made again from them must not go back behind it."""
    for account_id, mailbox_id, name, uidvalidity, special_use, uidnext, highest in tx.rows(
        "SELECT account_id, id, name, uidvalidity, special_use, uidnext, modseq FROM mailbox"
    ):
        tx.packs.journal(
            line(
                "mailbox",
                account=account_id,
                mailbox=mailbox_id,
                modseq=highest,
                uidvalidity=uidvalidity,
                special=special_use,
                name=name,
                passed=uidnext - 1,
            )
        )


def _queue(tx: Transaction, hold: bool) -> int:
    # Nobody works on anything: the workers that held these leases are not of this server.
    tx.run("DELETE FROM queue_lease")
    tx.run("UPDATE queue_recipient SET lease_id = NULL, held = max(held, ?)", int(hold))
    tx.run("DELETE FROM queue_destination")
    tx.run(
        "INSERT INTO queue_destination (destination, due)"
        " SELECT destination, min(due) FROM queue_recipient WHERE held = 0 GROUP BY destination"
    )
    # Trails, bounces and the other side's log know the numbers of what was queued since.
    tx.run("UPDATE sqlite_sequence SET seq = seq + ? WHERE name IN ('queue_item', 'queue_lease')", IDS)
    return int(tx.value("SELECT count(*) FROM queue_recipient") or 0)
