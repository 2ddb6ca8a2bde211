"""A little of every fuzz target with every test run; `make soak` runs a million inputs of each.

SOAK_INPUTS and SOAK_SECONDS (both for each target) make the long run shorter
or longer, SOAK_SEED repeats it.
"""

import os
import resource
from pathlib import Path
from random import SystemRandom
from typing import Final

import pytest

from tests.fuzz.harness import FOUND, NAMES, found, load, run_files, run_seeded

SEEDS: Final = (1, 2, 3)
RUNS: Final = -(-20_000 // (len(SEEDS) * len(NAMES)))
MOST_GROWN: Final = 64 << 10
"""KiB that a million hostile inputs may cost."""


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", NAMES)
def test_seeded_inputs_find_nothing(name: str, seed: int, tmp_path: Path) -> None:
    assert run_seeded(load(name), seed, RUNS, keep=tmp_path) == RUNS


@pytest.mark.parametrize("name", sorted(folder.name for folder in FOUND.iterdir()))
def test_what_was_found_once_stays_mended(name: str) -> None:
    assert found(name)
    run_files(load(name), found(name))


@pytest.mark.soak
@pytest.mark.parametrize("name", NAMES)
def test_a_million_inputs_find_nothing_and_keep_no_memory(name: str, tmp_path: Path) -> None:
    inputs = int(os.environ.get("SOAK_INPUTS", "1000000"))
    seconds = float(os.environ.get("SOAK_SECONDS", "1800"))
    seed = int(os.environ.get("SOAK_SEED", SystemRandom().getrandbits(32)))
    target = load(name)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    tried = run_seeded(target, seed, inputs, keep=tmp_path, seconds=seconds)
    print(f"\n{name}: {tried} inputs from seed {seed}")
    assert tried > 0
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before <= MOST_GROWN
