"""A word to the postmaster when an account wants to send more than it may: somebody may have its password."""

import secrets
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final

from postroad.db.transaction import Reader, Transaction
from postroad.delivery.own_mail import OwnMail, Sign, own_header, post_own
from postroad.message.compose import text_body
from postroad.model.address import Address, parse_mailbox
from postroad.store.errors import OverQuota
from postroad.store.prepare import prepare_now

QUIET_SECONDS: Final = 86400.0
"""How long nothing more is said of an account."""


def was_told(reader: Reader, account_id: int, now: float) -> bool:
    """Whether the postmaster knows already."""
    since = now - QUIET_SECONDS
    return bool(reader.value("SELECT 1 FROM send_alert WHERE account_id = ? AND at > ?", account_id, since))


def write_alert(login: str, reason: str, *, hostname: str, now: float, sign: Sign) -> OwnMail:
    """Write to postmaster@ of the account's domain."""
    to = Address("postmaster", parse_mailbox(login).domain, utf8=False)
    return OwnMail(None, to, prepare_now(sign(_message(login, reason, to, hostname, now))), "7BIT")


def post_alert(tx: Transaction, account_id: int, mail: OwnMail) -> None:
    """Send it, unless another worker has."""
    if was_told(tx, account_id, tx.now):
        return
    tx.run("INSERT OR REPLACE INTO send_alert (account_id, at) VALUES (?, ?)", account_id, tx.now)
    with suppress(OverQuota):
        post_own(tx, mail)


def _message(login: str, reason: str, to: Address, hostname: str, now: float) -> bytes:
    text = (
        f"This is the mail server {hostname}.\n\n"
        f"{login} wanted to send more than it may, and was refused: {reason}.\n\n"
        "If that was not its owner, somebody else has the password. What was sent is shown by\n\n"
        f"    postroad trace {login}\n\n"
        "and this shuts the account, or changes its password:\n\n"
        f"    postroad account suspend {login}\n    postroad account passwd {login}\n\n"
        f"If it was, this gives it more: postroad account sending {login} --help\n\n"
        "You are told once a day of each account; every refusal is in the log (submission.over_limit).\n"
    )
    subject, at = f"{login} is sending more than it may", datetime.fromtimestamp(int(now), UTC)
    return own_header(to, subject, host=hostname, token=secrets.token_hex(12), now=at) + text_body(text)
