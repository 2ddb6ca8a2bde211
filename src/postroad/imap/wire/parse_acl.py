"""The grammar of ACL (RFC 4314 §7)."""

from postroad.imap.wire.acl_commands import GetAcl, ListRights, MyRights, SetAcl
from postroad.imap.wire.reader import BadSyntax, Reader
from postroad.model.rights import BadRights, parse_rights
from postroad.sasl.saslprep import saslprep


def parse_setacl(tag: bytes, reader: Reader) -> SetAcl:
    """Read the arguments of SETACL."""
    reader.space()
    mailbox = reader.mailbox()
    reader.space()
    identifier, negative = _identifier(reader.astring())
    reader.space()
    text = reader.astring().decode("ascii", "replace")
    reader.end()
    mode = text[:1] if text[:1] in ("+", "-") else ""
    try:
        rights = parse_rights(text.removeprefix(mode))
    except BadRights:
        raise BadSyntax(b"there is no such right") from None  # §3.1: never passed over in silence
    return SetAcl(tag, mailbox, identifier, negative, rights, mode)


def parse_deleteacl(tag: bytes, reader: Reader) -> SetAcl:
    """Read the arguments of DELETEACL."""
    reader.space()
    mailbox = reader.mailbox()
    reader.space()
    identifier, negative = _identifier(reader.astring())
    reader.end()
    return SetAcl(tag, mailbox, identifier, negative, None)


def parse_getacl(tag: bytes, reader: Reader) -> GetAcl:
    """Read the argument of GETACL."""
    reader.space()
    mailbox = reader.mailbox()
    reader.end()
    return GetAcl(tag, mailbox)


def parse_listrights(tag: bytes, reader: Reader) -> ListRights:
    """Read the arguments of LISTRIGHTS."""
    reader.space()
    mailbox = reader.mailbox()
    reader.space()
    written = reader.astring()
    reader.end()
    return ListRights(tag, mailbox, _identifier(written)[0], written)


def parse_myrights(tag: bytes, reader: Reader) -> MyRights:
    """Read the argument of MYRIGHTS."""
    reader.space()
    mailbox = reader.mailbox()
    reader.end()
    return MyRights(tag, mailbox)


def _identifier(octets: bytes) -> tuple[str, bool]:
    """An identifier as SASLprep has it (§3), without its dash, and whether it had one (§2)."""
    try:
        prepared = saslprep(octets.decode("utf-8"))
    except UnicodeDecodeError:
        prepared = None
    if not prepared or prepared == "-":
        raise BadSyntax(b"that is no identifier")
    return prepared.removeprefix("-"), prepared.startswith("-")
