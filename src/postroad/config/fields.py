"""What a setting is, read from the structs: name, kind, default, description.

A setting is declared once, as an annotated field of a msgspec struct. Reading
(`read`), the example (`example`) and `config show` all work from that.
"""

import types
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

import msgspec

from postroad.config.values import format_duration, format_size


class Kind(Enum):
    """How the value of a setting is written in the file."""

    TEXT = auto()
    TEXTS = auto()
    SWITCH = auto()
    CHOICE = auto()
    COUNT = auto()
    """A whole number from 1 up."""
    NATURAL = auto()
    """A whole number from 0 up."""
    SIZE = auto()
    DURATION = auto()
    PATH = auto()
    TABLE = auto()
    TABLES = auto()
    HIDDEN = auto()
    """Not in the file: what is known about the file itself."""


Count: TypeAlias = Annotated[int, Kind.COUNT]
Natural: TypeAlias = Annotated[int, Kind.NATURAL]
Size: TypeAlias = Annotated[int, Kind.SIZE]
Duration: TypeAlias = Annotated[float, Kind.DURATION]


@dataclass(frozen=True, slots=True)
class Field:
    """One setting, or one table of them."""

    name: str
    """As it is written in the file."""
    attribute: str
    kind: Kind
    about: str
    default: Any
    required: bool
    choices: tuple[str, ...] = ()
    struct: type[msgspec.Struct] | None = None
    """What a TABLE or each of the TABLES holds."""


def fields_of(struct: type[msgspec.Struct]) -> Iterator[Field]:
    """Describe the fields of a settings struct, in their order."""
    hints = typing.get_type_hints(struct, include_extras=True)
    for info in msgspec.structs.fields(struct):
        hint: Any = hints[info.name]
        marks: list[Any] = []
        if typing.get_origin(hint) is Annotated:
            hint, *marks = typing.get_args(hint)
        if Kind.HIDDEN in marks:
            continue
        required = info.required
        default = None if required else _default(info)
        kind = next((mark for mark in marks if isinstance(mark, Kind)), None) or _plain_kind(hint)
        yield Field(
            name=info.encode_name,
            attribute=info.name,
            kind=kind,
            about=" ".join(mark for mark in marks if isinstance(mark, str)),
            default=default,
            required=required,
            choices=typing.get_args(hint) if kind is Kind.CHOICE else (),
            struct=_struct(hint, kind),
        )


def written(kind: Kind, value: Any) -> str:
    """Return a value as TOML that reads back to the same value."""
    match kind:
        case Kind.SIZE:
            text = format_size(value)
            return text if text.isdigit() else _quoted(text)
        case Kind.DURATION:
            return _quoted(format_duration(value))
        case Kind.SWITCH:
            return "true" if value else "false"
        case Kind.COUNT | Kind.NATURAL:
            return str(value)
        case Kind.TEXTS:
            return "[" + ", ".join(_quoted(item) for item in value) + "]"
        case _:
            return _quoted("" if value is None else str(value))


def _quoted(text: str) -> str:
    # A TOML basic string and a JSON string agree on every escape that JSON makes.
    return msgspec.json.encode(text).decode()


def _default(info: msgspec.structs.FieldInfo) -> Any:
    if info.default_factory is not msgspec.NODEFAULT:
        return info.default_factory()
    return info.default


def _plain_kind(hint: Any) -> Kind:
    origin = typing.get_origin(hint)
    if origin is Literal:
        return Kind.CHOICE
    if origin is tuple:
        return Kind.TEXTS if typing.get_args(hint)[0] is str else Kind.TABLES
    if hint is bool:
        return Kind.SWITCH
    if hint is Path or (origin in (typing.Union, types.UnionType) and Path in typing.get_args(hint)):
        return Kind.PATH
    if hint is str:
        return Kind.TEXT
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return Kind.TABLE
    raise TypeError(f"a setting cannot be a {hint}")


def _struct(hint: Any, kind: Kind) -> type[msgspec.Struct] | None:
    match kind:
        case Kind.TABLE:
            return typing.cast(type[msgspec.Struct], hint)
        case Kind.TABLES:
            return typing.cast(type[msgspec.Struct], typing.get_args(hint)[0])
        case _:
            return None
