"""SASLprep: the one spelling of a name or password that SCRAM hashes (RFC 4013).

It is bound to Unicode 3.2 (RFC 3454), so what was assigned later, emoji among
it, cannot be prepared as a stored string. Such passwords work with PLAIN.
"""

import stringprep
import unicodedata
from typing import Final

_PROHIBITED: Final = (  # RFC 4013 §2.3
    stringprep.in_table_c12,
    stringprep.in_table_c21_c22,
    stringprep.in_table_c3,
    stringprep.in_table_c4,
    stringprep.in_table_c5,
    stringprep.in_table_c6,
    stringprep.in_table_c7,
    stringprep.in_table_c8,
    stringprep.in_table_c9,
)


def saslprep(text: str) -> str | None:
    """Return `text` prepared as a stored string; None where the profile forbids it, or nothing is left."""
    if text and text.isascii() and text.isprintable():
        return text
    # RFC 4013 §2.1, §2.2: other spaces become spaces, some characters nothing, then NFKC as of Unicode 3.2.
    mapped = "".join(
        " " if stringprep.in_table_c12(character) else character
        for character in text
        if not stringprep.in_table_b1(character)
    )
    prepared = unicodedata.ucd_3_2_0.normalize("NFKC", mapped)
    for character in prepared:
        if stringprep.in_table_a1(character) or any(table(character) for table in _PROHIBITED):
            return None
    return prepared if prepared and _reads_one_way(prepared) else None


def _reads_one_way(text: str) -> bool:
    """RFC 3454 §6: what has right-to-left letters has no others, and has them at both ends."""
    if not any(map(stringprep.in_table_d1, text)):
        return True
    if any(map(stringprep.in_table_d2, text)):
        return False
    return stringprep.in_table_d1(text[0]) and stringprep.in_table_d1(text[-1])
