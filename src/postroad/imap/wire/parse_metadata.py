"""The grammar of METADATA (RFC 5464 §5) and of its return option (RFC 9590 §5)."""

from postroad.imap.wire.mailbox_name import MailboxName
from postroad.imap.wire.metadata import DEPTH_INFINITY, GetMetadata, SetMetadata, is_name, is_settable
from postroad.imap.wire.reader import BadSyntax, Reader


def parse_getmetadata(tag: bytes, reader: Reader) -> GetMetadata:
    """Read the arguments of GETMETADATA.

    The grammar has the options before the mailbox, all examples and most
    clients behind it: both are taken.
    """
    reader.space()
    max_size, depth, said = None, 0, False
    if reader.skip(b"("):
        max_size, depth = _options(reader)
        said = True
        reader.space()
    mailbox = reader.mailbox()
    reader.space()
    if not said and _sees_options(reader):
        reader.expect(b"(")
        max_size, depth = _options(reader)
        reader.space()
    listed = reader.sees(b"(")
    entries = read_entries(reader)
    while not listed and reader.skip(b" "):  # as two examples of RFC 5464 §4.2 name several
        entries = (*entries, _entry(reader).decode("ascii"))
    reader.end()
    return GetMetadata(tag, mailbox, entries, max_size, depth)


def _sees_options(reader: Reader) -> bool:
    """Whether a list of options comes: a list of entries begins with a slash, perhaps in a string."""
    return reader.sees(b"(") and reader.data[reader.at + 1 : reader.at + 2].isalpha()


def _options(reader: Reader) -> tuple[int | None, int]:
    max_size, depth = None, 0
    while True:
        option = reader.word()
        reader.space()
        if option == b"MAXSIZE":
            max_size = reader.number()
        elif option == b"DEPTH":
            depth = _depth(reader.word())
        else:
            raise BadSyntax(b"there is no such option")
        if reader.skip(b")"):
            return max_size, depth
        reader.space()


def _depth(word: bytes) -> int:
    depth = {b"0": 0, b"1": 1, b"INFINITY": DEPTH_INFINITY}.get(word)
    if depth is None:
        raise BadSyntax(b"DEPTH is 0, 1 or infinity")
    return depth


def read_entries(reader: Reader) -> tuple[str, ...]:
    """Read one name of an entry, or a list of them."""
    if not reader.skip(b"("):
        return (_entry(reader).decode("ascii"),)
    entries = [_entry(reader).decode("ascii")]
    while reader.skip(b" "):
        entries.append(_entry(reader).decode("ascii"))
    reader.expect(b")")
    return tuple(entries)


def parse_setmetadata(tag: bytes, reader: Reader) -> SetMetadata:
    """Read the arguments of SETMETADATA."""
    reader.space()
    mailbox: MailboxName = reader.mailbox()
    reader.expect(b" (")
    values: list[tuple[str, bytes | None]] = []
    while True:
        entry = _entry(reader)
        if not is_settable(entry):
            raise BadSyntax(b"the name of the entry has too few components")
        reader.space()
        values.append((entry.decode("ascii"), reader.value()))
        if not reader.skip(b" "):
            break
    reader.expect(b")")
    reader.end()
    return SetMetadata(tag, mailbox, tuple(values))


def _entry(reader: Reader) -> bytes:
    name = reader.astring()
    if not is_name(name):
        raise BadSyntax(b"that is no name of an entry")
    return name
