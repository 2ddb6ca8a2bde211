"""A message of nearly 50 MB passes through in constant memory, in both directions."""

import poplib
import smtplib
import threading
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import pytest

from tests.faults.conftest import Start
from tests.faults.load import ADA
from tests.faults.server import Server
from tests.faults.test_full_disk import log_in
from tests.interop.postroad_server import PASSWORD

BOB: Final = "bob@ours.test"
SIZE: Final = 48 * 1024 * 1024
ROOM: Final = 16 * 1024 * 1024
"""What a worker may take for it, a third of the message."""
_LINE: Final = b"0123456789 and so on, a line as people write them, of some seventy octets\r\n"
BIG: Final = b"From: <ada@ours.test>\r\nSubject: big\r\n\r\n" + _LINE * (SIZE // len(_LINE))


class Watched:
    """Looks at the memory of all workers while something happens.

    Only what is their own counts: pages of a file that is mapped are the
    kernel's cache, which it takes back when it wants to.
    """

    def __init__(self, server: Server) -> None:
        self._pids = server.workers()
        self._before = [_own(pid) for pid in self._pids]
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self.most = 0

    def __enter__(self) -> "Watched":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(0.001):
            now = zip(self._pids, self._before, strict=True)
            self.most = max(self.most, *(_own(pid) - before for pid, before in now))


def _own(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("the kernel does not say RssAnon")


def submit(client: smtplib.SMTP, sender: str, recipient: str) -> None:
    """Send it with the fewest copies on our own side."""
    client.docmd(f"MAIL FROM:<{sender}>")
    client.docmd(f"RCPT TO:<{recipient}>")
    assert client.docmd("DATA")[0] == 354
    client.send(BIG)
    client.send(b".\r\n")
    assert client.getreply()[0] == 250


def by_port_25(server: Server) -> None:
    with smtplib.SMTP("127.0.0.1", server.ports.smtp) as client:
        client.ehlo()
        submit(client, "eve@elsewhere.test", ADA)


def by_submission(server: Server) -> None:
    with smtplib.SMTP("localhost", server.ports.submission) as client:
        client.starttls(context=server.tls_context())
        client.login(ADA, PASSWORD)
        submit(client, ADA, BOB)


def by_append(server: Server) -> None:
    with log_in(server) as client:
        assert client.append("INBOX", "", "", BIG)[0] == "OK"


def by_fetch(server: Server) -> None:
    with log_in(server) as client:
        client.select()
        _, parts = client.fetch("1", "(BODY.PEEK[])")
        assert isinstance(parts[0], tuple)
        assert parts[0][1].endswith(BIG)


def by_pop3(server: Server) -> None:
    with ExitStack() as cleanup:
        client = poplib.POP3_SSL("localhost", server.ports.pop3s, context=server.tls_context())
        cleanup.callback(client.quit)
        client.user(ADA)
        client.pass_(PASSWORD)
        lines = client.retr(1)[1]
        assert BIG.endswith(b"\r\n".join(lines[-1000:]) + b"\r\n")
        assert sum(map(len, lines)) + 2 * len(lines) >= len(BIG)


def by_copy(server: Server) -> None:
    with log_in(server) as client:
        client.select()
        assert client.copy("1", "Archive")[0] == "OK"


@pytest.mark.parametrize(
    "ways",
    [(by_port_25, by_fetch, by_pop3, by_copy), (by_append, by_fetch), (by_submission,)],
    ids=["port 25", "append", "submission"],
)
def test_a_worker_never_holds_the_whole_message(
    start: Start, ways: tuple[Callable[[Server], None], ...]
) -> None:
    server = start()
    for way in ways:
        with Watched(server) as watched:
            way(server)
        assert watched.most < ROOM, f"{way.__name__} took {watched.most} octets"
    server.stop()
