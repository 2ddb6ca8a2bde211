"""Writing the trail, in the transaction that it describes, and finding it again."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple

import msgspec

from postroad.db.transaction import Reader, Row, Transaction
from postroad.trail.note import Kind, Note, Trail

KEPT_DAYS: Final = 30
_SUBJECT: Final = 200
_KEY: Final = 320  # the longest address is 320 octets; longer Message-IDs are cut alike on both sides
_COLUMNS: Final = "id, at, kind, sender, recipients, message_id, subject, notes"
_BEGIN: Final = f"INSERT INTO trail ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608 - a constant
_FOUND_BY: Final = "INSERT INTO trail_key (key, trail_id) VALUES (?, ?)"

_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder().decode


def next_id(tx: Transaction) -> int:
    """The id of the next trail: whoever begins more numbers them from there on."""
    return int(tx.value("SELECT coalesce(max(id), 0) + 1 FROM trail"))


class Beginning(NamedTuple):
    """The first line of a trail, with an id from `next_id` on."""

    trail_id: int
    kind: Kind
    sender: str
    recipients: Sequence[str]
    message_id: str
    subject: str
    notes: Sequence[Note]


def begin_all(tx: Transaction, trails: Iterable[Beginning]) -> None:
    """Start trails of messages, which are found by sender, recipients, Message-ID and queue ids in notes."""
    rows: list[Row] = []
    keys: list[Row] = []
    for trail_id, kind, sender, recipients, message_id, subject, notes in trails:
        rows.append(
            (
                *(trail_id, tx.now, kind, sender, _encode(recipients).decode(), message_id),
                *(subject[:_SUBJECT], _encode([(note.kind, note.facts) for note in notes])),
            )
        )
        keys += [(key, trail_id) for key in _keys(sender, recipients, message_id, notes)]
    tx.run_many(_BEGIN, rows)
    tx.run_many(_FOUND_BY, keys)


def begin(
    tx: Transaction,
    *,
    kind: Kind,
    sender: str,
    recipients: Sequence[str],
    message_id: str = "",
    subject: str = "",
    notes: Sequence[Note] = (),
) -> int:
    """Start the trail of one message; give its id (see `begin_all`)."""
    trail_id = next_id(tx)
    begin_all(tx, [Beginning(trail_id, kind, sender, recipients, message_id, subject, notes)])
    return trail_id


def add(tx: Transaction, trail_id: int, notes: Sequence[Note]) -> None:
    """Add what happened since; a trail that has been cleaned away is left alone."""
    tx.run(
        "INSERT INTO trail_note (trail_id, n, at, notes)"
        " SELECT id, (SELECT coalesce(max(n), 0) + 1 FROM trail_note WHERE trail_id = trail.id), ?, ?"
        " FROM trail WHERE id = ?",
        *(tx.now, _encode([(note.kind, note.facts) for note in notes]), trail_id),
    )
    for key in _queue_ids(notes):
        tx.run("INSERT OR IGNORE INTO trail_key (key, trail_id) VALUES (?, ?)", key.lower(), trail_id)


def find(
    reader: Reader,
    *,
    key: str | None = None,
    trail_id: int | None = None,
    address: str | None = None,
    since: float | None = None,
    until: float | None = None,
    limit: int = 50,
) -> list[Trail]:
    """Trails by key (address, Message-ID or queue id), by id, by IP address of a host, by time; newest first.

    An IP address is looked for in all notes of the time: it has no index, which each message would pay for.
    """
    where = ["at >= ?", "at <= ?"]
    params: list[Any] = [since or 0.0, until or 1e12]
    if key is not None:
        where.append("id IN (SELECT trail_id FROM trail_key WHERE key = ?)")
        params.append(key.strip("<>")[:_KEY].lower())
    if trail_id is not None:
        where.append("id = ?")
        params.append(trail_id)
    if address is not None:
        where.append(
            "(instr(notes, ?) OR id IN (SELECT trail_id FROM trail_note WHERE at >= ? AND instr(notes, ?)))"
        )
        written = b'"address":' + _encode(address)
        params += [written, params[0], written]
    sql = f"SELECT {_COLUMNS} FROM trail WHERE {' AND '.join(where)} ORDER BY at DESC, id DESC LIMIT ?"  # noqa: S608 - constants
    return [_trail(reader, row) for row in reader.rows(sql, *params, limit)]


def clean(tx: Transaction, before: float, most: int = 500) -> int:
    """Forget trails older than `before`, at most so many at once; give how many.

    Their keys are worked out once more: an index that finds them would be written to by every message.
    """
    named = "SELECT id, sender, recipients, message_id, notes FROM trail WHERE at < ? ORDER BY at LIMIT ?"
    old = tx.rows(named, before, most)
    keys: list[Row] = []
    for trail_id, sender, recipients, message_id, first in old:
        later = tx.rows("SELECT notes FROM trail_note WHERE trail_id = ?", trail_id)
        notes = [note for packed in (first, *(row[0] for row in later)) for note in _notes(packed)]
        keys += [(key, trail_id) for key in _keys(sender, _decode(recipients), message_id, notes)]
    gone = [(row[0],) for row in old]
    tx.run_many("DELETE FROM trail_key WHERE key = ? AND trail_id = ?", sorted(keys))
    tx.run_many("DELETE FROM trail_note WHERE trail_id = ?", gone)
    tx.run_many("DELETE FROM trail WHERE id = ?", gone)
    return len(old)


def _keys(sender: str, recipients: Iterable[str], message_id: str, notes: Iterable[Note]) -> set[str]:
    """What a trail is found by. `clean` relies on it: by nothing that its rows do not say."""
    named = (sender, *recipients, message_id, *_queue_ids(notes))
    return {key[:_KEY].lower() for key in named if key}


def _queue_ids(notes: Iterable[Note]) -> Iterator[str]:
    return (str(note.facts["queue"]) for note in notes if note.kind == "queued")


def _trail(reader: Reader, row: Row) -> Trail:
    trail_id, at, kind, sender, recipients, message_id, subject, first = row
    notes = [(at, note) for note in _notes(first)]
    for later, packed in reader.rows(
        "SELECT at, notes FROM trail_note WHERE trail_id = ? ORDER BY n", trail_id
    ):
        notes += [(later, note) for note in _notes(packed)]
    return Trail(trail_id, at, kind, sender, tuple(_decode(recipients)), message_id, subject, tuple(notes))


def _notes(packed: bytes) -> list[Note]:
    items: list[Any] = _decode(packed)
    return [Note(kind, facts) for kind, facts in items]
