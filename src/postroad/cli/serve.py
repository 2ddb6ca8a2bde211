"""`postroad serve`: run the server in the foreground, as systemd wants it."""

import errno
import time
from collections.abc import Callable, Sequence

import click

from postroad import __version__
from postroad.cli.here import Here, common, pass_here
from postroad.cli.output import Problem, safe
from postroad.cli.running import note_running
from postroad.config.errors import ConfigError, together
from postroad.config.load import missing_files
from postroad.config.settings import Settings
from postroad.mend import CannotMend
from postroad.model.counted import counted
from postroad.net.sockets import BoundListener, CannotListen
from postroad.prepare_start import AlreadyRunning
from postroad.supervisor import run


@click.command()
@common
@pass_here
def serve(here: Here) -> int:
    """Run the server until SIGTERM or Ctrl-C.

    Without a settings file, `--data DIR` serves every protocol on loopback at
    high ports and keeps its mail in DIR.
    """
    settings = here.settings()
    if mistakes := missing_files(settings):
        raise together(mistakes)

    def announce(bound: Sequence[BoundListener]) -> None:
        note_running(settings, bound, time.time())
        here.say(banner(settings, bound))

    return start(settings, announce)


def start(
    settings: Settings,
    announce: Callable[[Sequence[BoundListener]], None],
    *,
    seek_ports: bool = False,
    before_start: Callable[[Settings], None] | None = None,
) -> int:
    """Run the supervisor; what keeps it from starting becomes one line.

    Raises:
        Problem, ConfigError
    """
    try:
        return run(
            settings,
            announce=announce,
            seek_ports=seek_ports,
            before_start=before_start,
            tell=lambda sentence: click.echo(safe(sentence), err=True),
        )
    except AlreadyRunning as error:
        raise Problem(str(error), "stop it first: postroad stop") from None
    except (CannotListen, CannotMend) as error:
        raise Problem(str(error)) from None
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        raise Problem(f"the disk of {settings.data} is full", "make room there and start again") from None
    except ConfigError as error:
        if error.file or settings.source is None:
            raise
        raise ConfigError(str(settings.source), 0, error.key, error.message) from None


def banner(settings: Settings, bound: Sequence[BoundListener]) -> str:
    """Say who serves what where."""
    workers = settings.worker_count
    lines = [
        f"postroad {__version__} · {settings.hostname} · {counted(workers, 'worker')}"
        f" · data in {settings.data}",
        "",
    ]
    for one in bound:
        host = f"[{one.host}]" if ":" in one.host else one.host
        where = one.listener.address if one.listener.is_unix else f"{host}:{one.port}"
        lines.append(f"  {one.listener.role:<11} {where:<24} {one.listener.tls}")
    if settings.tls.certificate is None:
        lines += ["", "  The certificate is self-signed; see [tls] in the settings."]
    return "\n".join([*lines, ""])
