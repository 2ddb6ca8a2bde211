"""What has to go with what: the common part of removing accounts and whole domains."""

from collections.abc import Sequence

import msgspec

from postroad.db.transaction import Reader, Transaction
from postroad.directory import changes
from postroad.store.accounts import close, erase

KEPT_COLUMNS = (
    "id, key, address, domain, name, created, suspended, quota_bytes, quota_messages, modseq, bytes_used,"
    " messages_used, next_mailbox_id, next_message_id, next_uidvalidity, app_passwords_only, shared,"
    " switched_off"
)
"""What `account` and `kept_account` have in common."""


def drop_account(
    tx: Transaction, account_id: int, address: str, *, who: str, keep: bool, aliases: Sequence[str]
) -> None:
    """Remove an account, its mail and its log-in; with `keep` it can be restored.

    `aliases` are those that pointed at it.
    """
    row = tx.row("SELECT name, suspended, quota_bytes, quota_messages FROM account WHERE id = ?", account_id)
    assert row is not None, "the caller has just read this account"
    if keep:
        close(tx, account_id)
        tx.run(
            f"INSERT INTO kept_account ({KEPT_COLUMNS}, at, who, aliases)"  # noqa: S608 - a constant
            f" SELECT {KEPT_COLUMNS}, ?, ?, ? FROM account WHERE id = ?",
            *(int(tx.now), who, msgspec.json.encode(aliases).decode(), account_id),
        )
    else:
        erase(tx, account_id)
        drop_login(tx, account_id)
    tx.run("DELETE FROM account WHERE id = ?", account_id)
    name, suspended, quota_bytes, quota_messages = row
    old: changes.Facts = {
        "id": account_id,
        "name": name,
        "suspended": bool(suspended),
        "quota_bytes": quota_bytes,
        "quota_messages": quota_messages,
    }
    changes.record(tx, who=who, noun="account", name=address, old=old)


def drop_login(tx: Transaction, account_id: int) -> None:
    """Remove what an account logs in with, and what is counted of it."""
    tables = ("credential", "app_password", "scram_key", "known_network")
    for table in (*tables, "send_limit", "sent_count", "sent_to", "send_alert"):
        tx.run(f"DELETE FROM {table} WHERE account_id = ?", account_id)  # noqa: S608 - names from the line above


def aliases_to(reader: Reader, key: str) -> list[str]:
    """Names of the aliases that point at an address, itself apart."""
    rows = reader.rows("SELECT address FROM alias WHERE target_key = ? AND key != ?", key, key)
    return [address for (address,) in rows]


def drop_aliases_to(tx: Transaction, key: str, *, who: str) -> None:
    """Take an address off all aliases that point at it; an alias left without targets is gone."""
    for alias_key, source, target in tx.rows(
        "SELECT key, address, target FROM alias WHERE target_key = ?", key
    ):
        tx.run("DELETE FROM alias WHERE key = ? AND target_key = ?", alias_key, key)
        changes.record(tx, who=who, noun="alias", name=source, old={"targets": [target]})


def and_others(names: list[str], most: int = 3) -> str:
    """Name a few: `a, b, c and 4 others`."""
    if len(names) <= most:
        return ", ".join(names)
    more = len(names) - most
    return f"{', '.join(names[:most])} and {more} other{'s' if more > 1 else ''}"
