"""`postroad reload` and `postroad stop`: a signal to the running server."""

import os
import select
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

import click

from postroad.cli.here import Here, become_owner, common, pass_here
from postroad.cli.output import Exit, Problem, print_json
from postroad.config.errors import together
from postroad.config.load import missing_files
from postroad.prepare_start import running_pid

_STOP_SECONDS: Final = 30.0
"""Beyond the grace that the server gives its sessions."""


class _Process(NamedTuple):
    """A process by id and by a descriptor that can mean no other."""

    pid: int
    descriptor: int


@click.command()
@common
@pass_here
def reload(here: Here) -> None:
    """Let the running server read its certificate, [limits], [queue] and [retention] again.

    Mistakes are found here first; then the server is left alone. Connections
    that are open go on with what they have. Other settings need a restart.
    """
    settings = here.settings()
    if mistakes := missing_files(settings):
        raise together(mistakes)
    with _server(settings.data) as process:
        signal.pidfd_send_signal(process.descriptor, signal.SIGHUP)
    if here.json:
        print_json({"pid": process.pid})
    here.say(f"Told the server (process {process.pid}) to read its settings again.")


@click.command()
@common
@click.option("--no-wait", is_flag=True, help="Do not wait until it has stopped.")
@pass_here
def stop(here: Here, no_wait: bool) -> None:
    """Stop the running server; sessions finish what they are doing first."""
    data = here.settings().data
    with _server(data) as process:
        signal.pidfd_send_signal(process.descriptor, signal.SIGTERM)
        if not no_wait and not _ended(process):
            raise Problem(f"the server (process {process.pid}) has not stopped yet", "look at its log")
    if here.json:
        print_json({"pid": process.pid})
    here.say("Told the server to stop." if no_wait else "Stopped.")


@contextmanager
def _server(data: Path) -> Iterator[_Process]:
    """The supervisor of a data directory.

    Raises:
        Problem: none runs (exit status 3), or it is somebody else's.
    """
    become_owner(data)
    descriptor = -1
    pid = running_pid(data)
    try:
        # Asked again with the descriptor in hand: the id cannot have gone to another process then.
        if pid is None or (descriptor := os.pidfd_open(pid)) < 0 or running_pid(data) != pid:
            raise Problem(f"no server runs on {data}", status=Exit.UNREACHABLE)
        yield _Process(pid, descriptor)
    except ProcessLookupError:
        raise Problem(f"no server runs on {data}", status=Exit.UNREACHABLE) from None
    except PermissionError:
        raise Problem(f"the server (process {pid}) belongs to another user", "run this as root") from None
    finally:
        if descriptor >= 0:
            os.close(descriptor)


def _ended(process: _Process) -> bool:
    readable, _, _ = select.select([process.descriptor], [], [], _STOP_SECONDS)
    return bool(readable)
