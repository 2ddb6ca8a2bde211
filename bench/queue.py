"""A deep queue of ours: messages that wait for their time, put there through the server's own verbs."""

from pathlib import Path
from typing import Final

from bench import mail
from postroad.db.transaction import Transaction
from postroad.model.address import parse_mailbox
from postroad.model.envelope import Recipient
from postroad.queue import verbs
from postroad.queue.spool import enqueue
from postroad.store.filing import put_blob
from postroad.store.offline import open_offline
from postroad.store.prepare import prepare_now

_GROUP: Final = 2000
_LATER: Final = 86_400.0
"""Seconds for which they are put off."""


def put_off(store: Path, address: str, count: int) -> None:
    """Queue so many messages as if an attempt had failed: the next one is tomorrow."""
    recipient, prepared = Recipient(parse_mailbox(address)), prepare_now(mail.message(0, 1024))

    def work(tx: Transaction, number: int) -> None:
        for _ in range(number):
            item = enqueue(
                tx,
                sender=None,
                recipients=[recipient],
                blob=put_blob(tx, prepared, 1),
                prefix=b"",
                size=prepared.size,
                account_id=None,
                trail_id=0,
                ret="",
                envid="",
                body="7BIT",
                smtputf8=False,
            )
            tx.run("UPDATE queue_recipient SET due = due + ? WHERE item_id = ?", _LATER, item)

    with open_offline(store) as database:
        for first in range(0, count, _GROUP):
            number = min(count - first, _GROUP)
            database.write(lambda tx, number=number: work(tx, number))  # type: ignore[misc]


def release(store: Path, destination: str) -> None:
    """Let all of them go now."""
    with open_offline(store) as database:
        database.write(lambda tx: verbs.retry(tx, destination=destination))
