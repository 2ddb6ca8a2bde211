"""What URLFETCH gives of one URL: its octets, decoded or not, and what they are (RFC 4467, RFC 5524)."""

from collections.abc import Iterable

import msgspec

from postroad.imap.decoding import IDENTITY, Decoded, UnknownEncoding, encoding_of
from postroad.imap.dialogue import Dialogue
from postroad.imap.excerpt import Excerpt
from postroad.imap.sections import Writer
from postroad.imap.turns import Turns
from postroad.imap.urlauth import Referred
from postroad.message.conventional import structure_for
from postroad.message.part import Part
from postroad.message.section import find_part
from postroad.obs.log import log


async def send_url(
    dialogue: Dialogue, found: Referred, wanted: tuple[str, ...], writer: Writer, turns: Turns
) -> None:
    """Send what is wanted of it, each in parentheses; its octets alone where nothing was said."""
    try:
        if not wanted:
            await _send_octets(found, writer, turns)
            return
        # The structure first, whatever the order: it says what the octets are.
        if "BODYPARTSTRUCTURE" in wanted:
            written = await _structure(
                found, turns, decoded="BINARY" in wanted, international=dialogue.enabled.utf8
            )
            writer.put(b" (BODYPARTSTRUCTURE %b)" % written)
        if "BODY" in wanted:
            writer.put(b" (BODY")
            await _send_octets(found, writer, turns)
            writer.put(b")")
        if "BINARY" in wanted:
            writer.put(b" (BINARY")
            await _send_decoded(found, writer, turns)
            writer.put(b")")
    except Exception as error:
        # Half a response has gone out: nothing that is sent now would be understood.
        dialogue.conn.abort()
        if not isinstance(error, ConnectionError):
            log.error("imap.broken_off", account=dialogue.account.id, exc_info=True)
        raise ConnectionError("a message could not be sent to its end") from error


async def _send_octets(found: Referred, writer: Writer, turns: Turns) -> None:
    excerpt = Excerpt(found.message, found.section, found.place)
    writer.put(b" {%d}\r\n" % excerpt.size)
    await _send_pieces(excerpt.pieces(), writer, turns)


async def _send_decoded(found: Referred, writer: Writer, turns: Turns) -> None:
    try:
        encoding = encoding_of(found.message.parts(), found.section.path, found.section.text)
    except UnknownEncoding:
        writer.put(b" NIL")
        return
    if found.section.fields:
        await _send_octets(found, writer, turns)
        return
    decoded = Decoded(found.message, found.place, encoding, found.section.partial)
    extent = await decoded.extent(turns)
    writer.put((b" ~{%d}\r\n" if extent.has_nul else b" {%d}\r\n") % extent.size)
    await _send_pieces(decoded.pieces(), writer, turns)


async def _send_pieces(pieces: Iterable[bytes], writer: Writer, turns: Turns) -> None:
    for piece in pieces:
        await writer.send(piece)
        await turns.next()


async def _structure(found: Referred, turns: Turns, *, decoded: bool, international: bool) -> bytes:
    """BODYSTRUCTURE of the part alone; of one that is given decoded, as it is then."""
    section, tree = found.section, found.message.parts()
    part = None if section.text else tree if not section.path else find_part(tree, section.path)
    if part is None:
        return b"NIL"
    if decoded and not part.children:
        part = await _as_decoded(found, part, turns)
    data = found.message.shared() if part.children else b""
    return structure_for(data, part, international=international)[1]


async def _as_decoded(found: Referred, part: Part, turns: Turns) -> Part:
    try:
        encoding = encoding_of(found.message.parts(), found.section.path, found.section.text)
    except UnknownEncoding:
        return part
    if encoding == IDENTITY or not found.section.path:
        return part
    size = lines = 0
    kind = "7bit"
    for piece in Decoded(found.message, found.place, encoding, None).pieces():
        size += len(piece)
        lines += piece.count(b"\n")
        if b"\0" in piece:
            kind = "binary"
        elif kind == "7bit" and not piece.isascii():
            kind = "8bit"
        await turns.next()
    return msgspec.structs.replace(
        part,
        body_end=part.body_start + size,
        encoding=kind,
        lines=lines if part.type in ("text", "message") else 0,
    )
