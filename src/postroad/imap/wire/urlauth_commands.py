"""Commands about URLs that others may use (RFC 4467, RFC 5524)."""

from postroad.imap.wire.command import Command
from postroad.imap.wire.mailbox_name import MailboxName


class GenUrlAuth(Command, frozen=True):
    """GENURLAUTH."""

    urls: tuple[tuple[bytes, str], ...]
    """Each with the mechanism, in capitals."""


class UrlFetch(Command, frozen=True):
    """URLFETCH."""

    urls: tuple[tuple[bytes, tuple[str, ...]], ...]
    """Each with what is wanted of it: BODY, BINARY, BODYPARTSTRUCTURE (RFC 5524); nothing: octets alone."""


class ResetKey(Command, frozen=True):
    """RESETKEY, of one mailbox or of all."""

    mailbox: MailboxName | None = None
    mechanisms: tuple[str, ...] = ()
