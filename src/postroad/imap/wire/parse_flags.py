"""Flags as a client writes them (RFC 3501 §9 flag, flag-list)."""

import re
from typing import Final

from postroad.imap.wire.message_commands import FlagList
from postroad.imap.wire.reader import BadSyntax, Reader
from postroad.model.flags import BY_NAME

_FLAG: Final = rb'\\?+[^\x00-\x20(){%*"\\\]\x7f-\xff]++'
_FLAGS: Final = re.compile(_FLAG + rb"(?: " + _FLAG + rb")*")
_NONE: Final = FlagList()
_RECENT: Final = b"\\recent"


def read_flag_list(reader: Reader) -> FlagList:
    """Read flags in parentheses."""
    reader.expect(b"(")
    if reader.skip(b")"):
        return _NONE
    flags = read_flags(reader)
    reader.expect(b")")
    return flags


def read_flags(reader: Reader) -> FlagList:
    """Read flags side by side.

    `\\Recent` is passed over, so that what another server showed can be
    written here; other unknown system flags are an error.
    """
    match = _FLAGS.match(reader.data, reader.at)
    if match is None:
        raise BadSyntax(b"expected flags")
    reader.at = match.end()
    mask = 0
    keywords = []
    for name in match[0].split(b" "):
        flag = BY_NAME.get(name.lower())
        if flag is not None:
            mask |= flag
        elif name[0] != 0x5C:
            keywords.append(name.decode("ascii"))
        elif name.lower() != _RECENT:
            raise BadSyntax(b"there is no such system flag")
    return FlagList(int(mask), frozenset(keywords)) if keywords else FlagList(int(mask))
