"""What programs are told of the queue."""

from typing import Any

from postroad.queue.verbs import Queued
from postroad.trail.note import text_id as trail_text_id


def facts_of(one: Queued) -> dict[str, Any]:
    """A message in the queue for `--json`."""
    return {
        "id": one.item.text_id,
        "sender": str(one.item.sender or ""),
        "created": one.item.created,
        "release": None if one.item.release is None else one.item.release.at,
        "size": one.item.size,
        "priority": one.item.priority,
        "deliver_by": None if one.item.deliver_by is None else one.item.deliver_by.at,
        "trail": trail_text_id(one.item.trail_id),
        "recipients": [
            {
                "address": str(r.address),
                "destination": r.destination,
                "attempts": r.attempts,
                "next": r.due,
                "held": r.held,
                "cancelled": r.cancelled,
                "trying": r.leased,
                "last_at": r.last_at,
                "last_host": r.last_host,
                "last_reply": r.last_words,
            }
            for r in one.recipients
        ],
    }
