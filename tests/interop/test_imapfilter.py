"""IMAPFilter sorts mail on the server, by a script."""

from pathlib import Path

import pytest

from tests.interop.messages import imap, message, receive, texts
from tests.interop.postroad_server import HOST, PASSWORD, Postroad
from tests.interop.processes import Daemon, program, run

SCRIPT = """
options.create = true
options.subscribe = true
options.timeout = 60
account = IMAP {{ server = '{host}', port = {port}, username = '{user}', password = '{password}'{ssl} }}
inbox = account.INBOX
"""


class ImapFilter:
    """A user's script."""

    def __init__(self, server: Postroad, directory: Path, user: str, secret: str) -> None:
        server.add_accounts(user)
        port, ssl = (server.ports.imaps, ", ssl = 'auto'") if secret == "tls" else (server.ports.imap, "")
        self._script = directory / "config.lua"
        self._start = SCRIPT.format(host=HOST, port=port, user=user, password=PASSWORD, ssl=ssl)
        self._trusted = server.certificates.authority

    def command(self, lines: str) -> list[str]:
        """The command that runs them."""
        self._script.write_text(self._start + lines)
        home = f"HOME={self._script.parent}"
        return ["env", home, program("imapfilter"), "-c", str(self._script), "-t", str(self._trusted)]

    def run(self, lines: str) -> str:
        """Run them, and return what they print."""
        return run(*self.command(lines))


@pytest.mark.parametrize("secret", ["tls", "starttls"])
def test_imapfilter_searches_flags_copies_moves_and_deletes(
    module_server: Postroad, tmp_path: Path, secret: str
) -> None:
    user = f"{secret}@ours.test"
    imapfilter = ImapFilter(module_server, tmp_path, user, secret)
    for word in ("apple", "bread", "Käse", "dates"):
        receive(module_server, message(word, f"All about {word}.\r\n"), user)

    said = imapfilter.run("""
options.charset = 'UTF-8'
print(inbox:check_status())
inbox:contain_subject('bread'):move_messages(account['Lists/Bread'])
about = inbox:contain_subject('Käse') + inbox:contain_body('about apple')
about:copy_messages(account.Archive)
new = inbox:is_unseen() * inbox:contain_from('bob') - inbox:contain_to('nobody')
new:mark_flagged()
inbox:match_subject('app?le'):mark_seen()
inbox:contain_subject('apple'):add_flags({ 'work', '\\\\Answered' })
inbox:contain_subject('dates'):delete_messages()
mailboxes = account:list_all()
table.sort(mailboxes)
print(table.concat(mailboxes, ' '), table.concat(account:list_all('Lists'), ' '))
print(#inbox:contain_field('Subject', 'apple'), #inbox:sent_since('01-Jan-2000'), #inbox:is_smaller(10))
""")

    assert "4\t4\t4\t5" in said
    assert {"Archive", "Drafts", "INBOX", "Junk", "Sent", "Trash", "Lists/Bread"} <= set(said.split())
    assert "1\t0\t0" in said
    assert ["Subject: bread" in text for text in texts(module_server, "Lists/Bread", user)] == [True]
    assert len(texts(module_server, "Archive", user)) == 2
    assert len(texts(module_server, "INBOX", user)) == 2
    with imap(module_server, user) as session:
        session.select(readonly=True)
        assert session.search(None, "FLAGGED") == ("OK", [b"1 2"])
        assert session.search(None, "KEYWORD", "work", "ANSWERED", "SEEN") == ("OK", [b"1"])


def test_imapfilter_waits_in_idle(module_server: Postroad, tmp_path: Path) -> None:
    user = "idle@ours.test"
    imapfilter = ImapFilter(module_server, tmp_path, user, "tls")
    heard = tmp_path / "heard"
    lines = "inbox:enter_idle()\ninbox:is_recent():move_messages(account.Archive)\n"
    waiting = Daemon([*imapfilter.command(lines), "-d", str(heard)], tmp_path / "log")
    try:
        waiting.until(lambda: heard.exists() and "+ idling" in heard.read_text(), "that it waits")
        receive(module_server, message("apple"), user)
        assert waiting.wait() == 0
    finally:
        waiting.stop()
    assert len(texts(module_server, "Archive", user)) == 1
