"""The pytest plugin as other projects meet it: it costs them nothing, and works when they ask."""

import subprocess
import sys
from pathlib import Path


def pytest_run(folder: Path, text: str, *options: str) -> str:
    """Run a project of one test file with postroad installed, in a process of its own."""
    (folder / "test_it.py").write_text(text)
    (folder / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options, str(folder)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_nothing_of_the_server_is_imported_before_it_is_asked_for(tmp_path: Path) -> None:
    said = pytest_run(
        tmp_path,
        "import sys\n"
        "def test_lean():\n"
        "    ours = sorted(name for name in sys.modules if name.startswith('postroad'))\n"
        "    assert ours == ['postroad', 'postroad.testing', 'postroad.testing.plugin']\n"
        "    assert not {'apsw', 'uvloop', 'aiodns', 'structlog', 'cryptography'} & sys.modules.keys()\n",
    )
    assert "1 passed" in said


def test_the_fixture_is_a_mail_server(tmp_path: Path) -> None:
    said = pytest_run(
        tmp_path,
        "import smtplib\n"
        "def test_mail(mail_world):\n"
        "    mail_world.add_account('ada@demo.test')\n"
        "    with smtplib.SMTP('127.0.0.1', mail_world.port('smtp')) as client:\n"
        "        client.sendmail('app@example.org', ['ada@demo.test'], 'Subject: Welcome\\n\\nHi.\\n')\n"
        "    message = mail_world.mailbox('ada@demo.test').wait('Welcome')\n"
        "    assert message.text.strip() == 'Hi.'\n",
    )
    assert "1 passed" in said


def test_the_fixture_is_listed(tmp_path: Path) -> None:
    assert "mail_world" in pytest_run(tmp_path, "def test_nothing():\n    pass\n", "--fixtures")
