"""The commands of ACL as values (RFC 4314 §3)."""

from postroad.imap.wire.command import Command
from postroad.imap.wire.mailbox_name import MailboxName
from postroad.model.rights import Rights


class SetAcl(Command, frozen=True):
    """SETACL (§3.1), and DELETEACL (§3.2) with no `rights`."""

    mailbox: MailboxName
    identifier: str
    """Without the dash of negative rights."""
    negative: bool
    rights: Rights | None
    mode: str = ""
    """`+` or `-` where rights are added or taken, not replaced."""


class GetAcl(Command, frozen=True):
    """GETACL (§3.3)."""

    mailbox: MailboxName


class ListRights(Command, frozen=True):
    """LISTRIGHTS (§3.4)."""

    mailbox: MailboxName
    identifier: str
    written: bytes
    """The identifier as the client wrote it, for the response."""


class MyRights(Command, frozen=True):
    """MYRIGHTS (§3.5)."""

    mailbox: MailboxName
