"""One mail transaction: an envelope that grows, and the octets behind it (RFC 5321 §3.3)."""

from postroad.model.envelope import Envelope, Peer, Recipient
from postroad.model.octets import Octets
from postroad.model.refusal import Unavailable
from postroad.smtp.server.errors import NO_ROOM, SERVER_BUG
from postroad.smtp.server.services import Spool, Spools
from postroad.smtp.wire.events import Mail, Rcpt
from postroad.smtp.wire.replies import Reply


class Transaction:
    """From an accepted MAIL FROM to the end of the message, or to RSET."""

    def __init__(self, peer: Peer, mail: Mail) -> None:
        self.peer = peer
        self._mail = mail
        self._recipients: dict[str, Recipient] = {}
        self._spool: Spool | None = None
        self._ascii = True
        self.failed: Reply | None = None
        """Why the message cannot be taken, though all of it has to be read."""

    @property
    def sender(self) -> str:
        """The reverse-path as text; empty for the null path."""
        return str(self._mail.sender or "")

    @property
    def recipients(self) -> list[str]:
        """The recipients that were taken, as text."""
        return [str(recipient.address) for recipient in self._recipients.values()]

    def add(self, rcpt: Rcpt) -> None:
        """Take a recipient; one that is named twice gets the message once."""
        recipient = Recipient(rcpt.address, rcpt.notify, rcpt.original)
        self._recipients.setdefault(rcpt.address.key, recipient)

    def envelope(self) -> Envelope:
        """The envelope so far. The body is what came: some clients send 8 bits without saying so."""
        mail = self._mail
        return Envelope(
            mail.sender,
            tuple(self._recipients.values()),
            body=mail.body if self._ascii else "8BITMIME",
            smtputf8=mail.smtputf8,
            ret=mail.ret,
            envid=mail.envid,
        )

    def write(self, octets: bytes, store: Spools) -> None:
        """Keep octets of the message. What goes wrong is said at the end of it, not here."""
        if self.failed is not None:
            return
        self._ascii = self._ascii and octets.isascii()
        try:
            self._open(store).write(octets)
        except Unavailable:
            self.failed = NO_ROOM
            self.close()
        except BaseException:
            self.failed = SERVER_BUG
            self.close()
            raise

    def body(self, store: Spools) -> Octets:
        """The whole message, valid until `close`."""
        return self._open(store).finish()

    def close(self) -> None:
        """Let go of the octets."""
        spool, self._spool = self._spool, None
        if spool is not None:
            spool.close()

    def _open(self, store: Spools) -> Spool:
        if self._spool is None:
            self._spool = store.spool()
        return self._spool
