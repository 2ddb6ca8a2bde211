"""Sections of a message by part number (RFC 3501 §6.4.5)."""

from collections.abc import Collection
from typing import Final, Literal, TypeAlias

from postroad.message.header import each_field, fields_named
from postroad.message.part import Part

_FEW: Final = 30
"""Names up to which a regular expression of them is worth being made."""
SectionText: TypeAlias = Literal["", "HEADER", "TEXT", "MIME"]


def find_part(tree: Part, path: tuple[int, ...]) -> Part | None:
    """Return the part with that number, or None; part 1 of a plain message is its body."""
    here, inside = tree, False  # `inside`: a number behind this one counts in an embedded message
    for number in path:
        if inside:
            embedded = here.embedded
            if not here.is_multipart:
                if embedded is None:
                    return None
                here = embedded
        if here.is_multipart:
            if not 1 <= number <= len(here.children):
                return None
            here = here.children[number - 1]
        elif number != 1:
            return None
        inside = True
    return here


def locate(tree: Part, path: tuple[int, ...], text: SectionText) -> tuple[int, int] | None:
    """Return the offsets of a section, or None where the message has no such section.

    HEADER and TEXT of a numbered part mean the message inside of it, MIME the
    part's own header; without a number they mean the message itself.
    """
    if not path:
        if text == "":
            return tree.header_start, tree.body_end
        if text == "HEADER":
            return tree.header_start, tree.body_start
        return (tree.body_start, tree.body_end) if text == "TEXT" else None
    part = find_part(tree, path)
    if part is None:
        return None
    if text == "":
        return part.body_start, part.body_end
    if text == "MIME":
        return part.header_start, part.body_start
    embedded = part.embedded
    if embedded is None:
        return None
    if text == "HEADER":
        return embedded.header_start, embedded.body_start
    return embedded.body_start, embedded.body_end


def header_subset(header: bytes, names: Collection[bytes], invert: bool) -> bytes:
    """Return the fields with these names, or without them, and the empty line.

    The fields stand as written and in their order (RFC 3501 §6.4.5
    HEADER.FIELDS and HEADER.FIELDS.NOT).
    """
    if invert or len(names) > _FEW:
        wanted = {name.lower() for name in names}
        kept = [header[start:end] for name, start, end in each_field(header) if (name in wanted) != invert]
    else:
        kept = fields_named(header, tuple(names))
    if kept and not kept[-1].endswith(b"\n"):
        kept.append(b"\r\n")
    kept.append(b"\r\n")
    return b"".join(kept)
