"""When messages came into the mailbox that they are in (RFC 8514 §3)."""

from postroad.db.transaction import Reader


def saved_dates(reader: Reader, account_id: int, mailbox_id: int, low: int, high: int) -> dict[int, int]:
    """When the entries from UID `low` to `high` came into the mailbox, in seconds since the epoch."""
    rows = reader.rows(
        "SELECT uid, saved_date FROM entry WHERE account_id = ? AND mailbox_id = ? AND uid BETWEEN ? AND ?",
        *(account_id, mailbox_id, low, high),
    )
    return dict(rows)
