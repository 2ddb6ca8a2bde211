"""getmail takes mail away, or leaves it and knows by its list what it has seen, over POP3 and IMAP."""

from pathlib import Path

import pytest

from tests.interop.messages import message, receive, texts
from tests.interop.postroad_server import HOST, PASSWORD, Postroad
from tests.interop.processes import Daemon, program, run

RETRIEVERS = {"pop3s": "SimplePOP3SSLRetriever", "imaps": "SimpleIMAPSSLRetriever"}
# getmail 6.18.11 misses the end of a child that has ended before it looks, and then waits for a minute.
AWAITED = "until grep -q '^State:.S' /proc/$PPID/status; do sleep 0.1; done; sleep 0.1"


class Getmail:
    """Its settings and lists, and the directory where it drops one file a message."""

    def __init__(self, server: Postroad, directory: Path, way: str, *options: str, more: str = "") -> None:
        self.user = f"{directory.name}@ours.test"
        server.add_accounts(self.user)
        self._server = server
        self._directory = directory
        self._into = directory / "fetched"
        self._into.mkdir()
        lines = [
            "[retriever]",
            f"type = {RETRIEVERS[way]}",
            f"server = {HOST}",
            f"port = {getattr(server.ports, way)}",
            f"username = {self.user}",
            f"password = {PASSWORD}",
            f"ca_certs = {server.certificates.authority}",
            more,
            "[destination]",
            "type = MDA_external",  # as root it delivers in no other way
            "path = /bin/sh",
            f'arguments = ("-c", "cat > $(mktemp {self._into}/XXXXXX); {AWAITED}")',
            "allow_root_commands = true",
            "[options]",
            "verbose = 2",
            *options,
        ]
        (directory / "getmailrc").write_text("\n".join(lines) + "\n")

    def command(self, *options: str) -> list[str]:
        """The command that polls."""
        return [
            "env",
            "PYTHONUNBUFFERED=1",
            program("getmail"),
            "--getmaildir",
            str(self._directory),
            *options,
        ]

    def poll(self, *wrapper: str) -> str:
        """Poll once."""
        said = run(*wrapper, *self.command())
        assert "error" not in said.lower(), said
        return said

    def receive(self, *subjects: str) -> None:
        """Have mail delivered to its account."""
        for subject in subjects:
            receive(self._server, message(subject), self.user)

    def got(self) -> list[str]:
        """The subjects of all that it has fetched."""
        lines = [line for path in self._into.iterdir() for line in path.read_text().splitlines()]
        return sorted(line.removeprefix("Subject: ") for line in lines if line.startswith("Subject: "))

    def left(self, mailbox: str = "INBOX") -> int:
        """How many messages are on the server."""
        return len(texts(self._server, mailbox, self.user))


@pytest.mark.parametrize("way", RETRIEVERS)
def test_getmail_takes_everything_away(module_server: Postroad, tmp_path: Path, way: str) -> None:
    getmail = Getmail(module_server, tmp_path, way, "delete = true")
    getmail.receive("first", "second")

    getmail.poll()

    assert (getmail.got(), getmail.left()) == (["first", "second"], 0)


@pytest.mark.parametrize("way", RETRIEVERS)
def test_getmail_knows_over_a_restart_what_it_has_seen(
    module_server: Postroad, tmp_path: Path, way: str
) -> None:
    getmail = Getmail(module_server, tmp_path, way, "read_all = false", "delete_after = 1")
    getmail.receive("first", "second")
    getmail.poll()
    module_server.stop()
    module_server.start()
    getmail.receive("third")

    getmail.poll()

    assert (getmail.got(), getmail.left()) == (["first", "second", "third"], 3)
    # What it saw two days ago goes; what is new by then is fetched and left.
    getmail.receive("fourth")
    getmail.poll(program("faketime"), "-f", "+2d")
    assert (getmail.got(), getmail.left()) == (["first", "fourth", "second", "third"], 1)


def test_getmail_reads_several_mailboxes_and_files_what_it_read(
    module_server: Postroad, tmp_path: Path
) -> None:
    more = 'mailboxes = ("INBOX", "Junk")\nmove_on_delete = Archive\nimap_search = Unseen'
    getmail = Getmail(module_server, tmp_path, "imaps", "delete = true", more=more)
    getmail.receive("first", "second")

    getmail.poll()

    assert getmail.got() == ["first", "second"]
    assert (getmail.left(), getmail.left("Archive")) == (0, 2)


def test_getmail_waits_in_idle_for_what_comes(module_server: Postroad, tmp_path: Path) -> None:
    getmail = Getmail(module_server, tmp_path, "imaps", "read_all = false")
    getmail.receive("first")
    waiting = Daemon(getmail.command("--trace", "--idle", "INBOX"), tmp_path / "log")

    def idles(times: int) -> bool:
        return waiting.said().count("Entering IDLE mode") == times

    try:
        waiting.until(lambda: idles(1), "that it waits")
        assert getmail.got() == ["first"]
        getmail.receive("second")
        waiting.until(lambda: idles(2), "that it waits again")
        assert getmail.got() == ["first", "second"]
    finally:
        waiting.stop()
