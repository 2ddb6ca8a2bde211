"""How much an account may send: what it is allowed, and what it has sent.

A stolen password shows in numbers: many messages, or many people who were
never written to before. Counts are exact, because they are kept in the
transaction that takes a message, and so is the refusal.
"""

from collections.abc import Collection
from typing import Final

from msgspec import Struct

from postroad.config.limits import Limits
from postroad.db.transaction import Reader, Transaction
from postroad.directory import accounts, changes
from postroad.directory.errors import NoSuchAccount
from postroad.model.address import Address
from postroad.model.refusal import Refused

SLOT_SECONDS: Final = 600
HOUR_SLOTS: Final = 6
DAY_SLOTS: Final = 144
KNOWN_SECONDS: Final = 180 * 86400
"""Whom an account has not written to for so long is new again."""

_COLUMNS: Final = "messages_hour, messages_day, recipients_hour, recipients_day"


class SendLimits(Struct, frozen=True):
    """Most messages, and recipients elsewhere not written to before, in an hour and a day; 0: any."""

    messages_hour: int
    messages_day: int
    recipients_hour: int
    recipients_day: int


UNLIMITED: Final = SendLimits(0, 0, 0, 0)


class Own(Struct, frozen=True):
    """What was set for one account; None: what the settings say."""

    messages_hour: int | None = None
    messages_day: int | None = None
    recipients_hour: int | None = None
    recipients_day: int | None = None

    def over(self, limits: SendLimits) -> SendLimits:
        """What holds."""
        return SendLimits(
            limits.messages_hour if self.messages_hour is None else self.messages_hour,
            limits.messages_day if self.messages_day is None else self.messages_day,
            limits.recipients_hour if self.recipients_hour is None else self.recipients_hour,
            limits.recipients_day if self.recipients_day is None else self.recipients_day,
        )


class Sent(Struct, frozen=True):
    """What an account has sent."""

    messages_hour: int = 0
    messages_day: int = 0
    recipients_hour: int = 0
    recipients_day: int = 0


class OverSendLimit(Refused):
    """The account has sent as much as it may."""


def of_settings(limits: Limits) -> SendLimits:
    """What holds for everybody for whom nothing else was set."""
    return SendLimits(
        limits.send_messages_hour,
        limits.send_messages_day,
        limits.send_recipients_hour,
        limits.send_recipients_day,
    )


def set_limits(tx: Transaction, address: str, own: Own, *, who: str) -> Own:
    """Set what an account may send; gives what was set before.

    Raises:
        BadName, NoSuchAccount
    """
    account = accounts.by_key(tx, accounts.parsed(address).key)
    if account is None:
        raise NoSuchAccount(f"there is no account {address}")
    before = own_limits(tx, account.id)
    if own == Own():
        tx.run("DELETE FROM send_limit WHERE account_id = ?", account.id)
    else:
        tx.run(
            f"INSERT OR REPLACE INTO send_limit (account_id, {_COLUMNS}) VALUES (?, ?, ?, ?, ?)",  # noqa: S608 - constants
            *(account.id, *_fields(own)),
        )
    old, new = (dict(zip(_COLUMNS.split(", "), _fields(one), strict=True)) for one in (before, own))
    changes.record(tx, who=who, noun="sending", name=str(account.address), old=old, new=new)
    return before


def own_limits(reader: Reader, account_id: int) -> Own:
    """What was set for an account."""
    row = reader.row(f"SELECT {_COLUMNS} FROM send_limit WHERE account_id = ?", account_id)  # noqa: S608 - constants
    return Own() if row is None else Own(*row)


def sent(reader: Reader, account_id: int, now: float) -> Sent:
    """What an account has sent in the last hour and the last day, to ten minutes."""
    slot = int(now) // SLOT_SECONDS
    row = reader.row(
        "SELECT coalesce(sum(messages) FILTER (WHERE slot > ?2 - ?3), 0), coalesce(sum(messages), 0),"
        " coalesce(sum(recipients) FILTER (WHERE slot > ?2 - ?3), 0), coalesce(sum(recipients), 0)"
        " FROM sent_count WHERE account_id = ?1 AND slot > ?2 - ?4",
        *(account_id, slot, HOUR_SLOTS, DAY_SLOTS),
    )
    return Sent() if row is None else Sent(*row)


def charge(tx: Transaction, account_id: int, recipients: Collection[Address], general: SendLimits) -> None:
    """Count a message that is being taken, for so many `recipients` elsewhere.

    Raises:
        OverSendLimit: 452 4.7.1, and nothing is counted: it would be more than the account may send.
    """
    limits = own_limits(tx, account_id).over(general)
    if limits == UNLIMITED:
        return
    keys = {address.key for address in recipients}
    new = [key for key in keys if not _knows(tx, account_id, key)]
    before = sent(tx, account_id, tx.now)
    _check("messages", before.messages_hour + 1, limits.messages_hour, "an hour")
    _check("messages", before.messages_day + 1, limits.messages_day, "a day")
    if new:
        _check("new recipients", before.recipients_hour + len(new), limits.recipients_hour, "an hour")
        _check("new recipients", before.recipients_day + len(new), limits.recipients_day, "a day")
    slot = int(tx.now) // SLOT_SECONDS
    tx.run(
        "INSERT INTO sent_count (account_id, slot, messages, recipients) VALUES (?1, ?2, 1, ?3)"
        " ON CONFLICT (account_id, slot) DO UPDATE SET messages = messages + 1, recipients = recipients + ?3",
        *(account_id, slot, len(new)),
    )
    tx.run_many(
        "INSERT INTO sent_to (account_id, address, at) VALUES (?1, ?2, ?3)"
        " ON CONFLICT (account_id, address) DO UPDATE SET at = ?3 WHERE at <= ?3 - 86400",
        [(account_id, key, int(tx.now)) for key in keys],
    )


def forget_sent(tx: Transaction) -> None:
    """Drop counts of before yesterday, and whom nobody has written to for long."""
    tx.run("DELETE FROM sent_count WHERE slot <= ?", int(tx.now) // SLOT_SECONDS - DAY_SLOTS)
    tx.run("DELETE FROM sent_to WHERE at < ?", int(tx.now) - KNOWN_SECONDS)


def _knows(reader: Reader, account_id: int, key: str) -> bool:
    found = reader.value("SELECT 1 FROM sent_to WHERE account_id = ? AND address = ?", account_id, key)
    return found is not None


def _check(what: str, count: int, most: int, period: str) -> None:
    if most and count > most:
        public = f"this account may send {most} {what} within {period}; try again later"
        private = f"over the limit on {what} within {period}: {count} of {most}"
        raise OverSendLimit(452, "4.7.1", public, private)


def _fields(one: Own | SendLimits) -> tuple[int | None, int | None, int | None, int | None]:
    return one.messages_hour, one.messages_day, one.recipients_hour, one.recipients_day
