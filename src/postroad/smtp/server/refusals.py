"""What a session said no to, kept until its end: one row in the trail, however often it was."""

from typing import Final

from postroad.model.envelope import Peer
from postroad.model.refusal import Unavailable
from postroad.obs.log import log
from postroad.obs.metrics import REFUSALS
from postroad.smtp.server.services import Acceptor
from postroad.smtp.wire.replies import Reply

MOST: Final = 100
"""Refusals that are kept of one session."""


class Refusals:
    """Recipients that were refused, with what was said, and why."""

    def __init__(self) -> None:
        self.count = 0
        self._sender = ""
        self._recipients: dict[str, None] = {}  # an ordered set
        self._sentences: list[str] = []

    def add(self, sender: str, recipients: list[str], reply: Reply, private: str = "") -> None:
        """Note one refusal; `private` is the reason that the peer was not told."""
        self.count += 1
        REFUSALS.labels("smtp", reply.enhanced or str(reply.code)).inc()
        if len(self._sentences) >= MOST:
            return
        self._sender = sender or self._sender
        self._recipients.update(dict.fromkeys(recipients))
        about = f"{', '.join(recipients)}: " if recipients else ""
        why = f" ({private})" if private and private != reply.text else ""
        self._sentences.append(f"{about}{reply}{why}")

    async def keep(self, acceptor: Acceptor, peer: Peer) -> None:
        """Hand it all to the trail. A trail that cannot be written is no reason to fail."""
        if not self._sentences:
            return
        try:
            await acceptor.refused(peer, self._sender, list(self._recipients), self._sentences)
        except Unavailable as error:
            log.warning(
                "smtp.trail_lost", conn=peer.connection_id, refusals=self._sentences, error=str(error)
            )
        except Exception:
            log.exception("smtp.trail_lost", conn=peer.connection_id, refusals=self._sentences)
