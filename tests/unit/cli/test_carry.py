"""`postroad account export` and `import` from the command line."""

import json
from pathlib import Path

from tests.unit.cli.conftest import Shell

MAIL = b"From: a@b.test\nSubject: one\n\nHello.\n"


def mbox(path: Path, *messages: bytes) -> Path:
    line = b"From eve@elsewhere.test Sat Jan  3 01:05:34 1998\n"
    path.write_bytes(b"".join(line + message + b"\n" for message in messages))
    return path


def test_mail_comes_in_and_goes_out_again(populated: Shell, tmp_path: Path) -> None:
    source = mbox(tmp_path / "inbox", MAIL, MAIL.replace(b"one", b"two"))
    said = populated.ok("account", "import", "ada@example.org", str(source))
    assert said == "✓ Took 2 messages into ada@example.org (mbox).\n"
    said = populated.ok("account", "import", "ada@example.org", str(source))
    assert said == "✓ Took 0 messages into ada@example.org (mbox), 2 were there already.\n"
    out = tmp_path / "out"
    said = populated.ok("account", "export", "ada@example.org", str(out))
    assert said == f"✓ Wrote 2 messages of ada@example.org to {out} (maildir).\n"
    assert len(list((out / "cur").iterdir())) == 2
    assert oct(out.stat().st_mode & 0o777) == "0o700"
    facts = json.loads(populated.ok("account", "import", "bob@example.org", str(out), "--json"))
    assert facts == {
        "address": "bob@example.org",
        "format": "maildir",
        "full": False,
        "mailboxes": 0,
        "messages": 2,
        "present": 0,
        "bad": [],
    }


def test_what_is_damaged_is_named_and_the_status_says_so(populated: Shell, tmp_path: Path) -> None:
    source = mbox(tmp_path / "inbox", MAIL, b"\xff\x1b[2J\n", MAIL.replace(b"one", b"two"))
    ran = populated("account", "import", "ada@example.org", str(source))
    assert ran.status == 1
    assert ran.out == (
        "✕ INBOX, message 2: has no header field, so it is no message\n"
        "✕ Took 2 messages into ada@example.org (mbox).\n"
    ).replace("✕", "\N{MULTIPLICATION X}")


def test_nothing_is_ever_written_over(populated: Shell, tmp_path: Path) -> None:
    out = tmp_path / "out"
    populated.ok("account", "export", "ada@example.org", str(out), "--format", "eml")
    ran = populated("account", "export", "ada@example.org", str(out))
    assert (ran.status, ran.err) == (
        1,
        f"postroad: {out} has an export already; name a new directory\n",
    )
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").touch()
    ran = populated("account", "export", "ada@example.org", str(tmp_path / "mine"))
    assert "has something in it; name a new directory" in ran.err


def test_what_cannot_be_is_said_in_one_line(populated: Shell, tmp_path: Path) -> None:
    ran = populated("account", "import", "eve@example.org", str(mbox(tmp_path / "inbox", MAIL)))
    assert (ran.status, ran.out) == (1, "")
    assert "there is no account eve@example.org" in ran.err
    ran = populated("account", "import", "ada@example.org", str(tmp_path / "nothing"))
    assert ran.err == f"postroad: there is no {tmp_path / 'nothing'}\n"
    ran = populated("account", "export", "ada@example.org", str(tmp_path / "out"), "--mailbox", "Nowhere")
    assert ran.err == "postroad: there is no mailbox Nowhere\n"


def test_a_full_account_says_how_to_go_on(populated: Shell, tmp_path: Path) -> None:
    source = mbox(tmp_path / "inbox", *(MAIL.replace(b"one", b"%d" % n) for n in range(4)))
    populated.ok("account", "quota", "ada@example.org", "--messages", "3")
    ran = populated("account", "import", "ada@example.org", str(source))
    assert ran.status == 1
    assert "Took 3 messages" in ran.out
    assert ran.err == (
        "postroad: ada@example.org is full, the rest was left out; give it room with"
        " `postroad account quota ada@example.org SIZE` and run this again\n"
    )
    populated.ok("account", "quota", "ada@example.org", "--messages", "none")
    said = populated.ok("account", "import", "ada@example.org", str(source))
    assert "Took 1 message into ada@example.org (mbox), 3 were there already." in said
