"""Which messages belong together: by the Message-IDs that they name (RFC 5322 §3.6.4)."""

import json
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from struct import Struct
from typing import Final, Protocol

from postroad.db.transaction import Transaction
from postroad.message.summary import Summary


class Referring(Protocol):
    """What is needed of a message to find its thread: a `Summary` has it."""

    @property
    def message_id(self) -> str: ...
    @property
    def references(self) -> tuple[str, ...]: ...


_REFERENCES: Final = 20
"""The last so many references of a message count; whoever names more does so without end."""

_AS_NUMBER: Final = Struct(">q").unpack
_KNOWN: Final = (
    "SELECT reference, thread_id FROM thread_reference"
    " WHERE account_id = ? AND reference IN (SELECT value FROM json_each(?))"
)
_KNOWN_ONE: Final = "SELECT thread_id FROM thread_reference WHERE account_id = ? AND reference = ?"
_FOUND: Final = "INSERT INTO thread_reference (account_id, reference, thread_id) VALUES (?, ?, ?)"
_KEEP: Final = f"{_FOUND} ON CONFLICT DO NOTHING"


def find_threads(
    tx: Transaction, account_id: int, first_message: int, summaries: Sequence[Referring]
) -> list[int]:
    """Find or found the threads of new messages, whose ids follow one another from `first_message` on."""
    named = [_references(summary) for summary in summaries]
    if len(named) == 1 and len(named[0]) == 1:  # most mail comes alone and answers nothing
        tx.run(_KEEP, account_id, named[0][0], first_message)
        if tx.changes():
            return [first_message]
        return [int(tx.value(_KNOWN_ONE, account_id, named[0][0]))]
    known = _look_up(tx, account_id, {key for keys in named for key in keys})
    founded: dict[int, int] = {}
    threads: list[int] = []
    for message_id, keys in enumerate(named, first_message):
        if len(keys) == 1:
            thread_id = known.get(keys[0], message_id)
        else:
            thread_id = min([known[key] for key in keys if key in known], default=message_id)
        threads.append(thread_id)
        for key in keys:
            if key not in known:
                known[key] = founded[key] = thread_id
    tx.insert_many(_FOUND, [(account_id, key, thread_id) for key, thread_id in founded.items()])
    return threads


def keep_thread(tx: Transaction, account_id: int, thread_id: int, summary: Summary) -> None:
    """Put a message into the thread that it was in: what clients were told stays so (RFC 8474 §5.2)."""
    tx.run_many(_KEEP, [(account_id, key, thread_id) for key in _references(summary)])


def _references(summary: Referring) -> list[int]:
    """The Message-IDs that a message names, each once, as the numbers that stand for them."""
    message_id, references = summary.message_id, summary.references
    if not references:
        return [_number(message_id)] if message_id else []
    return [_number(name) for name in dict.fromkeys((message_id, *references[-_REFERENCES:])) if name]


def _number(name: str) -> int:
    number: int = _AS_NUMBER(blake2b(name.encode("utf-8", "replace"), digest_size=8).digest())[0]
    return number


def _look_up(tx: Transaction, account_id: int, keys: Iterable[int]) -> dict[int, int]:
    """The threads of those references that are known."""
    return dict(tx.rows(_KNOWN, account_id, json.dumps(list(keys))))
