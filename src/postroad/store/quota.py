"""What an account may hold, and its domain: judged in the transaction that charges (SAFETY)."""

from typing import Final

from postroad.db.transaction import Reader, Row, Transaction
from postroad.store.errors import OverQuota
from postroad.store.types import Quota

USE: Final = "bytes_used, quota_bytes, messages_used, quota_messages, domain_limited"
"""Columns of an account that `check_quota` looks at."""

_OF_ACCOUNT: Final = f"SELECT {USE} FROM account WHERE id = ?"  # noqa: S608 - a constant
# A sum, so that no counter can be wrong; asked only where a domain has a limit.
_OF_DOMAIN: Final = (
    "SELECT total(a.bytes_used), d.quota_bytes, total(a.messages_used), d.quota_messages"
    " FROM domain d LEFT JOIN account a ON a.domain = d.name WHERE d.name = ? GROUP BY d.id"
)


def check_quota(tx: Transaction, account_id: int, use: Row) -> None:
    """Raise OverQuota where an account, charged already, has more than it or its domain may have."""
    bytes_used, bytes_limit, messages_used, messages_limit, domain_limited = use
    if bytes_limit is not None and bytes_used > bytes_limit:
        raise OverQuota(f"{bytes_limit} octets")
    if messages_limit is not None and messages_used > messages_limit:
        raise OverQuota(f"{messages_limit} messages")
    if domain_limited:
        together = _of_the_domain(tx, account_id)
        if together is not None and together.is_over:
            raise OverQuota("all that the accounts of the domain may have together")


def quota_of(reader: Reader, account_id: int) -> Quota | None:
    """Use and limits of an account, with those of its domain where that has any; None when it is gone."""
    row = reader.row(_OF_ACCOUNT, account_id)
    if row is None:
        return None
    bytes_used, bytes_limit, messages_used, messages_limit, domain_limited = row
    together = _of_the_domain(reader, account_id) if domain_limited else None
    return Quota(bytes_used, bytes_limit, messages_used, messages_limit, together)


def quota_of_domain(reader: Reader, name: str) -> Quota | None:
    """Use and limits of all accounts of a domain together; None where there is no such domain."""
    row = reader.row(_OF_DOMAIN, name)
    if row is None:
        return None
    bytes_used, bytes_limit, messages_used, messages_limit = row
    return Quota(int(bytes_used), bytes_limit, int(messages_used), messages_limit)


def _of_the_domain(reader: Reader, account_id: int) -> Quota | None:
    domain = reader.value("SELECT domain FROM account WHERE id = ?", account_id)
    return None if domain is None else quota_of_domain(reader, domain)
