"""`postroad status`: how the server is doing, on one screen."""

import os
import shutil
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import click

from postroad.backup.last import read_last
from postroad.cli.database import ask
from postroad.cli.here import Here, common, pass_here
from postroad.cli.output import Exit, mark, print_json, safe
from postroad.cli.running import Running, running
from postroad.config.certificate import expires, self_signed_files
from postroad.config.errors import ConfigError
from postroad.config.settings import Settings
from postroad.config.values import about_duration, about_size
from postroad.db.transaction import Reader
from postroad.directory.dkim_keys import unsigned_domains
from postroad.model.address import unicode_domain
from postroad.model.counted import counted
from postroad.queue.spool import depth

_DAY: Final = 86400.0
_SOON_DAYS: Final = 14
_BACKUP_DAYS: Final = 2
"""A nightly backup that did not come is seen on the second day."""


@dataclass(frozen=True, slots=True)
class _Counts:
    """What the database says."""

    domains: int
    accounts: int
    messages: int
    octets: int
    received: int
    sent: int
    refused: int
    queued: int
    """Recipients elsewhere that wait."""
    unsigned: tuple[str, ...]
    """Domains whose mail is not signed, since the DNS does not show their keys."""


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of the screen; `good` None is neither good nor bad."""

    title: str
    text: str
    good: bool | None = None
    todo: str = ""


@click.command()
@common
@pass_here
def status(here: Here) -> int:
    """Show how the server is doing, on one screen.

    The exit status is 0 when all is well, 1 when something needs you, and 3
    when the server does not run.
    """
    settings = here.settings()
    counts = ask(here, lambda reader: _count(reader, time.time() - _DAY))
    found = running(settings.data)
    days = _certificate_days(settings)
    lines = [_server(found), *_processes(found), *_listeners(found), _certificate(settings, days)]
    lines += [*_mail(counts), *_signing(counts), _backup(settings), _disk(settings)]
    if here.json:
        print_json(_facts(settings, found, counts, days))
    else:
        for line in lines:
            _print(line)
    if found is None:
        return Exit.UNREACHABLE
    return Exit.PROBLEM if any(line.good is False for line in lines) else Exit.OK


def _print(line: _Line) -> None:
    sign = " " if line.good is None else mark(line.good)
    click.echo(f"{line.title:<12} {sign} {safe(line.text)}".rstrip())
    if line.todo:
        click.echo(f"{'':<14} {safe(line.todo)}")


def _server(found: Running | None) -> _Line:
    if found is None:
        return _Line("server", "does not run", False, "start it: postroad serve")
    up = about_duration(time.time() - found.started)
    return _Line(
        "server", f"{found.hostname}, postroad {found.version}, process {found.pid}, up {up}", good=True
    )


def _processes(found: Running | None) -> list[_Line]:
    if found is None:
        return []
    workers = children(found.pid)
    memory = sum(resident(pid) for pid in (found.pid, *workers))
    text = f"{len(workers)} of {found.workers}, {about_size(memory)} of memory in all"
    good = len(workers) >= found.workers
    return [_Line("workers", text, good, "" if good else "the log says why a worker ended")]


def _listeners(found: Running | None) -> list[_Line]:
    if found is None:
        return []
    return [
        _Line("listeners" if number == 0 else "", f"{one.role:<11} {one.address:<24} {one.tls}")
        for number, one in enumerate(found.listeners)
    ]


def _certificate_days(settings: Settings) -> int | None:
    certificate = settings.tls.certificate or self_signed_files(settings.data).certificate
    try:
        return (expires(certificate) - datetime.now(UTC)).days
    except ConfigError:
        return None


def _certificate(settings: Settings, days: int | None) -> _Line:
    own = settings.tls.certificate is not None
    what = str(settings.tls.certificate) if own else "self-signed"
    if days is None and not own:
        return _Line("certificate", "self-signed, made when the server starts")
    if days is None:
        return _Line("certificate", f"{what}, cannot be read", False, "see postroad config check")
    if days < 0:
        return _Line("certificate", f"{what}, has expired", False, "put a new one there: postroad reload")
    good = not own or days >= _SOON_DAYS
    return _Line("certificate", f"{what}, {days} days left", good, "" if good else "renew it")


def _mail(counts: _Counts) -> list[_Line]:
    return [
        _Line(
            "accounts",
            f"{counts.accounts} in {counted(counts.domains, 'domain')},"
            f" {counted(counts.messages, 'message')}, {about_size(counts.octets)}",
        ),
        _Line("queue", f"{counted(counts.queued, 'recipient')} waiting"),
        _Line("last 24 h", f"{counts.received} received, {counts.sent} submitted, {counts.refused} refused"),
    ]


def _signing(counts: _Counts) -> list[_Line]:
    if not counts.domains:
        return []
    if not counts.unsigned:
        return [_Line("signing", "mail of all domains is signed (DKIM)", good=True)]
    first, more = counts.unsigned[0], len(counts.unsigned) - 1
    others = f" and {counted(more, 'more domain')}" if more else ""
    text = f"mail of {unicode_domain(first)}{others} is not signed: the DNS shows no key"
    return [_Line("signing", text, todo=f"what to publish: postroad domain dns {first}")]


def _backup(settings: Settings) -> _Line:
    last = read_last(settings.data)
    if last is None:
        wanted = bool(settings.backup.target)
        return _Line("backup", "none yet", False if wanted else None, "make one: postroad backup create")
    age = time.time() - last.made
    good = age < _BACKUP_DAYS * _DAY
    text = f"{about_duration(age, parts=1)} ago, {counted(last.messages, 'message')} in {last.target}"
    return _Line("backup", text, good, "" if good else "make another: postroad backup create")


def _disk(settings: Settings) -> _Line:
    free = shutil.disk_usage(settings.data).free
    wanted = max(settings.limits.free_space, settings.limits.message_size * 3 // 2)
    good = free > wanted
    return _Line(
        "disk",
        f"{about_size(free)} free at {settings.data}",
        good,
        "" if good else f"no mail is taken below {about_size(wanted)}: make room",
    )


def _count(reader: Reader, since: float) -> _Counts:
    kinds: dict[str, int] = {
        str(kind): int(count)
        for kind, count in reader.rows("SELECT kind, count(*) FROM trail WHERE at >= ? GROUP BY kind", since)
    }
    used = reader.row(
        "SELECT count(*), coalesce(sum(messages_used), 0), coalesce(sum(bytes_used), 0) FROM account"
    )
    assert used is not None, "an aggregate always has a row"
    accounts, messages, octets = used
    return _Counts(
        domains=reader.value("SELECT count(*) FROM domain"),
        accounts=accounts,
        messages=messages,
        octets=octets,
        received=kinds.get("in", 0),
        sent=kinds.get("out", 0),
        refused=kinds.get("refused", 0),
        queued=depth(reader),
        unsigned=tuple(unsigned_domains(reader)),
    )


def children(pid: int) -> list[int]:
    """The processes that `pid` has started; none where there is no /proc."""
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except OSError:
        return []
    return [int(word) for word in text.split()]


def resident(pid: int) -> int:
    """Octets of memory that a process holds; what it shares with others is shared out where that is known."""
    process = Path("/proc", str(pid))
    try:
        rollup = (process / "smaps_rollup").read_text()
        return 1024 * sum(int(line.split()[1]) for line in rollup.split("\n") if line.startswith("Pss:"))
    except OSError:
        pass  # a process that gave up root does not show this
    try:
        return int((process / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


def _facts(settings: Settings, found: Running | None, counts: _Counts, days: int | None) -> dict[str, Any]:
    return {
        "running": found is not None,
        "server": found,
        "workers": len(children(found.pid)) if found else 0,
        "certificate_days": days,
        "domains": counts.domains,
        "accounts": counts.accounts,
        "messages": counts.messages,
        "queued": counts.queued,
        "unsigned_domains": counts.unsigned,
        "bytes_used": counts.octets,
        "last_backup": read_last(settings.data),
        "last_day": {"received": counts.received, "submitted": counts.sent, "refused": counts.refused},
        "free_space": shutil.disk_usage(settings.data).free,
    }
