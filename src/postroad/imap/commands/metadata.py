"""GETMETADATA and SETMETADATA (RFC 5464), and METADATA in LIST (RFC 9590)."""

from collections.abc import Iterable, Mapping

from postroad.imap.answer import Answer, No, ok
from postroad.imap.dialogue import Dialogue
from postroad.imap.permission import need_to_note
from postroad.imap.wire.metadata import GetMetadata, SetMetadata
from postroad.imap.wire.metadata_responses import metadata
from postroad.store.annotations import SERVER
from postroad.store.metadata import Metadata


def get_metadata(dialogue: Dialogue, command: GetMetadata) -> Answer:
    """Tell entries; of those larger than the client wants only the size of the largest (§4.2.1)."""
    named = command.mailbox
    found: Mapping[str, bytes | None]
    if named.valid and not named.name:
        stored = dialogue.account.metadata().find(SERVER, _lower(command.entries), command.depth)
        found = as_asked(command.entries, stored | _from_settings(dialogue, command), command.depth)
    else:
        account, mailbox = dialogue.find(named)
        need_to_note(account, mailbox, shared=False)
        stored = account.metadata().find(mailbox.id, _lower(command.entries), command.depth)
        found = as_asked(command.entries, stored, command.depth)
    sizes = [len(value) for value in found.values() if value is not None]
    most = command.max_size
    if most is not None:
        found = {entry: value for entry, value in found.items() if value is None or len(value) <= most}
    if found:
        dialogue.core.untagged(metadata(dialogue.enabled.octets(named.name), found))
    if most is not None and max(sizes, default=0) > most:
        return ok(b"some are longer", b"METADATA LONGENTRIES %d" % max(sizes))
    return ok(b"done")


async def set_metadata(dialogue: Dialogue, command: SetMetadata) -> Answer:
    """Set and remove entries, all or none; the client is not told what it has said itself (§4.3)."""
    values = {entry.lower(): value for entry, value in command.values}
    if command.mailbox.valid and not command.mailbox.name:
        if any(entry.startswith("/shared/") for entry in values):
            raise No(b"NOPERM", b"what all users of the server see is for the operator to say")
        account, mailbox_id = dialogue.account, SERVER
    else:
        account, mailbox = dialogue.find(command.mailbox)
        need_to_note(account, mailbox, shared=any(entry.startswith("/shared/") for entry in values))
        mailbox_id = mailbox.id
    modseq = await account.metadata().put(mailbox_id, values)
    dialogue.followed.made(account.id, modseq)
    return ok(b"noted")


def as_asked(entries: Iterable[str], found: Mapping[str, bytes], depth: int = 0) -> dict[str, bytes | None]:
    """Put values behind the names as the client wrote them, and what is below behind those.

    A name without a value is NIL, unless something below it is told of in its place.
    """
    told: dict[str, bytes | None] = {}
    for entry in entries:
        name = entry.lower()
        below = {key: value for key, value in found.items() if key.startswith(name + "/")} if depth else {}
        if name in found or not below:
            told[entry] = found.get(name)
        told |= below
    return told


def list_line(named: bytes, metadata_of: Metadata, mailbox_id: int, entries: tuple[str, ...]) -> bytes:
    """Return what LIST adds for a mailbox (RFC 9590 §3)."""
    return metadata(named, as_asked(entries, metadata_of.find(mailbox_id, _lower(entries))))


def _lower(entries: Iterable[str]) -> list[str]:
    return [entry.lower() for entry in entries]


def _from_settings(dialogue: Dialogue, command: GetMetadata) -> dict[str, bytes]:
    """What the operator has said for all users (§3.2.1.1)."""
    said = dialogue.services.about_server
    wanted: dict[str, bytes] = {}
    for entry, value in said.items():
        for name in _lower(command.entries):
            if entry == name or (command.depth and entry.startswith(name + "/")):
                wanted[entry] = value
    return wanted
