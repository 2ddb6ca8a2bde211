"""Which server a command is about, and the options that every command has.

`--data DIR` or `--config FILE` say it; else POSTROAD_DATA or POSTROAD_CONFIG;
else the development server of this folder, ./.postroad-dev; else the
settings at /etc/postroad/postroad.toml.
"""

import os
import pwd
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import click
import msgspec

from postroad.cli.output import Exit, Problem
from postroad.config.load import load
from postroad.config.settings import Settings, defaults

DEV_DATA: Final = Path(".postroad-dev")
SYSTEM_CONFIG: Final = Path("/etc/postroad/postroad.toml")

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(slots=True)
class Here:
    """What the common options said."""

    data: Path | None = None
    config: Path | None = None
    json: bool = False
    quiet: bool = False

    def settings(self) -> Settings:
        """The settings of the server that is meant.

        Raises:
            Problem: nothing says which.
            ConfigError: its file has mistakes.
        """
        data = self.data or _from_environment("POSTROAD_DATA")
        config = self.config or (None if self.data else _from_environment("POSTROAD_CONFIG"))
        if config is not None:
            settings = load(config)
            return msgspec.structs.replace(settings, data=self.data.absolute()) if self.data else settings
        if data is not None:
            return defaults(data)
        if DEV_DATA.is_dir():
            return defaults(DEV_DATA)
        if SYSTEM_CONFIG.exists():
            return load(SYSTEM_CONFIG)
        raise Problem(
            "no server is set up here",
            "start one with `postroad dev`, or say which with --data DIR or --config FILE",
            status=Exit.USAGE,
        )

    def say(self, text: str) -> None:
        """Print a line for a person, unless they asked for quiet or for JSON."""
        if not self.quiet and not self.json:
            click.echo(text)

    def next(self, command: str) -> None:
        """Say what is worth doing next; it can be typed as it stands."""
        self.say(f"Next    {command.replace('postroad', program(), 1)}")


def program() -> str:
    """How this program is called here: by its name, or by its path where the name is not found."""
    if Path(sys.argv[0]).name != "postroad" or shutil.which("postroad"):
        return "postroad"
    path = os.path.relpath(sys.argv[0])
    return sys.argv[0] if path.startswith("..") else path


def common(command: F) -> F:
    """Add the options that every command has; they are found in its `Here`."""
    for option in reversed(_COMMON):
        command = option(command)
    return command


def _note(name: str) -> Callable[[click.Context, click.Parameter, Any], None]:
    def note(context: click.Context, _: click.Parameter, value: Any) -> None:
        here = context.ensure_object(Here)
        if value:
            setattr(here, name, value)

    return note


_COMMON: Final = (
    click.option(
        "--data",
        type=click.Path(file_okay=False, path_type=Path),
        metavar="DIR",
        help="The data directory of the server.",
        expose_value=False,
        callback=_note("data"),
    ),
    click.option(
        "--config",
        type=click.Path(dir_okay=False, path_type=Path),
        metavar="FILE",
        help="Its settings file.",
        expose_value=False,
        callback=_note("config"),
    ),
    click.option("--json", is_flag=True, help="Print JSON.", expose_value=False, callback=_note("json")),
    click.option(
        "-q",
        "--quiet",
        is_flag=True,
        help="Print only what was asked for.",
        expose_value=False,
        callback=_note("quiet"),
    ),
)
pass_here: Final = click.make_pass_decorator(Here, ensure=True)


def _from_environment(name: str) -> Path | None:
    value = os.environ.get(name)
    return Path(value) if value else None


def become_owner(data: Path) -> None:
    """As root, become the owner of a data directory for good.

    Otherwise the database would grow files that the server may not touch.
    """
    if os.geteuid() != 0 or not data.exists():
        return
    status = data.stat()
    if status.st_uid == 0:
        return
    try:
        os.initgroups(pwd.getpwuid(status.st_uid).pw_name, status.st_gid)
    except KeyError:
        os.setgroups([])  # a number without a name, as in containers
    os.setgid(status.st_gid)
    os.setuid(status.st_uid)


def operator() -> str:
    """Who is changing things, for the record: the person behind sudo where there is one."""
    return os.environ.get("SUDO_USER") or user_name(os.getuid())


def user_name(uid: int | None = None) -> str:
    """The name of a user, by default of this process."""
    number = os.geteuid() if uid is None else uid
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"user {number}"
