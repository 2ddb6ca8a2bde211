"""The file format of golden dialogues: see README.md beside this file."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

_LINE: Final = re.compile(r"(C|S|T|E|X)([0-9]?):(?: (.*))?")
_OPTION: Final = re.compile(r"@ ([a-z0-9_.-]+): (.*)")
_TOKEN: Final = re.compile(r"\{(CR|LF|NUL|-|\*|\.\.\.|x[0-9A-F]{2}|.\*[0-9]+)\}")
_NAMED: Final = {"CR": b"\r", "LF": b"\n", "NUL": b"\0", "-": b""}

ANY_LINES: Final = "{...}"


@dataclass(frozen=True, slots=True)
class Send:
    """`C:` lines that follow one another: one turn of the client."""

    line: int
    peer: int
    octets: bytes


@dataclass(frozen=True, slots=True)
class Expect:
    """One `S:` line; `pattern` None stands for any number of lines."""

    line: int
    peer: int
    text: str
    pattern: re.Pattern[bytes] | None


@dataclass(frozen=True, slots=True)
class StartTls:
    """`T:` the client begins its TLS handshake."""

    line: int
    peer: int


@dataclass(frozen=True, slots=True)
class ServerCloses:
    """`E:` the server has closed, and said nothing more."""

    line: int
    peer: int


@dataclass(frozen=True, slots=True)
class ClientCloses:
    """`X:` the client closes without a word."""

    line: int
    peer: int


Step: TypeAlias = Send | Expect | StartTls | ServerCloses | ClientCloses


@dataclass(frozen=True, slots=True)
class Script:
    """One file."""

    name: str
    options: dict[str, str]
    steps: tuple[Step, ...]


def load(path: Path) -> Script:
    """Read one file; a line that is none of the format is an error, with its number."""
    options: dict[str, str] = {}
    steps: list[Step] = []
    text = path.read_text(encoding="utf-8")
    if not text.startswith("# RFC ") and not text.startswith("# SAFETY "):
        raise ValueError(f"{path}: the first line names the section that the dialogue shows")
    for number, line in enumerate(text.split("\n"), 1):
        if not line or line.startswith("#"):
            continue
        if option := _OPTION.fullmatch(line):
            options[option[1]] = option[2]
            continue
        found = _LINE.fullmatch(line)
        if found is None:
            raise ValueError(f"{path}:{number}: not a line of a transcript: {line}")
        _append(steps, _step(number, found[1], int(found[2] or 1), found[3] or ""))
    return Script(path.stem, options, tuple(steps))


def scripts(folder: Path) -> list[Script]:
    """Read all `*.txt` of a folder."""
    found = [load(path) for path in sorted(folder.glob("*.txt"))]
    if not found:
        raise FileNotFoundError(f"no transcripts in {folder}")
    return found


def _append(steps: list[Step], step: Step) -> None:
    last = steps[-1] if steps else None
    if isinstance(step, Send) and isinstance(last, Send) and last.peer == step.peer:
        steps[-1] = Send(last.line, last.peer, last.octets + step.octets)
    else:
        steps.append(step)


def _step(number: int, kind: str, peer: int, text: str) -> Step:
    match kind:
        case "C":
            return Send(number, peer, octets(text))
        case "S":
            return Expect(number, peer, text, None if text == ANY_LINES else _pattern(text))
        case "T":
            return StartTls(number, peer)
        case "E":
            return ServerCloses(number, peer)
        case _:
            return ClientCloses(number, peer)


def octets(text: str) -> bytes:
    """What a `C:` line sends: its tokens replaced, CR LF behind it unless it ends in `{-}`."""
    end = b"" if text.endswith("{-}") else b"\r\n"
    parts = _TOKEN.split(text)
    plain = [part.encode() for part in parts[::2]]
    tokens = [_octets_of(token) for token in parts[1::2]]
    mixed = [piece for pair in zip(plain, [*tokens, b""], strict=True) for piece in pair]
    return b"".join(mixed) + end


def _pattern(text: str) -> re.Pattern[bytes]:
    parts = _TOKEN.split(text)
    plain = [re.escape(part.encode()) for part in parts[::2]]
    tokens = [b".*" if token == "*" else re.escape(_octets_of(token)) for token in parts[1::2]]
    mixed = [piece for pair in zip(plain, [*tokens, b""], strict=True) for piece in pair]
    return re.compile(b"".join(mixed), re.DOTALL)


def _octets_of(token: str) -> bytes:
    if token in _NAMED:
        return _NAMED[token]
    if token.startswith("x") and "*" not in token:
        return bytes([int(token[1:], 16)])
    if token in ("*", "..."):
        raise ValueError(f"{{{token}}} stands for what the server says; a client has to say something")
    letter, _, count = token.rpartition("*")
    return letter.encode() * int(count)
