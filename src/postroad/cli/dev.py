"""`postroad dev`: a complete server on loopback with two accounts, for trying it out."""

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click
import msgspec

from postroad import __version__
from postroad.cli.here import DEV_DATA, Here, common, pass_here, program
from postroad.cli.running import note_running
from postroad.cli.serve import start
from postroad.config.certificate import self_signed_files
from postroad.config.settings import Dns, Log, Queue, Settings, defaults
from postroad.db.transaction import Reader, Transaction
from postroad.directory import accounts, credentials, domains
from postroad.directory.credentials import Hasher, PasswordHash
from postroad.directory.errors import NoSuchAccount
from postroad.directory.resolve import is_local_domain
from postroad.net.sockets import BoundListener
from postroad.store.offline import open_offline

DEMO_DOMAIN: Final = "demo.test"
DEMO_ACCOUNTS: Final = (("ada@demo.test", "Ada"), ("bob@demo.test", "Bob"))
DEMO_PASSWORD: Final = "demo"  # noqa: S105 - the banner says it; the server listens on loopback alone
_NO_RESOLVER: Final = "127.0.0.1:1"
_WHO: Final = "postroad dev"


@click.command()
@common
@pass_here
def dev(here: Here) -> int:
    """Start a complete server on this machine: no root, no DNS, no settings.

    It listens on loopback only and sends nothing to other machines. Its mail
    stays in ./.postroad-dev (or --data DIR) from one run to the next.
    """
    data = (here.data or DEV_DATA).absolute()
    settings = dev_settings(data)

    def announce(bound: Sequence[BoundListener]) -> None:
        note_running(settings, bound, time.time())
        here.say(banner(data, bound))

    status = start(settings, announce, seek_ports=True, before_start=prepare)
    here.say(f"Stopped. Your mail stays in {_short(data)}.")
    return status


def dev_settings(data: Path) -> Settings:
    """Loopback, high ports, no way out; warnings only, so that the banner stays in sight."""
    return msgspec.structs.replace(
        defaults(data),
        hostname="localhost",
        dns=Dns(servers=(_NO_RESOLVER,), timeout=1.0),
        queue=Queue(remote=False),
        log=Log(level="warning"),
    )


def prepare(settings: Settings) -> None:
    """Make the demo accounts where they are not there yet, and keep the folder out of version control."""
    ignore = settings.data / ".gitignore"
    if not ignore.exists():
        ignore.write_text("*\n")
    with open_offline(settings.data) as database:
        missing = database.read(lambda reader: [a for a in DEMO_ACCOUNTS if not _exists(reader, a[0])])
        if missing:
            hashed = Hasher().hash(DEMO_PASSWORD, allow_weak=True)
            database.write(lambda tx: _add(tx, missing, hashed))


def _exists(reader: Reader, address: str) -> bool:
    try:
        accounts.account(reader, address)
    except NoSuchAccount:
        return False
    return True


def _add(tx: Transaction, missing: Sequence[tuple[str, str]], hashed: PasswordHash) -> None:
    if not is_local_domain(tx, DEMO_DOMAIN):
        domains.add_domain(tx, DEMO_DOMAIN, who=_WHO)
    for address, name in missing:
        accounts.add_account(tx, address, who=_WHO, name=name)
        credentials.set_password(tx, address, hashed, who=_WHO)


def banner(data: Path, bound: Sequence[BoundListener]) -> str:
    """What to do with it now; every line works as it stands."""
    ports: dict[tuple[str, str], int] = {(one.listener.role, one.listener.tls): one.port for one in bound}
    certificate = _short(self_signed_files(data).certificate)
    first, second = (address for address, _ in DEMO_ACCOUNTS)
    option = "" if data == DEV_DATA.absolute() else f" --data {_short(data)}"
    lines = [
        f"postroad {__version__} · dev mode · data in {_short(data)} · nothing leaves this machine",
        "",
        f"  SMTP    localhost:{ports['smtp', 'starttls']:<6} takes mail for {DEMO_DOMAIN}, no log-in",
        _two("Submit", ports, "submission", "STARTTLS"),
        _two("IMAP", ports, "imap", "STARTTLS"),
        _two("POP3", ports, "pop3", "STLS"),
        f"  Log in  {first}  {second}   password: {DEMO_PASSWORD}",
        f"  TLS     self-signed: {certificate}",
    ]
    for one in bound:
        if one.moved:
            lines.append(f"  Note    port {one.listener.port} is taken; {one.listener.role} is at {one.port}")
    lines += [
        "",
        f"  Try     {program()} send --to {first} --subject Hello{option}",
        f"          swaks --server localhost:{ports['smtp', 'starttls']} --to {second}",
        f"          curl --cacert {certificate} --user {first}:{DEMO_PASSWORD} \\",
        f"            'imaps://localhost:{ports['imap', 'implicit']}/INBOX;MAILINDEX=1'",
        f"          {program()} trace {first}{option}",
        "  Stop    Ctrl-C     Keep this folder and your mail stays.",
        "",
    ]
    return "\n".join(lines)


def _two(title: str, ports: dict[tuple[str, str], int], role: str, upgrade: str) -> str:
    plain, tls = ports[role, "starttls"], ports[role, "implicit"]
    return f"  {title:<7} localhost:{plain:<6} {upgrade:<8}   localhost:{tls:<6} TLS"


def _short(path: Path) -> str:
    """A path as one would type it here."""
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("..") else f"./{relative}"
