"""The frame: help, unknown commands, exit statuses, which server is meant."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from postroad.cli.main import _NOUNS, cli
from tests.unit.cli.conftest import Shell


def test_help_names_every_command_and_imports_none_of_them() -> None:
    code = (
        "import sys; from postroad.cli.main import run; status = run(['--help']);"
        "print(sorted({'apsw', 'asyncio', 'structlog', 'postroad.config'} & set(sys.modules)));"
        "sys.exit(status)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    *text, modules = done.stdout.rstrip().split("\n")
    assert modules == "[]"
    for noun in _NOUNS:
        assert any(line.startswith(f"  {noun} ") for line in text)
    assert all(len(line) <= 80 for line in text)


@pytest.mark.parametrize("noun", list(_NOUNS))
def test_every_command_has_help_that_fits_80_columns(shell: Shell, noun: str) -> None:
    out = shell.ok(noun, "--help")
    assert out.startswith(f"Usage: postroad {noun} ")
    assert max(map(len, out.split("\n"))) <= 80


def test_a_mistyped_command_is_recognised(shell: Shell) -> None:
    ran = shell("acount", "list")
    assert ran.status == 2
    assert (
        ran.err == 'postroad: there is no command "acount"; did you mean "account"?  (see postroad --help)\n'
    )


@pytest.mark.parametrize(
    "words", [("domain", "add"), ("account", "list", "--nonsense"), ("trace",), ("zzz",)]
)
def test_misuse_is_one_line_and_status_2(shell: Shell, words: tuple[str, ...]) -> None:
    ran = shell(*words)
    assert (ran.status, ran.out, ran.err.count("\n")) == (2, "", 1)


def test_without_a_server_the_way_to_one_is_told(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("POSTROAD_DATA")
    ran = shell("account", "list")
    assert ran.status == 2
    assert "start one with `postroad dev`" in ran.err


def test_a_directory_without_a_store_is_told(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    ran = shell("account", "list", "--data", str(tmp_path / "empty"))
    assert ran.status == 1
    assert "holds no mail store yet; start the server once" in ran.err
    assert list((tmp_path / "empty").iterdir()) == []


def test_the_server_is_said_by_option_environment_or_folder(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def data(*words: str) -> str:
        return str(json.loads(shell.ok("config", "show", "--json", *words))["data"])

    file = tmp_path / "p.toml"
    file.write_text('data = "from-file"\n')
    assert data() == str(shell.data)
    assert data("--config", str(file)) == str(tmp_path / "from-file")
    assert data("--data", "said") == str(tmp_path / "said")
    assert data("--data", "said", "--config", str(file)) == str(tmp_path / "said")
    monkeypatch.setenv("POSTROAD_CONFIG", str(file))
    assert data() == str(tmp_path / "from-file")
    monkeypatch.delenv("POSTROAD_CONFIG")
    monkeypatch.delenv("POSTROAD_DATA")
    (tmp_path / ".postroad-dev").mkdir()
    assert data() == str(tmp_path / ".postroad-dev")


def test_a_bug_is_not_hidden() -> None:
    assert cli.name == "cli"
    code = "from postroad.cli.main import _explain; assert _explain(ValueError('x')) is None"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_what_a_command_makes_is_for_nobody_else_to_read(tmp_path: Path) -> None:
    """Also where the directory was made for all to see."""
    data, settings = tmp_path / "data", tmp_path / "postroad.toml"
    data.mkdir(mode=0o755)
    settings.write_text(f'hostname = "mx.ours.test"\ndata = "{data}"\n')
    code = f"import sys; sys.argv[1:] = ['domain', 'add', 'ours.test', '--config', {str(settings)!r}];"
    code += "from postroad.cli.main import main; main()"
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, umask=0o022)
    made = list(data.rglob("*"))
    assert made
    assert [path.name for path in made if path.stat().st_mode & 0o077] == []
