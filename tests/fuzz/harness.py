"""What all fuzz targets share: inputs from a seed, inputs by coverage, and what is kept of a finding.

A target is a file `fuzz_NAME.py` beside this one. It says how an input is made
and what must hold of every input; an exception is a finding. `__main__` runs
one target by hand, `test_seeded` a little of each with every test run.
"""

import random
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
FOUND: Final = HERE / "found"
"""Inputs that found something once, in a folder for each target; they are run with every test run."""
NAMES: Final = tuple(sorted(path.stem.removeprefix("fuzz_") for path in HERE.glob("fuzz_*.py")))

_LONGEST: Final = 1 << 14
_FIRST: Final = 100
"""Inputs that an empty corpus begins with."""
_HUNG: Final = 60
"""Seconds after which one input counts as a finding; a busy machine must stay well below."""


@dataclass(frozen=True, slots=True)
class Target:
    """What one fuzz target has of its own."""

    check: Callable[[bytes], None]
    """Holds one input against everything that must hold for all."""
    make: Callable[[random.Random], bytes]
    """Makes an input that gets far before it goes wrong."""
    corpus: Sequence[Path] = ()
    """Files to start from."""


def load(name: str) -> Target:
    """Find the target in `fuzz_NAME.py`."""
    target = import_module(f"tests.fuzz.fuzz_{name}").TARGET
    assert isinstance(target, Target)
    return target


def found(name: str) -> list[Path]:
    """The inputs that found something in a target, long mended."""
    return sorted((FOUND / name).glob("*"))


def run_seeded(target: Target, seed: int, runs: int, *, keep: Path, seconds: float | None = None) -> int:
    """Check `runs` inputs that follow from the seed, or as many as the time allows; return how many.

    The input of a finding is kept in the folder `keep`.
    """
    end = None if seconds is None else time.monotonic() + seconds
    for number in range(runs):
        if end is not None and time.monotonic() >= end:
            return number
        data = target.make(random.Random(f"{seed}.{number}"))
        try:
            target.check(data)
        except Exception as error:
            error.add_note(f"seed {seed}, input {number}, kept in {_keep(data, keep)}")
            raise
    return runs


def run_files(target: Target, paths: Sequence[Path]) -> None:
    """Check inputs that were kept."""
    for path in paths:
        target.check(path.read_bytes())


def run_coverage(name: str, *, keep: Path, seconds: float | None, options: Sequence[str] = ()) -> None:
    """Search by coverage with atheris, which ends the process when the time is over or it found something.

    Raises ModuleNotFoundError where atheris is not installed.
    """
    atheris = import_module("atheris")
    with atheris.instrument_imports(include=["postroad"]):
        target = load(name)

    def mutate(data: bytes, longest: int, seed: int) -> bytes:
        if seed % 4 == 0:
            return target.make(random.Random(seed))[:longest]
        mutated = atheris.Mutate(data, longest)
        assert isinstance(mutated, bytes)
        return mutated

    corpus = keep / name
    if not corpus.exists():
        for number in range(_FIRST):
            _keep(target.make(random.Random(f"0.{number}")), corpus)
    arguments = [sys.argv[0], f"-artifact_prefix={keep}/{name}-", f"-max_len={_LONGEST}", f"-timeout={_HUNG}"]
    if seconds is not None:
        arguments.append(f"-max_total_time={seconds:.0f}")
    if seeds := [*target.corpus, *found(name)]:
        arguments.append("-seed_inputs=" + ",".join(map(str, seeds)))
    atheris.Setup([*arguments, *options, str(corpus)], target.check, custom_mutator=mutate)
    atheris.Fuzz()


def _keep(data: bytes, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / sha256(data).hexdigest()[:16]
    path.write_bytes(data)
    return path
