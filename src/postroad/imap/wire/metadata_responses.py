"""METADATA as responses and as response codes (RFC 5464 §4.4, §5)."""

from collections.abc import Iterable, Mapping

from postroad.imap.wire.responses import astring, mailbox, value


def metadata(name: bytes, values: Mapping[str, bytes | None]) -> bytes:
    """Write METADATA with values, NIL for those that have none; the server's where the name is empty."""
    pairs = [astring(entry.encode("ascii")) + b" " + value(octets) for entry, octets in values.items()]
    return b"METADATA %b (%b)" % (mailbox(name), b" ".join(pairs))


def metadata_changed(name: bytes, entries: Iterable[str]) -> bytes:
    """Write METADATA without values: these have changed (§4.4.2)."""
    return b" ".join([b"METADATA", mailbox(name), *[astring(entry.encode("ascii")) for entry in entries]])
