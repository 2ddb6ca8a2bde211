"""By when a peer has to have said what is awaited of it: the next command, or the rest of a message."""

from postroad.net.connection import Connection
from postroad.policy.limits import Limits
from postroad.smtp.server.patience import message_deadline
from postroad.smtp.wire.server import SmtpServerCore


class Awaited:
    """The deadline of one session. It stays where it is while octets drip, and moves with each command."""

    def __init__(self, core: SmtpServerCore, conn: Connection, limits: Limits) -> None:
        self._core = core
        self._conn = conn
        self._limits = limits
        self._command_by = 0.0  # 0: the command has not been waited for yet
        self._message_began = 0.0  # when the first octets of the message were awaited; 0: not yet
        self._octets_before = 0

    def greeted(self) -> None:
        """The first command is awaited from now on."""
        self._command_by = self._conn.deadline(self._limits.greeting_timeout)

    def came(self) -> None:
        """A command is here: the next one has time anew."""
        self._command_by = 0.0

    def message_over(self) -> None:
        """No message is under way, or another one."""
        self._message_began = 0.0

    def due(self) -> float:
        """When it has been waited for long enough, as a time of the loop."""
        conn, core = self._conn, self._core
        if core.receiving:
            if not self._message_began:
                self._message_began = conn.deadline(0)
                self._octets_before = core.octets
            return message_deadline(self._message_began, core.octets - self._octets_before, self._limits)
        due = self._command_by = self._command_by or conn.deadline(self._limits.command_timeout)
        return due
