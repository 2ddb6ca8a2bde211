"""The grammar of the commands about mailboxes (RFC 3501 §6.3 and §9)."""

from typing import Final

from postroad.imap.wire.extensions import Extension
from postroad.imap.wire.limits import LIST_PATTERNS
from postroad.imap.wire.mailbox_commands import (
    Create,
    Delete,
    GetQuota,
    GetQuotaRoot,
    List,
    Lsub,
    QuickResync,
    Rename,
    Select,
    Status,
    Subscribe,
)
from postroad.imap.wire.parse_metadata import read_entries
from postroad.imap.wire.reader import MAX_MODSEQ, BadSyntax, Reader
from postroad.imap.wire.sequence_set import MAX_NUMBER, SequenceSet
from postroad.imap.wire.status_item import StatusItem

_SELECT_OPTIONS: Final = frozenset({b"SUBSCRIBED", b"REMOTE", b"RECURSIVEMATCH", b"SPECIAL-USE"})
_RETURN_OPTIONS: Final = frozenset({b"SUBSCRIBED", b"CHILDREN", b"SPECIAL-USE", b"MYRIGHTS"})
_STATUS_ITEMS: Final = {item.value: item for item in StatusItem}


def parse_select(tag: bytes, reader: Reader, read_only: bool = False) -> Select:
    """Read the arguments of SELECT or EXAMINE."""
    reader.space()
    mailbox = reader.mailbox()
    if reader.at == len(reader.data):
        return Select(tag, mailbox, read_only)
    condstore = annotate = False
    qresync = None
    reader.expect(b" (")
    while True:
        parameter = reader.word()
        if parameter == b"CONDSTORE":
            reader.require(Extension.CONDSTORE)
            condstore = True
        elif parameter == b"QRESYNC":
            reader.require(Extension.QRESYNC)
            reader.expect(b" (")
            qresync = _quick_resync(reader)
        elif parameter == b"ANNOTATE":
            annotate = True
        else:
            raise BadSyntax(b"there is no such parameter")
        if not reader.skip(b" "):
            break
    reader.expect(b")")
    reader.end()
    return Select(tag, mailbox, read_only, condstore, qresync, annotate)


def _quick_resync(reader: Reader) -> QuickResync:
    uidvalidity = reader.number(MAX_NUMBER, 1)
    reader.space()
    # RFC 7162 §7 starts at 1; clients that know none yet say 0, as in CHANGEDSINCE.
    modseq = reader.number(MAX_MODSEQ)
    known_uids = known_numbers = numbered_uids = None
    if reader.skip(b" ") and not reader.sees(b"("):
        known_uids = _known(reader)
        reader.skip(b" ")
    if reader.skip(b"("):
        known_numbers = _known(reader)
        reader.space()
        numbered_uids = _known(reader)
        reader.expect(b")")
        if known_numbers.ascending() is None or known_numbers.ascending() != numbered_uids.ascending():
            raise BadSyntax(b"message numbers and their UIDs ascend, and are as many")  # RFC 7162 §3.2.5.2
    reader.expect(b")")
    return QuickResync(uidvalidity, modseq, known_uids, known_numbers, numbered_uids)


def _known(reader: Reader) -> SequenceSet:
    known = reader.sequence_set()
    if known.saved or any(None in pair for pair in known.ranges):
        raise BadSyntax(b"* and $ mean nothing here")  # RFC 7162 §7 known-uids
    return known


def parse_examine(tag: bytes, reader: Reader) -> Select:
    """Read the arguments of EXAMINE."""
    return parse_select(tag, reader, read_only=True)


def parse_create(tag: bytes, reader: Reader) -> Create:
    """Read the arguments of CREATE, with USE (RFC 6154 §3)."""
    reader.space()
    mailbox = reader.mailbox()
    if reader.at == len(reader.data):
        return Create(tag, mailbox)
    reader.expect(b" (")
    if reader.word() != b"USE":
        raise BadSyntax(b"there is no such parameter")
    reader.expect(b" (")
    uses: list[str] = []
    while not reader.skip(b")"):
        if uses:
            reader.space()
        reader.expect(b"\\")
        uses.append("\\" + reader.atom().decode("ascii"))
    reader.expect(b")")
    reader.end()
    return Create(tag, mailbox, tuple(uses))


def parse_delete(tag: bytes, reader: Reader) -> Delete:
    """Read the argument of DELETE."""
    reader.space()
    mailbox = reader.mailbox()
    reader.end()
    return Delete(tag, mailbox)


def parse_rename(tag: bytes, reader: Reader) -> Rename:
    """Read the arguments of RENAME."""
    reader.space()
    mailbox = reader.mailbox()
    reader.space()
    new_name = reader.mailbox()
    reader.end()
    return Rename(tag, mailbox, new_name)


