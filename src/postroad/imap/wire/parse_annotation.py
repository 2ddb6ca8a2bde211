"""The grammar of annotations of messages (RFC 5257 §5)."""

from typing import Final

from postroad.imap.wire.annotation import (
    Attribute,
    FetchAnnotation,
    has_wildcards,
    is_entry,
    is_flag,
    is_match,
    is_storable,
)
from postroad.imap.wire.limits import ANNOTATION_ENTRIES, ANNOTATION_WILDCARDS
from postroad.imap.wire.reader import BadSyntax, Reader
from postroad.model.annotation import Annotation

# The names are literals of the grammar, which go in any case (§5), and are compared with case (§3.2):
# what is written otherwise is taken for the one that it can only mean.
_NAMES: Final = (b"value", b"size")
_SUFFIXES: Final = {b".priv": True, b".shared": False}
_ATTRIBUTES: Final[dict[bytes, tuple[Attribute, ...]]] = {
    **{
        name + suffix: (Attribute(name, private),) for name in _NAMES for suffix, private in _SUFFIXES.items()
    },
    **{name: (Attribute(name, True), Attribute(name, False)) for name in _NAMES},
}


def read_fetch_annotation(reader: Reader) -> FetchAnnotation:
    """Read what stands behind ANNOTATION in FETCH."""
    reader.expect(b" (")
    entries = _entries(reader)
    reader.space()
    attributes = list(_attribute(reader)) if not reader.skip(b"(") else _attributes(reader)
    reader.expect(b")")
    return FetchAnnotation(entries, tuple(dict.fromkeys(attributes)))


def _entries(reader: Reader) -> tuple[str, ...]:
    if not reader.skip(b"("):
        return (_match(reader),)
    entries = [_match(reader)]
    while reader.skip(b" "):
        entries.append(_match(reader))
    reader.expect(b")")
    if len(entries) > ANNOTATION_ENTRIES:
        raise BadSyntax(b"too many entries")
    if sum(entry.count("*") + entry.count("%") for entry in entries) > ANNOTATION_WILDCARDS:
        raise BadSyntax(b"too many wildcards")
    return tuple(dict.fromkeys(entries))


def _match(reader: Reader) -> str:
    entry = reader.pattern()
    if not is_match(entry):
        raise BadSyntax(b"that is no name of an entry")
    return entry.decode("ascii")


def _attributes(reader: Reader) -> list[Attribute]:
    attributes = [*_attribute(reader)]
    while reader.skip(b" "):
        attributes += _attribute(reader)
    reader.expect(b")")
    return attributes


def _attribute(reader: Reader) -> tuple[Attribute, ...]:
    found = _ATTRIBUTES.get(reader.astring().lower())
    if found is None:
        raise BadSyntax(b"there is no such attribute")
    return found


def read_annotations(reader: Reader) -> tuple[Annotation, ...]:
    """Read entries with their values, as STORE and APPEND have them (§5 att-annotate)."""
    reader.expect(b"(")
    annotations: list[Annotation] = []
    while True:
        entry = reader.astring()
        if not is_entry(entry) or not is_storable(entry):
            raise BadSyntax(b"no entry of that name can have a value")
        reader.expect(b" (")
        annotations.append(_value(reader, entry))
        while reader.skip(b" "):
            annotations.append(_value(reader, entry))
        reader.expect(b")")
        if not reader.skip(b" "):
            break
    reader.expect(b")")
    return tuple(annotations)


def _value(reader: Reader, entry: bytes) -> Annotation:
    attribute = _attribute(reader)
    if len(attribute) > 1 or attribute[0].name != b"value":
        # §3.2.2: a client says which of the two it means; sizes are the server's.
        raise BadSyntax(b"only value.priv and value.shared can be set")
    reader.space()
    value = reader.value()
    if is_flag(entry) and value not in (b"1", b"0", None):
        raise BadSyntax(b'a flag of a part is "1", "0" or NIL')
    return Annotation(entry.decode("ascii"), attribute[0].private, value)


def read_search_entry(reader: Reader) -> tuple[str, frozenset[bool]]:
    """Read what a SEARCH looks into: entries, and of whose values, private (True) or shared ones (§4.8)."""
    entry = _match(reader)
    if sum(map(entry.count, "*%")) > ANNOTATION_WILDCARDS:
        raise BadSyntax(b"too many wildcards")
    reader.space()
    return entry, frozenset([attribute.private for attribute in _searched(reader)])


def read_sort_entry(reader: Reader) -> tuple[str, bool]:
    """Read what a SORT goes by: one entry, and whether its private value (§4.9)."""
    entry = reader.astring()
    if has_wildcards(entry) or not is_entry(entry):
        raise BadSyntax(b"that is no name of an entry")
    reader.space()
    attributes = _searched(reader)
    if len(attributes) > 1:
        raise BadSyntax(b"only value.priv and value.shared can be sorted by")
    return entry.decode("ascii"), attributes[0].private


def _searched(reader: Reader) -> tuple[Attribute, ...]:
    attributes = _attribute(reader)
    if attributes[0].name != b"value":
        raise BadSyntax(b"only values can be searched")
    return attributes
