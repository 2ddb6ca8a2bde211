"""Fuzz the IMAP core: framing, grammar, limits.

    python tests/fuzz/fuzz_imap.py [atheris options] [corpus directories]
    python tests/fuzz/fuzz_imap.py --seed 1 --runs 20000

With atheris installed the first form searches by coverage; the second needs
nothing and repeats exactly. A finding is an exception, an answer that depends
on how the network cut the stream, or memory beyond the limits.
"""

import random
import sys
from importlib import import_module
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from postroad.imap.wire.table import RULES, State
from tests.properties.imap_dialogue import MOST_KEPT, SCRAPS, SMALL, Dialogue, check_said

_STATES = tuple(State)
_WORDS = (*(b"a " + name + b" " for name in RULES), *SCRAPS)


def check(data: bytes) -> None:
    """Hold one dialogue against everything that must hold for all; the first octet picks the state."""
    state = _STATES[data[0] % len(_STATES)] if data else State.SELECTED
    stream = data[1:]
    whole, halves = Dialogue(state, SMALL), Dialogue(state, SMALL)
    whole.hear([stream])
    middle = len(stream) // 2
    halves.hear([stream[:middle], stream[middle : middle + 1], stream[middle + 1 :]])
    assert whole.events == halves.events
    assert whole.said == halves.said
    assert whole.core.buffered() <= MOST_KEPT
    check_said(whole.said)
    repr(whole.events)


def make(chance: random.Random) -> bytes:
    """Make a dialogue: words of the protocol strung together, with damage."""
    data = chance.randbytes(1) + b"".join(chance.choices(_WORDS, k=chance.randrange(30)))
    for _ in range(chance.randrange(3)):
        at = chance.randrange(len(data) + 1)
        data = data[:at] + chance.randbytes(chance.randrange(3)) + data[at + chance.randrange(3) :]
    return data


def run_seeded(seed: int, runs: int) -> int:
    """Check `runs` dialogues that follow from the seed."""
    for number in range(runs):
        data = make(random.Random(f"{seed}.{number}"))
        try:
            check(data)
        except Exception:
            print(f"seed {seed}, run {number}: {data!r}", file=sys.stderr)
            raise
    print(f"seed {seed}: {runs} dialogues, nothing found")
    return 0


def main() -> int:
    """Fuzz with atheris, or from a seed when asked to or when it is not there."""
    if "--seed" in sys.argv or "--runs" in sys.argv:
        options = dict(zip(sys.argv[1::2], sys.argv[2::2], strict=False))
        return run_seeded(int(options.get("--seed", "1")), int(options.get("--runs", "20000")))
    try:
        atheris = import_module("atheris")
    except ImportError:
        return run_seeded(1, 20_000)
    atheris.instrument_all()
    atheris.Setup(sys.argv, check)
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main())
