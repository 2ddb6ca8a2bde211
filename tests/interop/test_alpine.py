"""Alpine, whose c-client library other programs have too (PHP's imap among them), by its keys."""

from pathlib import Path

from tests.interop.messages import arrived, imap, message, receive, texts
from tests.interop.postroad_server import HOST, PASSWORD, Postroad
from tests.interop.processes import program
from tests.interop.terminal import Terminal


def test_alpine_reads_saves_flags_and_expunges(module_server: Postroad, tmp_path: Path) -> None:
    for word in ("apple", "bread", "cheese"):
        receive(module_server, message(word, f"All about {word}.\r\n"))
    mailbox = f"{{{HOST}:{module_server.ports.imaps}/ssl/user=ada@ours.test}}"
    settings = tmp_path / "pinerc"
    settings.write_text(f"""\
inbox-path={mailbox}INBOX
folder-collections=Mail {mailbox}[]
feature-list=quit-without-confirm,enable-flag-cmd,expunge-without-confirm,expunge-without-confirm-everywhere
last-version-used=6.26
""")
    command = [
        *(program("alpine"), "-p", str(settings), "-i", "-sort", "subject/reverse"),
        *("-nowrite_password_cache", "-passfile", str(tmp_path / "none"), "-d", "imap=4"),
    ]
    trusted = {"SSL_CERT_FILE": str(module_server.certificates.authority), "HOME": str(tmp_path)}

    with Terminal(command, trusted) as terminal:
        terminal.press(f"{PASSWORD}\r", once="PASSWORD")
        terminal.press("n", once="next login")
        terminal.press("J1\r\r", once="apple")
        terminal.press("s", once="All about cheese.")
        terminal.press("Archive\r", once="SAVE")
        terminal.press("n", once="DEL")  # that it was copied is not shown where it took a second
        terminal.press("*", once="All about bread.")
        terminal.press("*", once="Important")
        terminal.press("<", once="OTHER CMDS")
        terminal.press("x", once="INDEX")
        terminal.press("q", once="xpunge")

    assert " SORT (SUBJECT) US-ASCII ALL" in (tmp_path / ".pine-debug1").read_text(errors="replace")
    assert "Subject: cheese" in arrived(module_server, "cheese", "Archive")
    assert ["cheese" in text for text in texts(module_server)] == [False, False]
    with imap(module_server) as session:
        session.select(readonly=True)
        assert session.search(None, "SEEN", "FLAGGED", "SUBJECT", "bread") == ("OK", [b"2"])
