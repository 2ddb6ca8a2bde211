"""postroad itself, as an operator runs it: a settings file, `postroad serve`, the command line."""

import atexit
import getpass
import os
import shutil
import socket
import ssl
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from tests.interop.addresses import free_ports
from tests.interop.certificates import Certificates
from tests.interop.processes import PATIENCE, Daemon, as_root, run, until

PASSWORD: Final = "sw0rdfish and chips"
HOST: Final = "localhost"
_PROGRAM: Final = Path(sys.executable).with_name("postroad")

_SETTINGS: Final = """
hostname = "{hostname}"
data = "{data}"
workers = {workers}
user = "{user}"

[tls]
certificate = "{certificates.certificate}"
key = "{certificates.key}"

[dns]
servers = ["{resolver}:53"]

[sender_auth]
{sender_auth}

[queue]
allow_private_addresses = true
{queue}
"""

_LISTENER: Final = """
[[listener]]
role = "{role}"
address = "{address}:{port}"
tls = "{tls}"
"""


@dataclass(frozen=True, slots=True)
class Ports:
    """Where its listeners are; s as in smtps is TLS from the first octet."""

    smtp: int
    submission: int
    submissions: int
    imap: int
    imaps: int
    pop3: int
    pop3s: int


class Postroad:
    """One whole server, with two workers where nothing else is said, serving ours.test."""

    def __init__(
        self,
        directory: Path,
        certificates: Certificates,
        *,
        resolver: str = "127.0.0.1",
        exchanger: str = "",
        user: str = "",
        workers: int = 2,
        hostname: str = "mx.ours.test",
        sender_auth: str = "enabled = false",
        wrapper: Sequence[str] = (),
        queue: str = "",
        more: str = "",
    ) -> None:
        """With an `exchanger` (an address) it takes mail on port 25 of it, and so is started as root.

        `sender_auth` and `queue` are lines of those tables. A `wrapper` is a command that is to become the
        server; `more` is for the end of its settings.
        """
        self.directory = directory
        self.certificates = certificates
        self.ports = Ports(*free_ports(7))
        self._exchanger = exchanger
        self._wrapper = wrapper
        self._settings = directory / "postroad.toml"
        text = _SETTINGS.format(
            data=directory / "data",
            certificates=certificates,
            resolver=resolver,
            workers=workers,
            hostname=hostname,
            sender_auth=sender_auth,
            queue=queue,
            user=user or (getpass.getuser() if exchanger and os.geteuid() else ""),
        )
        for role, address, port, tls in self._listeners():
            text += _LISTENER.format(role=role, address=address, port=port, tls=tls)
        self._settings.write_text(text + more)

    def _listeners(self) -> list[tuple[str, str, int, str]]:
        ports, local = self.ports, "127.0.0.1"
        public = [("smtp", self._exchanger, 25, "starttls")] if self._exchanger else []
        return [
            *public,
            ("smtp", local, ports.smtp, "starttls"),
            ("submission", local, ports.submission, "starttls"),
            ("submission", local, ports.submissions, "implicit"),
            ("imap", local, ports.imap, "starttls"),
            ("imap", local, ports.imaps, "implicit"),
            ("pop3", local, ports.pop3, "starttls"),
            ("pop3", local, ports.pop3s, "implicit"),
        ]

    def start(self) -> None:
        """Start it and wait until it tells its service manager that it is ready."""
        path = self.directory / "notify"
        path.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            notify.bind(str(path))
            notify.setblocking(False)
            path.chmod(0o666)  # as systemd's is: who drops root still speaks to it
            command = [*self._wrapper, str(_PROGRAM), "serve", "--config", str(self._settings)]
            told = f"NOTIFY_SOCKET={path}"
            command = as_root("env", told, *command) if self._exchanger else ["env", told, *command]
            self._daemon = Daemon(command, self.directory / "postroad.log")
            try:
                self._daemon.until(lambda: b"READY=1" in _datagram(notify), "READY=1 from postroad")
            except AssertionError:
                self._daemon.stop()
                raise

    def stop(self) -> None:
        """End it by SIGTERM; it must end well and must have had no bug to report."""
        status = self._daemon.stop()
        said = self._daemon.said()
        assert status == 0, f"postroad ended with status {status}:\n{said}"
        assert "Traceback" not in said, said

    def kill(self) -> None:
        """End all its processes as a power cut would (SIGKILL)."""
        pids = [self.pid, *self.workers()]
        run(*as_root("kill", "-KILL", *(str(pid) for pid in pids)))
        self._daemon.wait()
        until(lambda: not any(_lives(pid) for pid in pids), "all processes to be gone")

    def workers(self) -> list[int]:
        """The processes that the supervisor has started."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text()
        return [int(pid) for pid in children.split()]

    @property
    def pid(self) -> int:
        """The supervisor's process."""
        return self._daemon.pid

    def log(self) -> str:
        """What it has logged so far."""
        return self._daemon.said()

    def cli(self, *words: str, stdin: str = "", within: float = 2 * PATIENCE) -> str:
        """Run a command of the command line against the running server; it may take so many seconds."""
        return run(_PROGRAM, *words, "--config", self._settings, stdin=stdin, within=within)

    def add_accounts(self, *addresses: str) -> None:
        """Create accounts, all with the same password."""
        for address in addresses:
            self.cli("account", "add", address, stdin=f"{PASSWORD}\n")

    def tls_context(self) -> ssl.SSLContext:
        """For Python's own clients: trusts the authority of the tests and nobody else."""
        return ssl.create_default_context(cafile=str(self.certificates.authority))


@contextmanager
def running(postroad: Postroad) -> Iterator[Postroad]:
    """Run it, with the domain ours.test and the accounts ada@ and bob@."""
    shutil.copytree(_inhabited(), postroad.directory / "data")
    postroad.start()
    try:
        yield postroad
    finally:
        postroad.stop()


@cache
def _inhabited() -> Path:
    """A data directory with a domain and two accounts, made by commands once and copied from then on."""
    directory = Path(tempfile.mkdtemp(prefix="postroad-inhabited-"))
    atexit.register(shutil.rmtree, directory)
    settings = directory / "postroad.toml"
    settings.write_text(f'hostname = "mx.ours.test"\ndata = "{directory / "data"}"\n')
    run(_PROGRAM, "domain", "add", "ours.test", "--config", settings)
    for address in ("ada@ours.test", "bob@ours.test"):
        run(_PROGRAM, "account", "add", address, "--config", settings, stdin=f"{PASSWORD}\n")
    return directory / "data"


def _lives(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def _datagram(notify: socket.socket) -> bytes:
    try:
        return notify.recv(4096)
    except BlockingIOError:
        return b""
