"""The envelope sender of what aliases send on, and the way back for its bounces (SRS)."""

from typing import Final

from postroad.db.database import Database
from postroad.db.transaction import Reader, Transaction
from postroad.directory.resolve import is_local_domain
from postroad.directory.seal import Seal
from postroad.mailauth import srs
from postroad.model.address import Address, parse_mailbox
from postroad.model.clock import Clock
from postroad.model.refusal import Refused

_DAY: Final = 86400.0


class Forwarding:
    """Rewrites senders with a key of this server, and finds them again."""

    def __init__(self, database: Database, seal: Seal, clock: Clock) -> None:
        self._database = database
        self._key = seal.derive("SRS")
        self._clock = clock

    def reverse_path(self, tx: Transaction, sender: Address | None, alias: Address) -> Address | None:
        """What is said in MAIL FROM when `alias` sends a message on; None: the sender itself."""
        if sender is None or not sender.domain or is_local_domain(tx, sender.domain):
            return None
        made = srs.rewrite(sender, alias.domain, self._key, tx.now)
        if made is None:
            made = srs.rewrite_stored(_keep(tx, sender), alias.domain, self._key, tx.now)
        return made

    def original(self, address: Address) -> Address | None:
        """Whom a bounce to `address` is for; None when the address is none of ours to begin with.

        Raises:
            Refused: 550 5.1.1, when somebody else made it or its time is over.
        """
        if not srs.looks_rewritten(address) or not self._database.ask(
            lambda reader: is_local_domain(reader, address.domain)
        ):
            return None
        try:
            found = srs.original(address, self._key, self._clock.now())
        except srs.NotOurs as error:
            raise Refused(550, "5.1.1", str(error)) from None
        if not isinstance(found, srs.Stored):
            return found
        kept = self._database.ask(lambda reader: _kept(reader, found.number))
        if kept is None:
            raise Refused(550, "5.1.1", "the address was for bounces, and their time is over")
        return kept


def forget_senders(tx: Transaction) -> None:
    """Drop senders to whom nothing can come back any more."""
    tx.run("DELETE FROM srs_sender WHERE at < ?", tx.now - (srs.LIFETIME_DAYS + 1) * _DAY)


def _keep(tx: Transaction, sender: Address) -> int:
    tx.run(
        "INSERT INTO srs_sender (sender, at) VALUES (?, ?)"
        " ON CONFLICT (sender) DO UPDATE SET at = excluded.at",
        *(str(sender), tx.now),
    )
    return int(tx.value("SELECT id FROM srs_sender WHERE sender = ?", str(sender)))


def _kept(reader: Reader, number: int) -> Address | None:
    sender = reader.value("SELECT sender FROM srs_sender WHERE id = ?", number)
    return None if sender is None else parse_mailbox(sender)
