"""`postroad`: the command line. Nouns are imported when they are used, so that help is instant."""

import gc
import importlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, NamedTuple

import click

from postroad import __version__
from postroad.cli.output import Exit, Problem, error_line
from postroad.obs import multiprocess


class _Noun(NamedTuple):
    module: str
    help: str


_NOUNS: Final = {
    "dev": _Noun("dev", "Start a complete server on this machine, for trying it out."),
    "serve": _Noun("serve", "Run the server."),
    "status": _Noun("status", "Show how the server is doing, on one screen."),
    "reload": _Noun("signals", "Let the running server read its certificate and limits again."),
    "stop": _Noun("signals", "Stop the running server; nothing under way is lost."),
    "config": _Noun("config", "The settings file: example, check, show."),
    "domain": _Noun("domain", "Domains that mail is taken for."),
    "spf": _Noun("spf", "Which hosts may send mail for a domain, explained."),
    "dmarc": _Noun("dmarc", "Whether the domain in From vouches for a message, explained."),
    "dkim": _Noun("dkim", "Keys that mail is signed with, and signatures explained."),
    "arc": _Noun("arc", "Chains that servers on the way have sealed, explained."),
    "account": _Noun("account", "Accounts: people with a mailbox and a password."),
    "mailbox": _Noun("mailbox", "Mailboxes that others may use."),
    "alias": _Noun("alias", "Addresses whose mail goes to others; catch-alls."),
    "route": _Noun("route", "Ways for mail to others than by MX records."),
    "greylist": _Noun("greylist", "Senders that wait, and those that need not."),
    "suppression": _Noun("suppression", "Addresses that are not written to any more."),
    "queue": _Noun("queue", "Mail that is on its way out."),
    "report": _Noun("report", "What other servers report about your domains."),
    "trace": _Noun("trace", "Tell what happened to a message."),
    "send": _Noun("send", "Send a message through the running server."),
    "backup": _Noun("backup", "Backups: create, list, verify, restore."),
    "store": _Noun("store", "The mail store: check, rebuild, upgrade, downgrade."),
}


_SERVERS: Final = ("dev", "serve")


class _Nouns(click.Group):
    """A group that knows the names and one-line helps of its commands without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_NOUNS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        noun = _NOUNS.get(cmd_name)
        if noun is None:
            return None
        if cmd_name in _SERVERS:
            multiprocess.share()  # before anything counts
            gc.disable()  # until all is loaded (`supervisor.run`): next to nothing of that is rubbish
        with _hidden("rich"):
            module = importlib.import_module(f"postroad.cli.{noun.module}")
        command = vars(module)[cmd_name]
        assert isinstance(command, click.Command), f"postroad.cli.{noun.module} has no command {cmd_name}"
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in _NOUNS and not args[0].startswith("-"):
            from postroad.config.errors import nearest  # only for the mistaken

            meant = nearest(args[0], _NOUNS)
            hint = f'did you mean "{meant}"?' if meant else "see postroad --help"
            ctx.fail(f'there is no command "{args[0]}"; {hint}')
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, noun.help) for name, noun in _NOUNS.items()])


@contextmanager
def _hidden(package: str) -> Iterator[None]:
    """Let a package seem not to be installed.

    structlog imports rich where it can, for a console that nobody has here: a tenth of a start. What does
    need rich (`cli.progress`) imports it when it is wanted.
    """
    missing = sys.modules.setdefault(package, None) is None  # type: ignore[arg-type]  # is what None means there
    try:
        yield
    finally:
        if missing:
            del sys.modules[package]


@click.group(
    cls=_Nouns,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80},
    epilog="First steps:  postroad dev",
)
@click.version_option(__version__, message="postroad %(version)s")
def cli() -> None:
    """A complete mail server: receives, stores, serves and sends mail."""


def main() -> None:
    """The entry point of the program: every expected error is one line and an exit status."""
    os.umask(0o077)  # whatever a command makes holds mail, hashes or keys
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command line; give its exit status."""
    try:
        result = cli.main(arguments, prog_name="postroad", standalone_mode=False)
        sys.stdout.flush()
        return result if isinstance(result, int) else Exit.OK
    except click.exceptions.Exit as left:
        return left.exit_code
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx else "postroad"
        error_line(f"{error.format_message().rstrip('.')}  (see {command} --help)")
        return Exit.USAGE
    except (click.Abort, KeyboardInterrupt):
        return 130
    except BrokenPipeError:
        # The reader (head, less) has seen enough; Python would complain again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.OK
    except Problem as problem:
        error_line(str(problem))
        return problem.status
    except Exception as error:
        status = _explain(error)
        if status is None:
            raise
        return status


def _explain(error: Exception) -> int | None:
    """Print what an expected error says; None when it is not one of those."""
    # Not at the top: a command that goes well needs none of them.
    from postroad.config.errors import ConfigError

    if isinstance(error, ConfigError):
        for mistake in error.mistakes:
            error_line(str(mistake))
        return Exit.CONFIG
    from postroad.backup.errors import BackupError
    from postroad.db.copies import NoRoomToUpgrade
    from postroad.db.migrate import WrongSchema
    from postroad.db.unfinished import UnfinishedRestore
    from postroad.directory.errors import DirectoryError
    from postroad.model.refusal import Unavailable
    from postroad.store.errors import StoreError

    if isinstance(error, (WrongSchema, UnfinishedRestore)):
        error_line(str(error))
        return Exit.CONFIG  # a service manager need not try again
    if isinstance(error, (DirectoryError, StoreError, BackupError, NoRoomToUpgrade, Unavailable)):
        error_line(str(error))
        return Exit.PROBLEM
    return None


if __name__ == "__main__":
    main()
