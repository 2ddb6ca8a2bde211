"""What accounts may send, in `directory.json`."""

from collections.abc import Iterable

import msgspec

from postroad.db.transaction import Reader, Transaction


class SavedSendLimits(msgspec.Struct, frozen=True, kw_only=True):
    """The limits that were set for one account (`directory.send_limits.Own`)."""

    account_id: int
    messages_hour: int | None
    messages_day: int | None
    recipients_hour: int | None
    recipients_day: int | None


def collect(reader: Reader) -> list[SavedSendLimits]:
    """All of them."""
    rows = reader.rows(
        "SELECT account_id, messages_hour, messages_day, recipients_hour, recipients_day"
        " FROM send_limit ORDER BY account_id"
    )
    return [
        SavedSendLimits(
            account_id=account_id,
            messages_hour=messages_hour,
            messages_day=messages_day,
            recipients_hour=recipients_hour,
            recipients_day=recipients_day,
        )
        for account_id, messages_hour, messages_day, recipients_hour, recipients_day in rows
    ]


def restore(tx: Transaction, saved: Iterable[SavedSendLimits]) -> None:
    """Put them back into an empty table."""
    for one in saved:
        tx.run(
            "INSERT INTO send_limit"
            " (account_id, messages_hour, messages_day, recipients_hour, recipients_day)"
            " VALUES (?, ?, ?, ?, ?)",
            *(one.account_id, one.messages_hour, one.messages_day, one.recipients_hour, one.recipients_day),
        )
