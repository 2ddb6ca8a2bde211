"""Debian's OpenSSH server on loopback, with keys of its own, for whoever runs the tests."""

import getpass
import os
import signal
from contextlib import suppress
from pathlib import Path

from tests.interop.addresses import free_ports
from tests.interop.processes import Daemon, answers, program, run

_CONFIG = """
ListenAddress 127.0.0.1:{port}
HostKey {folder}/host
AuthorizedKeysFile {folder}/authorized
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
Subsystem sftp internal-sftp
"""


class SshServer:
    """One sshd; the user who runs the tests may log in with the key `client`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.host = "127.0.0.1"
        (self.port,) = free_ports(1)
        self.user = getpass.getuser()
        self.client_key = folder / "client"
        self.known_hosts = folder / "known_hosts"
        for name in ("host", "client", "stranger"):
            run(program("ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-f", folder / name)
        (folder / "authorized").write_text((folder / "client.pub").read_text())
        (folder / "sshd.conf").write_text(_CONFIG.format(port=self.port, folder=folder))
        self.know("host")

    def know(self, key: str) -> None:
        """Have the client know this key, and no other, as that of the host."""
        public = (self.folder / f"{key}.pub").read_text()
        self.known_hosts.write_text(f"[{self.host}]:{self.port} {public}")

    def url(self, folder: Path) -> str:
        """A target on it."""
        return f"ssh://{self.user}@{self.host}:{self.port}{folder}"

    def start(self) -> None:
        """Start it and wait until it answers."""
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # sshd insists, and only its unit makes it
        command = [program("sshd"), "-D", "-e", "-f", str(self.folder / "sshd.conf")]
        self._daemon = Daemon(command, self.folder / "sshd.log")
        self._daemon.until(lambda: answers(self.host, self.port), "sshd to listen")

    def cut(self) -> None:
        """Kill the sessions that it has, as a cable would that is pulled."""
        for pid in reversed(_below(self._daemon.pid)):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def stop(self) -> None:
        """End it."""
        self._daemon.stop()


def _below(pid: int) -> list[int]:
    """The processes that a process has started, and theirs."""
    try:
        children = [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except FileNotFoundError:
        return []
    return [*children, *(one for child in children for one in _below(child))]
