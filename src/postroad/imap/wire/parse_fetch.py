"""The grammar of FETCH (RFC 3501 §6.4.5 and §9, RFC 3516, RFC 5257, RFC 7162 §3.1.4, RFC 9394 §3.3)."""

import re
from functools import lru_cache
from typing import Final, NamedTuple

from msgspec.structs import replace

from postroad.imap.wire import fetch_items
from postroad.imap.wire.annotation import FetchAnnotation
from postroad.imap.wire.extensions import Extension
from postroad.imap.wire.fetch_items import FetchAttribute, FetchItem, FetchSection, SectionForm, SectionText
from postroad.imap.wire.limits import ANNOTATION_ENTRIES, FETCH_ITEMS
from postroad.imap.wire.message_commands import Fetch
from postroad.imap.wire.parse_annotation import read_fetch_annotation
from postroad.imap.wire.parse_partial import partial_range
from postroad.imap.wire.partial_range import PartialRange
from postroad.imap.wire.reader import MAX_MODSEQ, BadSyntax, Reader
from postroad.imap.wire.sequence_set import MAX_NUMBER

_MACROS: Final = {b"FAST": fetch_items.FAST, b"ALL": fetch_items.ALL, b"FULL": fetch_items.FULL}
_PLAIN: Final[dict[bytes, FetchItem]] = {
    **{attribute.value: attribute for attribute in FetchAttribute},
    b"RFC822": FetchSection(b"RFC822"),
    b"RFC822.HEADER": FetchSection(b"RFC822.HEADER", text="HEADER", peek=True),
    b"RFC822.TEXT": FetchSection(b"RFC822.TEXT", text="TEXT"),
}
_WITH_SECTIONS: Final = {
    b"BODY": SectionForm.STORED,
    b"BODY.PEEK": SectionForm.STORED,
    b"BINARY": SectionForm.DECODED,
    b"BINARY.PEEK": SectionForm.DECODED,
    b"BINARY.SIZE": SectionForm.DECODED_SIZE,
}
_MARKING: Final = frozenset((b"BODY", b"BINARY"))
"""Those that set \\Seen."""
_PHRASE: Final = 200
"""Octets up to which what was read is kept for the next time: no stranger can make much of it."""
_NAME: Final = re.compile(rb"[A-Za-z0-9.]++")
_SECTION: Final = re.compile(
    rb"\[([1-9][0-9]{0,9}+(?:\.[1-9][0-9]{0,9}+)*)?(\.?+)"
    rb"(?:(HEADER|TEXT|MIME)(\.FIELDS(?:\.NOT)?)?)?",
    re.IGNORECASE,
)
_PARTIAL: Final = re.compile(rb"<([0-9]{1,10})\.([0-9]{1,10})>")
# RFC 5322 §3.6.8 ftext; anything else could not be the name of a field.
_FIELD_NAME: Final = re.compile(rb"[!-9;-~]++")
_LAZY: Final = re.compile(rb" \(LAZY(?: LAZY)*\)", re.IGNORECASE)
_NEEDS_QUOTES: Final = re.compile(rb'[(){%*"\\\]]')
_TEXT: Final[dict[bytes, SectionText]] = {
    b"": "",
    b"HEADER": "HEADER",
    b"TEXT": "TEXT",
    b"MIME": "MIME",
}


class _Wanted(NamedTuple):
    """What stands behind the messages of a FETCH."""

    items: tuple[FetchItem, ...]
    changed_since: int | None = None
    vanished: bool = False
    partial: PartialRange | None = None


def parse_fetch(tag: bytes, reader: Reader, uid: bool = False) -> Fetch:
    """Read the arguments of FETCH or UID FETCH."""
    reader.space()
    messages = reader.sequence_set()
    reader.space()
    phrase = reader.data[reader.at :]
    read = _read_once if len(phrase) <= _PHRASE else _read
    wanted = read(phrase, reader.offered, uid)
    return Fetch(tag, messages, wanted.items, uid, wanted.changed_since, wanted.vanished, wanted.partial)


def _read(phrase: bytes, offered: frozenset[Extension], uid: bool) -> _Wanted:
    reader = Reader(phrase, 0, offered)
    items = _items(reader)
    # RFC 9586 §3.3: a UIDFETCH has the UID in front.
    if uid and FetchAttribute.UID not in items and Extension.UIDONLY not in offered:
        items = (FetchAttribute.UID, *items)  # RFC 3501 §6.4.8
    if reader.at == len(phrase):
        return _Wanted(items)
    changed_since, vanished, partial = _modifiers(reader, uid)
    if changed_since is not None and FetchAttribute.MODSEQ not in items:
        items = (*items, FetchAttribute.MODSEQ)  # RFC 7162 §3.1.4.1
    return _Wanted(items, changed_since, vanished, partial)


# A client says the same few phrases again and again, and so do all others of its kind.
_read_once: Final = lru_cache(maxsize=128)(_read)


def _items(reader: Reader) -> tuple[FetchItem, ...]:
    if not reader.sees(b"("):
        match = _NAME.match(reader.data, reader.at)
        macro = _MACROS.get(match[0].upper()) if match is not None else None
        if match is None or macro is None:
            return (_item(reader),)
        reader.at = match.end()
        return macro
    reader.expect(b"(")
    return read_fetch_list(reader)


