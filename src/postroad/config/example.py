"""The commented example, written from the structs themselves so that it is always true.

Every setting stands there with its meaning and its default, commented out;
what a real server has to say (its name, its ports) is written out.
"""

import textwrap
from collections.abc import Iterator
from typing import Final

import msgspec

from postroad.config.fields import Field, Kind, fields_of, written
from postroad.config.settings import Listener, Settings

_HEAD: Final = """\
The settings of a postroad server.

Sizes are written "50 MiB" or as a number of octets, durations "5 days", "90 s" or as
a number of seconds. A line that is commented out shows the default. Check this file
with `postroad config check`; `postroad reload` makes a running server take the certificate,
[limits], [queue], [retention], [dkim], [receiving] and [sender_auth] from it anew; the rest needs a restart.
Domains, accounts and aliases are not in here: see `postroad domain --help`.
"""

_STATED: Final = {
    "hostname": "mail.example.org",
    "data": "/var/lib/postroad",
    "user": "postroad",
}

_LISTENERS: Final = (
    ("Mail from other servers.", Listener(role="smtp", address="[::]:25")),
    ("Mail from your users, with a password.", Listener(role="submission", address="[::]:587")),
    ("", Listener(role="submission", address="[::]:465", tls="implicit")),
    ("Reading mail.", Listener(role="imap", address="[::]:993", tls="implicit")),
    ("", Listener(role="pop3", address="[::]:995", tls="implicit")),
)


def example() -> str:
    """Return a settings file for a server at the usual ports; `load` reads it."""
    return "\n".join(_lines())


def show(settings: Settings) -> str:
    """Return settings as a file in which nothing is left to a default."""
    return "\n".join(_table(settings, ""))


def _lines() -> Iterator[str]:
    yield from _comment(_HEAD)
    fields = list(fields_of(Settings))
    for field in fields:
        if field.struct is not None:
            continue
        yield ""
        yield from _comment(field.about)
        if field.name in _STATED:
            yield f"{field.name} = {written(field.kind, _STATED[field.name])}"
        else:
            yield f"# {field.name} = {written(field.kind, field.default)}"
    for field in fields:
        if field.kind is Kind.TABLES:
            yield from _listener_lines(field)
        elif field.struct is not None:
            yield ""
            yield f"[{field.name}]"
            for inner in fields_of(field.struct):
                yield from _comment(inner.about)
                yield f"# {inner.name} = {written(inner.kind, inner.default)}"


def _listener_lines(field: Field) -> Iterator[str]:
    yield ""
    assert field.struct is not None
    for inner in fields_of(field.struct):
        choices = f" ({', '.join(inner.choices)})" if inner.choices else ""
        yield from _comment(f"{inner.name}{choices}: {inner.about}")
    yield from _comment(field.about)
    for about, listener in _LISTENERS:
        yield ""
        if about:
            yield from _comment(about)
        yield f"[[{field.name}]]"
        for inner in fields_of(Listener):
            value = getattr(listener, inner.attribute)
            stated = inner.required or value != inner.default
            yield f"{'' if stated else '# '}{inner.name} = {written(inner.kind, value)}"


def _table(struct: msgspec.Struct, name: str) -> Iterator[str]:
    fields = list(fields_of(type(struct)))
    for field in fields:
        if field.struct is None:
            yield f"{field.name} = {written(field.kind, getattr(struct, field.attribute))}"
    for field in fields:
        value = getattr(struct, field.attribute)
        if field.kind is Kind.TABLE:
            yield from ("", f"[{field.name}]")
            yield from _table(value, field.name)
        elif field.kind is Kind.TABLES:
            for item in value:
                yield from ("", f"[[{field.name}]]")
                yield from _table(item, field.name)


def _comment(text: str) -> Iterator[str]:
    for paragraph in text.rstrip("\n").split("\n"):
        for line in textwrap.wrap(paragraph, 88) or [""]:
            yield f"# {line}".rstrip()
