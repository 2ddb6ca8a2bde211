"""LANGUAGE and COMPARATOR: what is spoken here, and how text is compared (RFC 5255)."""

import re
from typing import Final

from postroad.imap.answer import Answer, ok
from postroad.imap.dialogue import Dialogue
from postroad.imap.wire.session_commands import Comparator, Language

_DEFAULT: Final = "i-default"
_ENGLISH: Final = "en"
"""What is said in i-default is English (RFC 2277 §4.5): who asks for either reads the same."""
_CASEMAP: Final = "i;unicode-casemap"
"""RFC 5255 §4.4: by what all text is compared (`message.collation`)."""


def language(dialogue: Dialogue, command: Language) -> Answer:
    """Say which languages there are, or take the first that the client asks for and that is spoken."""
    if not command.ranges:
        dialogue.core.untagged(b"LANGUAGE (en i-default)")
        return ok(b"these are spoken")
    for wanted in command.ranges:
        if (spoken := _spoken(wanted)) is not None:
            dialogue.core.untagged(b"LANGUAGE (%b)" % spoken.encode("ascii"))
            return ok(b"English is spoken")
    return Answer(b"NO", b"", b"that language is not spoken here")


def _spoken(wanted: str) -> str | None:
    """Look a range up (RFC 4647 §3.4): what is said more exactly than we can is left out."""
    if wanted == _DEFAULT:
        return _DEFAULT
    return _ENGLISH if wanted.partition("-")[0] in (_ENGLISH, "*", "default") else None


def comparator(dialogue: Dialogue, command: Comparator) -> Answer:
    """Say what text is compared by, if the client can live with that."""
    if command.orders and not any(map(_is_ours, command.orders)):
        return Answer(b"NO", b"BADCOMPARATOR", b"there is no such comparator")
    dialogue.core.untagged(b"COMPARATOR %b" % _CASEMAP.encode("ascii"))
    return ok(b"done")


def _is_ours(order: str) -> bool:
    """Whether a collation, perhaps with wildcards, is ours; none is turned round (RFC 4790 §3.3)."""
    pattern = ".*".join(map(re.escape, order.removeprefix("+").split("*")))
    return order == "default" or re.fullmatch(pattern, _CASEMAP) is not None