def read_fetch_list(reader: Reader) -> tuple[FetchItem, ...]:
    """Read items up to the parenthesis that ends them."""
    items = [_item(reader)]
    while reader.skip(b" "):
        items.append(_item(reader))
        if len(items) > FETCH_ITEMS:
            raise BadSyntax(b"too many items")
    reader.expect(b")")
    asked = [item for item in items if isinstance(item, FetchAnnotation)]
    if sum(len(item.entries) for item in asked) > ANNOTATION_ENTRIES:
        raise BadSyntax(b"too many entries")
    # What is asked for twice is sent once: a line of BODY[] BODY[] BODY[] costs no more than one.
    return tuple(dict.fromkeys(items))


def _item(reader: Reader) -> FetchItem:
    match = _NAME.match(reader.data, reader.at)
    if match is None:
        raise BadSyntax(b"expected a FETCH item")
    name = match[0].upper()
    end = match.end()
    if reader.data[end : end + 1] == b"[":
        form = _WITH_SECTIONS.get(name)
        if form is None:
            raise BadSyntax(b"only BODY and BINARY have sections")
        reader.at = end
        return _section(reader, form, peek=name not in _MARKING)
    if name == b"ANNOTATION":
        reader.at = end
        return read_fetch_annotation(reader)
    item = _PLAIN.get(name)
    if item is None:
        raise BadSyntax(b"there is no such FETCH item")
    reader.at = end
    if item is FetchAttribute.PREVIEW:
        _preview_modifiers(reader)
    return item


def _preview_modifiers(reader: Reader) -> None:
    """Read `(LAZY)` where it comes next (RFC 8970 §6); modifiers of the FETCH itself begin alike."""
    match = _LAZY.match(reader.data, reader.at)
    if match is not None:
        reader.at = match.end()


def parse_section(text: bytes, partial: tuple[int, int] | None) -> FetchSection:
    """Read what stands between the brackets of BODY.PEEK[…], as URLs have it (RFC 5092 §11 enc-section).

    Raises:
        BadSyntax
    """
    reader = Reader(b"[%b]" % text, 0, frozenset())
    section = _section(reader, SectionForm.STORED, peek=True)
    reader.end()
    return replace(section, partial=partial)


def _section(reader: Reader, form: SectionForm, *, peek: bool) -> FetchSection:
    match = _SECTION.match(reader.data, reader.at)
    if match is None:
        raise BadSyntax(b"expected a section")
    path, dot, text, fields_suffix = match.groups(b"")
    text = text.upper()
    # "1.MIME" and "TEXT" are sections; "1.", ".TEXT" and a bare "MIME" are none.
    if (dot != b"") != (path != b"" and text != b"") or (text == b"MIME" and not path):
        raise BadSyntax(b"there is no such section")
    if text and form is not SectionForm.STORED:
        raise BadSyntax(b"BINARY is of a message or a part")  # RFC 3516 §7 section-binary
    reader.at = match.end()
    label = form.value + b"[" + path + dot + text
    fields: tuple[bytes, ...] = ()
    suffix = fields_suffix.upper()
    if suffix:
        if text != b"HEADER":
            raise BadSyntax(b"there is no such section")
        reader.space()
        fields = _field_names(reader)
        label += suffix + b" (" + b" ".join(map(_render_field_name, fields)) + b")"
    reader.expect(b"]")
    label += b"]"
    partial = _partial(reader) if form is not SectionForm.DECODED_SIZE else None
    if partial is not None:
        label += b"<%d>" % partial[0]  # RFC 3501 §7.4.2: the origin alone comes back
    return FetchSection(
        label,
        tuple([int(number) for number in path.split(b".")]) if path else (),
        _TEXT[text],
        fields,
        suffix == b".FIELDS.NOT",
        peek,
        partial,
        form,
    )


def _field_names(reader: Reader) -> tuple[bytes, ...]:
    reader.expect(b"(")
    names = [reader.astring()]
    while reader.skip(b" "):
        names.append(reader.astring())
    reader.expect(b")")
    for name in names:
        if not _FIELD_NAME.fullmatch(name):
            raise BadSyntax(b"no header field has such a name")
    return tuple(names)


def _render_field_name(name: bytes) -> bytes:
    if not _NEEDS_QUOTES.search(name):
        return name
    return b'"' + name.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'


def _partial(reader: Reader) -> tuple[int, int] | None:
    match = _PARTIAL.match(reader.data, reader.at)
    if match is None:
        return None
    origin, count = int(match[1]), int(match[2])
    if origin > MAX_NUMBER or not 0 < count <= MAX_NUMBER:
        raise BadSyntax(b"a partial is <first octet.count>")
    reader.at = match.end()
    return origin, count


def _modifiers(reader: Reader, uid: bool) -> tuple[int | None, bool, PartialRange | None]:
    reader.space()
    reader.expect(b"(")
    changed_since = None
    vanished = False
    partial = None
    while True:
        modifier = reader.word()
        if modifier == b"CHANGEDSINCE":
            reader.require(Extension.CONDSTORE)
            reader.space()
            # RFC 7162 §7 starts at 1; Thunderbird 153 with use_condstore asks for 0 where it knows none yet.
            changed_since = reader.number(MAX_MODSEQ)
        elif modifier == b"VANISHED":
            reader.require(Extension.QRESYNC)
            vanished = True
        elif modifier == b"PARTIAL":  # RFC 9394 §3.3 speaks of UID FETCH, §4 lets FETCH have it as well
            reader.space()
            partial = partial_range(reader)
        else:
            raise BadSyntax(b"there is no such FETCH modifier")
        if not reader.skip(b" "):
            break
    reader.expect(b")")
    reader.end()
    if vanished and (changed_since is None or not uid):  # RFC 7162 §3.2.6
        raise BadSyntax(b"VANISHED belongs to a UID FETCH with CHANGEDSINCE")
    return changed_since, vanished, partial
