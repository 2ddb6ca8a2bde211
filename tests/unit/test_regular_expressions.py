"""Regular expressions mean the same on every Python that postroad runs on."""

import re
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "src" / "postroad"

# CPython gh-106052: up to 3.11.4, and so on Debian 12, a group that repeats
# possessively (or an atomic one) keeps what its last, failed round has taken.
# A possessive character class is right everywhere.
POSSESSIVE_GROUP = re.compile(r"(?<!\\)\)(?:[*+?]|\{[0-9,]*\})\+|\(\?>")


def test_no_group_is_possessive() -> None:
    found = {
        f"{path.relative_to(SOURCE)}:{number}: {line.strip()}"
        for path in SOURCE.rglob("*.py")
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if POSSESSIVE_GROUP.search(line)
    }
    assert found == set()
