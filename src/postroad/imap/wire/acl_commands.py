"""The commands of ACL as values (RFC 4314 §3)."""

from dataclasses import dataclass

from postroad.imap.wire.command import Command
from postroad.imap.wire.mailbox_name import MailboxName
from postroad.model.rights import Rights


@dataclass(frozen=True, slots=True)
class SetAcl(Command):
    """SETACL (§3.1), and DELETEACL (§3.2) with no `rights`."""

    mailbox: MailboxName
    identifier: str
    """Without the dash of negative rights."""
    negative: bool
    rights: Rights | None
    mode: str = ""
    """`+` or `-` where rights are added or taken, not replaced."""


@dataclass(frozen=True, slots=True)
class GetAcl(Command):
    """GETACL (§3.3)."""

    mailbox: MailboxName


@dataclass(frozen=True, slots=True)
class ListRights(Command):
    """LISTRIGHTS (§3.4)."""

    mailbox: MailboxName
    identifier: str
    written: bytes
    """The identifier as the client wrote it, for the response."""


@dataclass(frozen=True, slots=True)
class MyRights(Command):
    """MYRIGHTS (§3.5)."""

    mailbox: MailboxName
