"""Who is at the other end, and whom a proxy speaks for: XCLIENT in the place of what the connection says."""

from postroad.directory.attempts import LoggedIn
from postroad.model.envelope import Peer
from postroad.model.refusal import Refused
from postroad.net.connection import Connection
from postroad.smtp.server.services import Role, Services
from postroad.smtp.wire.commands import Dialogue
from postroad.smtp.wire.events import Xclient
from postroad.smtp.wire.terms import with_protocol


class Introduction:
    """What one connection was told; empty where nobody has said anything."""

    def __init__(self, services: Services, conn: Connection) -> None:
        self._services = services
        self._conn = conn
        self.trusted = conn.peer[0] in services.xclient_from
        """Whether the peer may say whom it speaks for; it is the proxy's own address that counts."""
        self._own = conn.peer
        self.name = ""
        self.helo = ""

    def take(self, event: Xclient) -> LoggedIn | None:
        """Believe it; gives who has logged in at the proxy.

        Raises:
            Refused: 421, its address is beyond a limit; 550, there is no such user.
        """
        services, conn = self._services, self._conn
        who = None
        if event.login and services.role is Role.SUBMISSION:
            who = services.directory.vouched_for(event.login)
            if who is None:
                raise Refused(550, "5.7.8", "no such user here", f"{event.login} was named by XCLIENT")
        own_address, own_port = self._own
        address = conn.peer[0] if event.address is None else event.address or own_address
        if address != conn.peer[0]:
            refusal = services.on_readdressed(conn, address)
            if refusal is not None:
                raise Refused(421, "4.7.0", refusal.public, refusal.limit)
        conn.peer = address, conn.peer[1] if event.port is None and event.address is None else event.port or 0
        if address == own_address and not event.port:
            conn.peer = own_address, own_port
        self.name, self.helo = event.name or "", event.helo or ""
        return who

    def peer(self, dialogue: Dialogue, who: LoggedIn | None, *, smtputf8: bool) -> Peer:
        """All that is known of the other end, after what it has said for itself."""
        conn, tls = self._conn, self._conn.tls
        protocol = with_protocol(
            extended=dialogue.extended,
            secure=dialogue.secure,
            authenticated=dialogue.authenticated,
            smtputf8=smtputf8,
            lmtp=dialogue.terms.lmtp,
        )
        return Peer(
            protocol=protocol,
            address=conn.peer[0],
            helo=self.helo or dialogue.helo,
            reverse_name=self.name,
            tls=f"{tls.version} {tls.cipher}" if tls else "",
            listener=self._services.listener,
            login=str(who.account.address) if who else "",
            account_id=who.account.id if who else None,
            connection_id=conn.id,
            facts=(who.sentence,) if who else (),
        )
