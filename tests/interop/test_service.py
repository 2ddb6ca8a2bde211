"""What a service manager and a postmaster do to the processes: stop, kill, reload."""

import os
import re
import signal
import smtplib
import socket
import ssl
import stat
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.interop.addresses import loopback_address
from tests.interop.certificates import make_certificates
from tests.interop.messages import imap, message, receive, texts
from tests.interop.postroad_server import HOST, Postroad, running
from tests.interop.processes import as_root, run, until


class Senders:
    """Strangers who deliver as fast as they can, and know what was accepted."""

    def __init__(self, server: Postroad, count: int = 4) -> None:
        self.accepted: list[str] = []
        self._server = server
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._deliver, args=(name,)) for name in "abcdef"[:count]]

    def _deliver(self, name: str) -> None:
        number = 0
        while not self._over.is_set():
            with (
                suppress(OSError, smtplib.SMTPException),
                smtplib.SMTP(HOST, self._server.ports.smtp, local_hostname="stranger.test") as smtp,
            ):
                while not self._over.is_set():
                    number += 1
                    subject = f"number {name}{number}."
                    smtp.sendmail("s@elsewhere.test", ["ada@ours.test"], message(subject))
                    self.accepted.append(subject)
            self._over.wait(0.1)  # connections, too, are limited in their rate

    @contextmanager
    def at_work(self, until_accepted: int) -> Iterator[None]:
        """Run the body once so many messages were accepted, while more come."""
        for thread in self._threads:
            thread.start()
        try:
            until(lambda: len(self.accepted) >= until_accepted, f"{until_accepted} accepted messages")
            yield
        finally:
            self._over.set()
            for thread in self._threads:
                thread.join()


def subjects(server: Postroad) -> list[str]:
    """The subjects in ada's inbox."""
    with imap(server) as session:
        session.select(readonly=True)
        _, data = session.fetch("1:*", "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])")
    found = (re.search(rb"Subject: (.*)\r\n", item[1]) for item in data if isinstance(item, tuple))
    return [match[1].decode() for match in found if match]


def uid_validity(server: Postroad) -> bytes:
    with imap(server) as session:
        _, said = session.status("INBOX", "(UIDVALIDITY)")
    assert isinstance(said[0], bytes)
    return said[0]


def test_two_workers_serve(server: Postroad) -> None:
    assert len(server.workers()) == 2


def test_a_killed_worker_comes_back(server: Postroad) -> None:
    before = server.workers()
    os.kill(before[0], signal.SIGKILL)

    def look() -> bool:
        now = server.workers()
        return len(now) == 2 and before[0] not in now

    until(look, "a new worker")
    receive(server, message("still here"))
    assert len(texts(server)) == 1


def test_sigterm_under_load_loses_nothing(server: Postroad) -> None:
    senders = Senders(server)
    with senders.at_work(until_accepted=100):
        server.stop()
        server.start()

    got = subjects(server)
    assert set(senders.accepted) <= set(got)
    assert len(got) == len(set(got))


def test_killing_everything_loses_nothing(server: Postroad) -> None:
    before = uid_validity(server)
    senders = Senders(server)
    with senders.at_work(until_accepted=100):
        server.kill()
        server.start()

    got = subjects(server)
    assert set(senders.accepted) <= set(got)
    assert len(got) == len(set(got))
    assert uid_validity(server) == before


def test_sighup_brings_a_new_certificate(tmp_path: Path) -> None:
    server = Postroad(tmp_path, make_certificates(tmp_path, HOST))

    def shown() -> bytes:
        context = ssl._create_unverified_context()  # only looked at, not trusted
        with (
            socket.create_connection(("127.0.0.1", server.ports.imaps)) as plain,
            context.wrap_socket(plain) as secure,
        ):
            return secure.getpeercert(binary_form=True) or b""

    with running(server):
        before = shown()
        make_certificates(tmp_path, HOST)
        os.kill(server.pid, signal.SIGHUP)
        # Connections land on either worker: ten in a row with the new one mean both.
        until(lambda: all(shown() != before for _ in range(10)), "the new certificate")


def test_root_is_dropped_once_the_ports_are_open() -> None:
    uid = run("id", "-u", "nobody").strip()
    directory = Path(tempfile.mkdtemp(prefix="postroad-nobody-"))
    directory.chmod(0o755)
    server = Postroad(
        directory,
        make_certificates(directory, HOST),
        user="nobody",
        exchanger=loopback_address(25),
        wrapper=python_open_to_all(directory),
    )
    try:
        run(*as_root("chown", "-R", uid, str(directory)))
        server.start()
        try:
            for pid in server.workers():
                status = Path(f"/proc/{pid}/status").read_text()
                assert f"Uid:\t{uid}\t{uid}\t{uid}\t{uid}\n" in status
                assert "CapEff:\t0000000000000000" in status
        finally:
            server.stop()
    finally:
        run(*as_root("rm", "-rf", str(directory)))


def python_open_to_all(directory: Path) -> list[str]:
    """A command prefix that gives every user a way to this Python.

    It may be installed where only its owner can go (/root/.pyenv, say). In a mount
    namespace of its own the server then sees that place with an open door.
    """
    ways = [*Path(sys.base_prefix).resolve().parents, *Path(sys.prefix).resolve().parents]
    closed = sorted({way for way in ways if not way.stat().st_mode & stat.S_IXOTH})
    if not closed:
        return []
    script = "set -e; "
    for number, way in enumerate(closed):
        upper, work = directory / f"upper{number}", directory / f"work{number}"
        layers = f"lowerdir={way},upperdir={upper},workdir={work}"
        script += f"mkdir -m 755 {upper} {work}; mount -t overlay overlay -o {layers} {way}; "
    return ["unshare", "--mount", "sh", "-c", script + 'exec "$@"', "sh"]
