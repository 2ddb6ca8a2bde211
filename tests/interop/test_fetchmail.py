"""fetchmail takes mail away, over POP3 and IMAP."""

from pathlib import Path

import pytest

from tests.interop.messages import message, receive, texts
from tests.interop.postroad_server import HOST, PASSWORD, Postroad
from tests.interop.processes import program, run

FETCHED, NO_MAIL = 0, 1

WAYS = ["pop3", "pop3s", "imap", "imaps"]


class Fetchmail:
    """Its settings, and the directory where it drops one file a message."""

    def __init__(self, server: Postroad, directory: Path, way: str, *options: str) -> None:
        self._settings = directory / "fetchmailrc"
        self._home = directory
        self._into = directory / "fetched"
        self._into.mkdir()
        uidl = "uidl" if way.startswith("pop3") else ""
        secret = "ssl" if way.endswith("s") else "sslproto TLS1.2+"
        words = [
            f"poll {HOST} protocol {way.removesuffix('s')} port {getattr(server.ports, way)} {uidl}",
            f'user "ada@ours.test" password "{PASSWORD}"',
            f"{secret} sslcertck sslcertfile {server.certificates.authority}",
            f'mda "cat > $(mktemp {self._into}/XXXXXX)"',
            *options,
        ]
        self._settings.write_text("\n".join(words) + "\n")
        self._settings.chmod(0o600)

    def run(self, expect: int) -> str:
        """Poll once."""
        return run(
            *(program("fetchmail"), "--nodetach", "--nosyslog", "-v", "-v"),
            *("--fetchmailrc", self._settings, "--pidfile", self._home / "pid"),
            *("--idfile", self._home / "ids"),
            env={"HOME": str(self._home)},
            expect=(expect,),
        )

    def fetched(self) -> str:
        """All that it has fetched."""
        return "".join(path.read_text() for path in self._into.iterdir())


@pytest.mark.parametrize("way", WAYS)
def test_fetchmail_takes_everything_away(server: Postroad, tmp_path: Path, way: str) -> None:
    fetchmail = Fetchmail(server, tmp_path, way)
    receive(server, message("first"))
    receive(server, message("second"))

    fetchmail.run(FETCHED)

    assert "Subject: first" in fetchmail.fetched()
    assert "Subject: second" in fetchmail.fetched()
    assert texts(server) == []
    fetchmail.run(NO_MAIL)


@pytest.mark.parametrize("way", WAYS)
def test_fetchmail_that_keeps_fetches_only_what_is_new(server: Postroad, tmp_path: Path, way: str) -> None:
    fetchmail = Fetchmail(server, tmp_path, way, "keep")
    receive(server, message("first"))

    fetchmail.run(FETCHED)
    fetchmail.run(NO_MAIL)
    receive(server, message("second"))
    fetchmail.run(FETCHED)

    assert fetchmail.fetched().count("Subject: first") == 1
    assert fetchmail.fetched().count("Subject: second") == 1
    assert len(texts(server)) == 2