def parse_subscribe(tag: bytes, reader: Reader, on: bool = True) -> Subscribe:
    """Read the argument of SUBSCRIBE or UNSUBSCRIBE."""
    reader.space()
    mailbox = reader.mailbox()
    reader.end()
    return Subscribe(tag, mailbox, on)


def parse_unsubscribe(tag: bytes, reader: Reader) -> Subscribe:
    """Read the argument of UNSUBSCRIBE."""
    return parse_subscribe(tag, reader, on=False)


def parse_list(tag: bytes, reader: Reader) -> List:
    """Read the arguments of LIST, plain or extended (RFC 5258 §6)."""
    reader.space()
    extended = reader.sees(b"(")
    select = frozenset[str]()
    if extended:
        select = _select_options(reader)
        reader.space()
    reference = reader.mailbox().name
    reader.space()
    if reader.skip(b"("):
        extended = True
        patterns = [_pattern(reader)]
        while reader.skip(b" "):
            patterns.append(_pattern(reader))
            if len(patterns) > LIST_PATTERNS:
                raise BadSyntax(b"too many patterns")
        reader.expect(b")")
    else:
        patterns = [_pattern(reader)]
    if reader.at == len(reader.data):
        return List(tag, reference, tuple(patterns), select, extended=extended)
    reader.space()
    if reader.word() != b"RETURN":
        raise BadSyntax(b"expected RETURN")
    reader.expect(b" (")
    returns, status, metadata = _return_options(reader)
    reader.end()
    return List(tag, reference, tuple(patterns), select, returns, status, metadata, extended=True)


def _pattern(reader: Reader) -> str:
    return reader.decoded(reader.pattern()).name


def _select_options(reader: Reader) -> frozenset[str]:
    reader.expect(b"(")
    options: list[bytes] = []
    while not reader.skip(b")"):
        if options:
            reader.space()
        options.append(reader.word())
    if not _SELECT_OPTIONS.issuperset(options):
        raise BadSyntax(b"there is no such selection option")
    # RFC 5258 §3.1: RECURSIVEMATCH changes another option and cannot stand alone.
    if b"RECURSIVEMATCH" in options and b"SUBSCRIBED" not in options:
        raise BadSyntax(b"RECURSIVEMATCH needs SUBSCRIBED")
    return frozenset([option.decode("ascii") for option in options])


def _return_options(
    reader: Reader,
) -> tuple[frozenset[str], tuple[StatusItem, ...], tuple[str, ...]]:
    options: list[str] = []
    status: tuple[StatusItem, ...] = ()
    metadata: tuple[str, ...] = ()
    while not reader.skip(b")"):
        if options:
            reader.space()
        option = reader.word()
        if option == b"STATUS":  # RFC 5819
            reader.space()
            status = _status_items(reader)
        elif option == b"METADATA":  # RFC 9590
            reader.space()
            metadata = read_entries(reader)
        elif option not in _RETURN_OPTIONS:
            raise BadSyntax(b"there is no such return option")
        options.append(option.decode("ascii"))
    return frozenset(options), status, metadata


def parse_lsub(tag: bytes, reader: Reader) -> Lsub:
    """Read the arguments of LSUB."""
    reader.space()
    reference = reader.mailbox().name
    reader.space()
    pattern = _pattern(reader)
    reader.end()
    return Lsub(tag, reference, pattern)


def parse_status(tag: bytes, reader: Reader) -> Status:
    """Read the arguments of STATUS."""
    reader.space()
    mailbox = reader.mailbox()
    reader.space()
    items = _status_items(reader)
    reader.end()
    return Status(tag, mailbox, items)


def _status_items(reader: Reader) -> tuple[StatusItem, ...]:
    reader.expect(b"(")
    names = [reader.word()]
    while reader.skip(b" "):
        names.append(reader.word())
    reader.expect(b")")
    items = [_STATUS_ITEMS.get(name) for name in dict.fromkeys(names)]
    if None in items:
        raise BadSyntax(b"there is no such STATUS item")
    return tuple([item for item in items if item is not None])


def parse_getquota(tag: bytes, reader: Reader) -> GetQuota:
    """Read the argument of GETQUOTA (RFC 9208 §7)."""
    reader.space()
    root = reader.astring().decode("utf-8", "replace")
    reader.end()
    return GetQuota(tag, root)


def parse_getquotaroot(tag: bytes, reader: Reader) -> GetQuotaRoot:
    """Read the argument of GETQUOTAROOT (RFC 9208 §7)."""
    reader.space()
    mailbox = reader.mailbox()
    reader.end()
    return GetQuotaRoot(tag, mailbox)
