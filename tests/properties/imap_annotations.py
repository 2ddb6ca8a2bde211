"""Annotations of messages together with one way to write each (RFC 5257 §5)."""

import re

from hypothesis import strategies as st

from postroad.imap.wire import search_keys as k
from postroad.imap.wire.annotation import Attribute, FetchAnnotation, is_match
from postroad.imap.wire.fetch_items import FetchAttribute, FetchItem
from postroad.imap.wire.message_commands import Annotate, AppendStart, AppendText, Fetch, MessageHead
from postroad.imap.wire.ordering import SortCriterion, SortKey
from postroad.imap.wire.search_commands import Search, Sort
from postroad.message.charset import decode_text
from postroad.model.annotation import Annotation
from tests.properties.imap_commands import (
    TAG,
    Written,
    cased,
    flag_lists,
    mailboxes,
    sets,
    spelled,
    write_set,
)

_QUOTABLE = re.compile(rb"[^\x00\r\n\x80-\xff]*")
_SECTIONS = st.lists(st.integers(1, 99).map(str), min_size=1, max_size=3).map(".".join)
_NAMES = st.from_regex(r"[A-Za-z0-9 ()\"{}$.-]{1,8}", fullmatch=True)
_VENDORS = st.builds("/vendor/{}/{}".format, _NAMES, _NAMES)
entries = st.one_of(
    st.sampled_from(["/comment", "/altsubject"]), _VENDORS, st.builds("/{}{}".format, _SECTIONS, _VENDORS)
)
"""Entries that may have a value."""
patterns = st.lists(st.sampled_from(["/", "*", "%", "a", "comment"]), min_size=1, max_size=6).map("".join)


@st.composite
def values(draw: st.DrawFn) -> tuple[bytes, bytes | None]:
    """A value as it is written, NIL too."""
    octets = draw(st.none() | st.binary(max_size=12))
    if octets is None:
        return draw(cased(b"NIL")), None
    ways = [b"~{%d+}\r\n%b" % (len(octets), octets)]
    if b"\0" not in octets:
        ways.append(b"{%d+}\r\n%b" % (len(octets), octets))
        if _QUOTABLE.fullmatch(octets):
            ways.append(b'"%b"' % octets.replace(b"\\", b"\\\\").replace(b'"', b'\\"'))
    return draw(st.sampled_from(ways)), octets


@st.composite
def annotations(draw: st.DrawFn) -> tuple[bytes, tuple[Annotation, ...]]:
    """Entries with values (RFC 5257 §5 att-annotate)."""
    said: list[bytes] = []
    found: list[Annotation] = []
    for entry in draw(st.lists(entries, min_size=1, max_size=3)):
        pairs: list[bytes] = []
        for private in draw(st.lists(st.booleans(), min_size=1, max_size=2)):
            wire, value = draw(values())
            attribute = draw(cased(b"value.priv" if private else b"value.shared"))
            pairs.append(attribute + b" " + wire)
            found.append(Annotation(entry, private, value))
        said.append(b"%b (%b)" % (draw(spelled(entry.encode())), b" ".join(pairs)))
    return b"(%b)" % b" ".join(said), tuple(found)


@st.composite
def annotation_commands(draw: st.DrawFn) -> Written:
    """STORE and FETCH of annotations, SEARCH and SORT by them."""
    messages, uid = draw(sets), draw(st.booleans())
    prefix = b"UID " if uid else b""
    wire, found = draw(annotations())
    entry = draw(entries)
    spelled_entry = draw(spelled(entry.encode()))
    text_wire, text = draw(values())
    pattern = draw(patterns.filter(lambda one: is_match(one.encode())))
    item = FetchAnnotation((pattern, entry), (Attribute(b"value", True), Attribute(b"size", False)))
    items: tuple[FetchItem, ...] = (FetchAttribute.UID, item) if uid else (item,)
    private = draw(st.booleans())
    name = b"value.priv" if private else b"value.shared"
    key = k.AnnotationKey(pattern, frozenset({private}), None if text is None else decode_text(text, "UTF-8"))
    ways: list[Written] = [
        (
            b"%bSTORE %b ANNOTATION %b" % (prefix, write_set(messages), wire),
            Annotate(TAG, messages, found, uid),
        ),
        (
            b"%bSTORE %b (UNCHANGEDSINCE 7) annotation %b" % (prefix, write_set(messages), wire),
            Annotate(TAG, messages, found, uid, 7),
        ),
        (
            b"%bFETCH %b (ANNOTATION ((%b %b) (value.priv size.shared)))"
            % (prefix, write_set(messages), pattern.encode(), spelled_entry),
            Fetch(TAG, messages, items, uid),
        ),
        (
            b"%bSEARCH CHARSET UTF-8 ANNOTATION %b %b %b" % (prefix, pattern.encode(), name, text_wire),
            Search(TAG, key, uid),
        ),
        (
            b"%bSORT (REVERSE ANNOTATION %b %b) UTF-8 ALL" % (prefix, spelled_entry, name),
            Sort(
                TAG,
                k.AllMessages(),
                uid,
                criteria=(SortCriterion(SortKey.ANNOTATION, True, entry, private),),
            ),
        ),
    ]
    return draw(st.sampled_from(ways))


@st.composite
def annotated_appends(draw: st.DrawFn) -> tuple[bytes, AppendStart, bytes]:
    """APPEND with annotations: its wire form, its head and its message."""
    wire, name = draw(mailboxes())
    wire_flags, flags = draw(flag_lists())
    noted_wire, noted = draw(annotations())
    message = draw(st.binary(max_size=50)).replace(b"\0", b"")
    head = b"APPEND %b %b ANNOTATION %b {%d+}\r\n" % (wire, wire_flags, noted_wire, len(message))
    start = AppendStart(TAG, name, (MessageHead(flags, None, noted),), AppendText(len(message)))
    return head + message, start, message
