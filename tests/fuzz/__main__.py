"""Fuzz one target.

    python -m tests.fuzz NAME [--seconds N] [options of libFuzzer]
    python -m tests.fuzz NAME --seed 1 [--runs 20000] [--seconds N]
    python -m tests.fuzz NAME FILE...

The first form searches by coverage where atheris is installed, else from a
random seed. The second needs nothing and repeats exactly. The third checks
inputs that were kept; they and what coverage learned lie in .fuzz.
"""

import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from pathlib import Path
from random import SystemRandom

from tests.fuzz.harness import NAMES, load, run_coverage, run_files, run_seeded


def main() -> int:
    """Do what the command line says."""
    parser = ArgumentParser("tests.fuzz", description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=NAMES)
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--runs", type=int)
    parser.add_argument("--keep", type=Path, default=Path(".fuzz"))
    given, options = parser.parse_known_args()

    if given.files:
        run_files(load(given.name), given.files)
        print(f"{len(given.files)} inputs, nothing found")
        return 0
    if given.seed is None and given.runs is None:
        try:
            run_coverage(given.name, keep=given.keep, seconds=given.seconds, options=options)
        except ModuleNotFoundError as error:
            if error.name != "atheris":
                raise
    seed = SystemRandom().getrandbits(32) if given.seed is None else given.seed
    runs = given.runs or (20_000 if given.seconds is None else sys.maxsize)
    done = run_seeded(load(given.name), seed, runs, keep=given.keep, seconds=given.seconds)
    print(f"seed {seed}: {done} inputs, nothing found")
    return 0


if __name__ == "__main__":
    sys.exit(main())
