"""`postroad dev` as a person runs it: banner, the lines it says to try, stop, start again."""

import imaplib
import json
import os
import re
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.unit.cli.conftest import Shell

_PROGRAM = (sys.executable, "-m", "postroad.cli.main")


@contextmanager
def dev(data: Path) -> Iterator[str]:
    """Run it until the end of the block; gives its banner."""
    with subprocess.Popen(
        [*_PROGRAM, "dev", "--data", str(data)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        banner = ""
        while "  Stop " not in banner:
            line = process.stdout.readline()
            assert line, process.communicate()
            banner += line
        try:
            yield banner
        finally:
            if process.poll() is None:
                process.terminate()
            rest, errors = process.communicate()
    assert process.returncode == 0, errors
    assert "Your mail stays in" in rest
    assert "Traceback" not in errors


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data directory that the shell is told of."""
    data = tmp_path / "dev"
    monkeypatch.setenv("POSTROAD_DATA", str(data))
    return data


def test_a_first_contact(shell: Shell, elsewhere: Path) -> None:
    with dev(elsewhere) as banner:
        assert "nothing leaves this machine" in banner
        assert all(len(line) <= 100 for line in banner.split("\n"))
        assert "Accepted as T" in shell.ok(
            "send", "--to", "ada@demo.test", "--subject", "Hello", stdin="Hi\n"
        )
        assert '→ ada@demo.test   "Hello"' in shell.ok("trace", "ada@demo.test")
        assert _subjects(banner, elsewhere) == [b"Subject: Hello\r\n\r\n"]

        ran = shell("send", "--to", "nobody@demo.test", "--subject", "x")
        assert (ran.status, ran.err) == (
            1,
            "postroad: nobody@demo.test: the server says: 550 5.1.1 no such user here\n",
        )
        status = json.loads(shell.ok("status", "--json"))
        assert (status["running"], status["accounts"], status["messages"]) == (True, 2, 1)
        assert status["workers"] == status["server"]["workers"]
        shell.ok("status")
        assert "Told the server" in shell.ok("reload")
        second = subprocess.run(
            [*_PROGRAM, "dev", "--data", str(elsewhere)], capture_output=True, text=True, check=False
        )
        assert second.returncode == 1
        assert "already uses" in second.stderr
        assert shell.ok("stop") == "Stopped.\n"
    assert shell("status").status == 3


def test_mail_to_elsewhere_is_submitted_and_stays(shell: Shell, elsewhere: Path) -> None:
    words = ("send", "--to", "lu@client.example", "--subject", "x", "--body", "text")
    with dev(elsewhere):
        assert "say which account: --from ADDRESS" in shell(*words).err
        assert "Accepted as T" in shell.ok(*words, "--from", "ada@demo.test", stdin="demo\n")
        assert (
            "does not take this name and password"
            in shell(*words, "--from", "ada@demo.test", stdin="x\n").err
        )
        assert "waiting in the queue" in shell.ok("trace", "lu@client.example")


def test_a_taken_port_gives_way_and_mail_is_kept_between_runs(shell: Shell, elsewhere: Path) -> None:
    with socket.socket() as taken:
        try:
            taken.bind(("127.0.0.1", 1143))
            taken.listen()
        except OSError:
            pass  # taken by somebody else: just as well
        with dev(elsewhere) as banner:
            assert "port 1143 is taken; imap is at " in banner
            shell.ok("send", "--to", "bob@demo.test", "--subject", "kept")
    with dev(elsewhere):
        assert json.loads(shell.ok("account", "show", "bob@demo.test", "--json"))["messages_used"] == 1


def test_what_is_changed_while_it_runs_holds_at_once(shell: Shell, elsewhere: Path) -> None:
    with dev(elsewhere):
        assert shell("send", "--to", "eve@demo.test", "--subject", "x").status == 1
        shell.ok("account", "add", "eve@demo.test", "--no-password")
        shell.ok("send", "--to", "eve@demo.test", "--subject", "x")
        shell.ok("account", "suspend", "eve@demo.test")
        assert "550 5.2.1" in shell("send", "--to", "eve@demo.test", "--subject", "x").err


def _subjects(banner: str, data: Path) -> list[bytes]:
    found = re.search(r"imaps://localhost:(\d+)/", banner)
    assert found is not None
    context = ssl.create_default_context(cafile=str(data / "tls" / "self-signed.pem"))
    with imaplib.IMAP4_SSL("localhost", int(found[1]), ssl_context=context) as client:
        client.login("ada@demo.test", "demo")
        client.select("INBOX")
        _, answers = client.fetch("1:*", "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])")
        return [answer[1] for answer in answers if isinstance(answer, tuple)]


def test_root_gives_way_to_the_owner_of_the_data(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        return  # only root can become somebody else; for others there is nothing to give way to
    code = (
        "import os, sys; from pathlib import Path; from postroad.cli.here import become_owner;"
        "become_owner(Path(sys.argv[1])); print(os.geteuid(), os.getegid(), os.getgroups())"
    )
    os.chown(tmp_path, 4711, 4712)
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert done.stdout == "4711 4712 []\n"
