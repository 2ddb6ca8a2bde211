"""The collation i;unicode-casemap: how text is compared without case (RFC 5051)."""

import re
from typing import Final

from postroad.message.decomposed import decomposed

# Letters with a titlecase of their own that is not their upper case: DŽ and its kin, and Georgian,
# whose capitals begin no word.
_TITLED: Final = re.compile("[\u01c4-\u01cc\u01f1-\u01f3\u10d0-\u10fa\u10fd-\u10ff]")


def collated(text: str) -> str:
    """Return what text is compared by: titlecased, then decomposed (RFC 5051 §2).

    Code points of the result compare as the octets of its UTF-8 do, which is
    the order of i;octet. Nothing is ever collated to nothing.
    """
    upper = text.upper()
    if text.isascii():
        return upper
    if len(upper) != len(text) or _TITLED.search(text) is not None:
        upper = "".join(map(_title, text))
    return decomposed(upper)


def _title(letter: str) -> str:
    # UnicodeData.txt knows titles of one code point alone; ß has none there and stays what it is.
    title = letter.title()
    return title if len(title) == 1 else letter
