"""Look for input that a parser takes long over: `python bench/parsers/hostile_fields.py [seconds] [seed]`.

Floods of repeated fragments, 60 KiB each, go through every parser; the slowest
of each is printed. What is linear stays below some 50 ms; a square stands out.
"""

import random
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from postroad.message.address_list import parse_addresses
from postroad.message.compose import clean_lines
from postroad.message.content_type import parse_content_type, parse_disposition
from postroad.message.date import parse_date
from postroad.message.encoded_word import decode_header
from postroad.message.header import HeaderBlock
from postroad.message.message_id import parse_message_ids
from postroad.message.part import parse_parts
from postroad.message.preview import strip_tags
from postroad.message.section import header_subset
from postroad.message.subject import base_subject
from postroad.message.summary import summarize
from postroad.message.transfer import decode_base64, decode_quoted_printable
from tests.unit.message.pieces import FRAGMENTS

SIZE = 60_000
UNITS = [
    *(fragment for fragment in FRAGMENTS if len(fragment) < 12),
    *(
        b"a",
        b"a ",
        b"[",
        b"]",
        b"<a",
        b"(a",
        b"=?",
        b"?q?",
        b"1",
        b"1 ",
        b"Jan ",
        b"+",
        b"a=b",
        b"*0",
        b"*0*=",
    ),
    *(b"</style", b"-->", b"re:", b"[a]", b'\\"', b".", b"&", b"&#", b"\n a", b"\na:"),
]
MULTIPART = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
PARSERS: dict[str, Callable[[bytes], object]] = {
    "addresses": parse_addresses,
    "content type": lambda value: parse_content_type(b"a/b" + value),
    "disposition": lambda value: parse_disposition(b"a;" + value),
    "date": parse_date,
    "encoded words": decode_header,
    "message ids": parse_message_ids,
    "base subject": lambda value: base_subject(value.decode("latin-1")),
    "tags": lambda value: strip_tags(value.decode("latin-1"), len(value)),
    "header": HeaderBlock.parse,
    "parts": lambda value: parse_parts(MULTIPART + value),
    "subset": lambda value: header_subset(value, [b"a"], True),
    "base64": decode_base64,
    "quoted-printable": decode_quoted_printable,
    "unfolding": lambda value: HeaderBlock.parse(b"A: " + value.replace(b"\n", b"\n ")).first(b"a"),
    "line ends": clean_lines,
    "summary": lambda value: summarize(b"From: " + value),
}


def flood(chance: random.Random) -> bytes:
    """Make a value of up to four floods, perhaps with something in front."""
    kinds = chance.choice((1, 2, 2, 3, 3, 4))
    made = [chance.choice(UNITS)] if chance.random() < 0.5 else []
    for _ in range(kinds):
        unit = b"".join(chance.choices(UNITS, k=chance.choice((1, 1, 2, 3))))
        made.append(unit * (SIZE // kinds // len(unit)))
    return b"".join(made)


def measure(parser: Callable[[bytes], object], value: bytes) -> float:
    """Return how many seconds a parser takes over a value."""
    start = time.perf_counter()
    parser(value)
    return time.perf_counter() - start


def main() -> None:
    """Search for so many seconds and print the worst."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 30.0
    chance = random.Random(sys.argv[2] if len(sys.argv) > 2 else None)
    worst: dict[str, tuple[float, bytes]] = {}
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        name, value = chance.choice(list(PARSERS)), flood(chance)
        taken = measure(PARSERS[name], value)
        if taken > worst.get(name, (0.0, b""))[0]:
            taken = min(taken, measure(PARSERS[name], value))  # the machine may have been busy
            worst[name] = (taken, value)
    for name, (taken, value) in sorted(worst.items(), key=lambda item: -item[1][0]):
        print(f"{name:17} {taken * 1e3:7.1f} ms  {value[:30]!r} … {value[-30:]!r}")


if __name__ == "__main__":
    main()
