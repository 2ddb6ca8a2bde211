"""`postroad config`: the settings file."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import msgspec

from postroad.cli.here import Here, common, pass_here
from postroad.cli.output import Exit, error_line, mark, print_json
from postroad.config.certificate import expires
from postroad.config.errors import ConfigError
from postroad.config.example import example as example_text
from postroad.config.example import show as show_text
from postroad.config.load import missing_files
from postroad.config.settings import Settings

_SOON_DAYS = 14


@click.group(short_help="The settings file: example, check, show.")
def config() -> None:
    """The settings file: where things are, and how much of them.

    Domains, accounts and aliases are not in it; see their own commands.
    """


@config.command()
def example() -> None:
    """Print a settings file with every setting, its meaning and its default."""
    click.echo(example_text())


@config.command()
@common
@click.argument("file", required=False, type=click.Path(dir_okay=False, path_type=Path))
@pass_here
def check(here: Here, file: Path | None) -> int:
    """Find every mistake in a settings file, with its line and what was probably meant."""
    if file is not None:
        here.config = file
    try:
        settings = here.settings()
        mistakes = missing_files(settings) or _certificate_mistakes(settings)
    except ConfigError as error:
        settings, mistakes = None, list(error.mistakes)
    if here.json:
        print_json([{"file": m.file, "line": m.line, "key": m.key, "message": m.message} for m in mistakes])
    elif mistakes:
        for mistake in mistakes:
            error_line(str(mistake))
    elif settings is not None:
        here.say(f"{mark(True)} {settings.source or 'The defaults'}: no mistakes.")
        here.next(f"postroad serve --config {settings.source}" if settings.source else "postroad serve")
    return Exit.CONFIG if mistakes else Exit.OK


@config.command()
@common
@pass_here
def show(here: Here) -> None:
    """Show the settings in force, with nothing left to a default."""
    settings = here.settings()
    if here.json:
        print_json(_builtins(settings))
    else:
        click.echo(show_text(settings))


def _certificate_mistakes(settings: Settings) -> list[ConfigError]:
    if settings.tls.certificate is None:
        return []
    try:
        days = (expires(settings.tls.certificate) - datetime.now(UTC)).days
    except ConfigError as error:
        return [error]
    if days < 0:
        where = str(settings.source or "")
        return [ConfigError(where, 0, "tls.certificate", f"{settings.tls.certificate} has expired")]
    if days < _SOON_DAYS:
        error_line(f"{settings.tls.certificate} expires in {days} days")
    return []


def _builtins(settings: Settings) -> Any:
    return msgspec.to_builtins(settings, enc_hook=str)
