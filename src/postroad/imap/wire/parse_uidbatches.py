"""The grammar of UIDBATCHES (draft-ietf-mailmaint-imap-uidbatches)."""

from postroad.imap.wire.reader import BadSyntax, Reader
from postroad.imap.wire.search_commands import UidBatches


def parse_uidbatches(tag: bytes, reader: Reader) -> UidBatches:
    """Read the size of a batch, and which batches are wanted."""
    reader.space()
    size = reader.number(lowest=1)
    if reader.at == len(reader.data):
        return UidBatches(tag, size)
    reader.space()
    first = reader.number(lowest=1)
    reader.expect(b":")
    last = reader.number(lowest=1)
    reader.end()
    if last < first:
        raise BadSyntax(b"[CLIENTBUG] batches are counted upwards")
    return UidBatches(tag, size, first, last)
