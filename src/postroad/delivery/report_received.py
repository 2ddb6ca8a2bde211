"""What reports of others have in common as they come in: where they are in a message, how much is kept."""

from collections.abc import Collection
from typing import Final

from postroad.mailauth.inflate import BadReport
from postroad.message.part import parse_parts
from postroad.message.transfer import decoded_pieces
from postroad.model.octets import Octets

ATTACHED_OCTETS: Final = 10 * 1024 * 1024
"""Of a report as it came; a larger one is mail like any other."""
PER_DOMAIN: Final = 10_000
"""Rows that are kept of one domain: strangers decide how many come."""
KEPT_SECONDS: Final = 90 * 86400.0
TEXT: Final = 200
"""Characters of what a report calls somebody or something."""


def attached_report(body: Octets, types: Collection[str]) -> tuple[str, bytes] | None:
    """Type and octets of the first part that has one of these content types; messages inside are not entered.

    Raises:
        BadReport: it is too large.
    """
    waiting = [parse_parts(body)]
    while waiting:
        part = waiting.pop()
        kind = f"{part.type}/{part.subtype}"
        if part.is_multipart:
            waiting += part.children[::-1]
        elif kind in types:
            if part.body_end - part.body_start > ATTACHED_OCTETS:
                raise BadReport("it is too large")
            pieces = decoded_pieces(body, part.body_start, part.body_end, part.encoding)
            return kind, b"".join(pieces)
    return None
