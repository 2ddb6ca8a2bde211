"""Commands about URLs that others may use (RFC 4467, RFC 5524)."""

from dataclasses import dataclass

from postroad.imap.wire.command import Command
from postroad.imap.wire.mailbox_name import MailboxName


@dataclass(frozen=True, slots=True)
class GenUrlAuth(Command):
    """GENURLAUTH."""

    urls: tuple[tuple[bytes, str], ...]
    """Each with the mechanism, in capitals."""


@dataclass(frozen=True, slots=True)
class UrlFetch(Command):
    """URLFETCH."""

    urls: tuple[tuple[bytes, tuple[str, ...]], ...]
    """Each with what is wanted of it: BODY, BINARY, BODYPARTSTRUCTURE (RFC 5524); nothing: octets alone."""


@dataclass(frozen=True, slots=True)
class ResetKey(Command):
    """RESETKEY, of one mailbox or of all."""

    mailbox: MailboxName | None = None
    mechanisms: tuple[str, ...] = ()
