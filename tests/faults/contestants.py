"""The servers that are compared: postroad, and Postfix with Dovecot, to be struck and started again."""

import os
import shutil
import signal
import ssl
from pathlib import Path
from typing import Final, Protocol

from bench.servers.peers import DOMAIN, Peers
from tests.faults.conftest import end, people
from tests.faults.crash import UNLIMITED
from tests.faults.load import ADA
from tests.faults.server import Server
from tests.faults.target import Target
from tests.interop.certificates import Certificates
from tests.interop.processes import program, run, until

NAMES: Final = {
    "postroad": "postroad",
    "mdbox": "Postfix + Dovecot mdbox",
    "maildir": "Postfix + Dovecot maildir",
}


class Contestant(Target, Protocol):
    """One of them."""

    login: str

    def start(self) -> None:
        """Start it and wait until it answers."""

    def strike(self) -> None:
        """Kill every process of it, now, and wait until they are gone."""

    def settle(self) -> None:
        """Wait until what it has taken is where it can be read."""

    def mend(self) -> None:
        """Do what its makers advise when mail seems to be missing."""

    def end(self) -> None:
        """Kill it for good."""


class Ours:
    """postroad with two workers; its data lie in `directory`."""

    def __init__(self, directory: Path, certificates: Certificates) -> None:
        self.login = ADA
        self._server = Server(directory, certificates, more=UNLIMITED)
        self.ports = self._server.ports
        people(directory / "data", ADA)

    def tls_context(self) -> ssl.SSLContext:
        return self._server.tls_context()

    def start(self) -> None:
        self._server.start()

    def strike(self) -> None:
        self._server.strike()
        self._server.wait_until_gone()

    def settle(self) -> None:
        pass  # what was acknowledged is in its mailbox

    def mend(self) -> None:
        pass  # `store check` only looks

    def end(self) -> None:
        end(self._server)


class Theirs:
    """Postfix with LMTP to Dovecot, all of both in `directory`, with their own defaults for durability."""

    def __init__(self, directory: Path, certificates: Certificates, form: str) -> None:
        self.login = f"{form}-u0@{DOMAIN}"
        self._certificates = certificates
        self._directory = directory
        self._peers = Peers(directory, certificates, "far@away.test", "127.0.0.1")
        self.ports = self._peers.ports
        # Whatever of Postfix finds something odd in the queue at a start wants to log it, as its own user.
        log = directory / "postfix/mail.log"
        log.touch()
        shutil.chown(log, "postfix")

    def tls_context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self._certificates.authority))

    def start(self) -> None:
        self._peers.start()

    def strike(self) -> None:
        until(self._all_killed, "all processes to be gone")
        self._peers.killed()

    def settle(self) -> None:
        config = ("-c", str(self._directory / "postfix/etc"))

        def is_empty() -> bool:
            run(program("postqueue"), *config, "-f")
            return "is empty" in run(program("postqueue"), *config, "-p")

        until(is_empty, "the queue to be empty", within=120)

    def mend(self) -> None:
        config = ("-c", str(self._directory / "dovecot/dovecot.conf"))
        run(program("doveadm"), *config, "force-resync", "-u", self.login, "INBOX", expect=(0, 65))

    def end(self) -> None:
        self.strike()
        self._peers.tree.remove()

    def _all_killed(self) -> bool:
        # They fork while they are killed, so again until none is left.
        pids = self._peers.tree.pids()
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        return not pids


def contestant(name: str, directory: Path, certificates: Certificates) -> Contestant:
    """Lay one out; it is not started yet."""
    return Ours(directory, certificates) if name == "postroad" else Theirs(directory, certificates, name)
