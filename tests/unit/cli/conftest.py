"""The command line, run in this process over a data directory of its own."""

import io
from dataclasses import dataclass
from pathlib import Path

import pytest

from postroad.cli.main import run
from postroad.db.offline import prepare_data
from postroad.directory.domains import add_domain
from postroad.store.offline import open_offline


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command did."""

    status: int
    out: str
    err: str


class Shell:
    """Runs commands as from a script: nothing is a terminal."""

    def __init__(
        self, data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        self.data = data
        self._monkeypatch = monkeypatch
        self._capsys = capsys

    def __call__(self, *words: str, stdin: str = "") -> Ran:
        """Run a command line against the data directory."""
        self._monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        status = run(list(words))
        out, err = self._capsys.readouterr()
        return Ran(status, out, err)

    def ok(self, *words: str, stdin: str = "") -> str:
        """Run a command that must succeed and say nothing on standard error; gives what it prints."""
        ran = self(*words, stdin=stdin)
        assert (ran.status, ran.err) == (0, ""), ran
        return ran.out


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    """A shell over an empty, prepared data directory, said by the environment."""
    data = tmp_path / "data"
    prepare_data(data)
    for name in ("packs", "bus", "spool"):
        (data / name).mkdir(exist_ok=True)
    monkeypatch.setenv("POSTROAD_DATA", str(data))
    monkeypatch.delenv("POSTROAD_CONFIG", raising=False)
    monkeypatch.chdir(tmp_path)
    return Shell(data, monkeypatch, capsys)


@pytest.fixture
def populated(shell: Shell) -> Shell:
    """The same with a domain and two accounts."""
    with open_offline(shell.data) as database:  # without keys, which take their time
        database.write(lambda tx: add_domain(tx, "example.org", who="test"))
    shell.ok("account", "add", "ada@example.org", "--name", "Ada", stdin="correct horse\n")
    shell.ok("account", "add", "bob@example.org", "--no-password")
    return shell
