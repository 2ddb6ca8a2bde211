"""OfflineIMAP keeps a tree of Maildirs and an account alike, and two accounts, both ways."""

import imaplib
import random
from pathlib import Path
from typing import Final

import pytest

from tests.interop.messages import flags_by_subject, imap, message
from tests.interop.postroad_server import HOST, PASSWORD, Postroad
from tests.interop.processes import program, run

LETTERS: Final = {"D": "\\Draft", "F": "\\Flagged", "R": "\\Answered", "S": "\\Seen"}
"""What an info of a Maildir says."""
KEYWORD: Final = "$Forwarded"
"""OfflineIMAP carries keywords to Maildirs, by the letter that its settings say, and none back."""
CHANGES: Final = 25

MISHAP: Final = "Failed to start TLS connection: command: CAPABILITY"
"""Its library writes the first command behind STARTTLS in one thread while another one reads the server's
session tickets, which OpenSSL does not bear: once in some hundreds the command never leaves the client,
with Dovecot as with us."""

State = dict[str, dict[str, frozenset[str]]]
"""Mailboxes, the subjects in them and their flags."""


def repository(server: Postroad, name: str, user: str, *more: str) -> str:
    """One side of a synchronisation: all mailboxes of a user."""
    lines = [
        f"[Repository {name}]",
        "type = IMAP",
        f"remotehost = {HOST}",
        f"remoteuser = {user}",
        f"remotepass = {PASSWORD}",
        f"sslcacertfile = {server.certificates.authority}",
        *more,
    ]
    return "\n".join(lines) + "\n"


class OfflineImap:
    """Its settings: one account with a `near` and a `far` side."""

    def __init__(self, directory: Path, near: str, far: str) -> None:
        self._settings = directory / "offlineimaprc"
        self._settings.write_text(f"""\
[general]
accounts = both
metadata = {directory / "metadata"}

[Account both]
localrepository = near
remoterepository = far

{near}
{far}
""")

    def run(self) -> str:
        """Synchronise everything once."""
        for _ in range(3):
            said = run(program("offlineimap"), "-c", self._settings, "-o", "-u", "basic", expect=(0, 1))
            if MISHAP not in said:
                break
        assert "ERROR" not in said, said
        return said


class Maildirs:
    """The near side, as a user changes it."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def _messages(self, mailbox: str) -> list[Path]:
        return sorted(
            path for part in ("cur", "new") for path in (self._directory / mailbox / part).iterdir()
        )

    def mailboxes(self) -> list[str]:
        """Their names."""
        return sorted(path.name for path in self._directory.iterdir())

    def state(self) -> State:
        """All that there is."""
        return {
            mailbox: {subject(path): flags(path) for path in self._messages(mailbox)}
            for mailbox in self.mailboxes()
        }

    def create(self, mailbox: str) -> None:
        """Make an empty mailbox."""
        for part in ("cur", "new", "tmp"):
            (self._directory / mailbox / part).mkdir(parents=True)

    def change(self, chance: random.Random, number: int) -> None:
        """File a message, or delete one, or turn a flag of one."""
        mailbox = chance.choice(self.mailboxes())
        there = self._messages(mailbox)
        if chance.random() < 0.4 or not there:
            text = message(f"near {number}").replace("\r\n", "\n")
            (self._directory / mailbox / f"new/{number}.near.laptop").write_text(text)
        elif chance.random() < 0.3:
            chance.choice(there).unlink()
        else:
            one = chance.choice(there)
            name, _, info = one.name.partition(":2,")
            letters = set(info) ^ {chance.choice(list(LETTERS))}
            one.rename(one.parents[1] / "cur" / f"{name}:2,{''.join(sorted(letters))}")


def subject(path: Path) -> str:
    """The Subject of a message in a Maildir."""
    [line] = [line for line in path.read_text().splitlines() if line.startswith("Subject: ")]
    return line.removeprefix("Subject: ")


def flags(path: Path) -> frozenset[str]:
    """IMAP's names for the flags of a message in a Maildir."""
    return frozenset((LETTERS | {"a": KEYWORD})[letter] for letter in path.name.partition(":2,")[2])


def listed(session: imaplib.IMAP4) -> list[str]:
    """The names of all mailboxes that can be selected."""
    lines = [line for line in session.list()[1] if isinstance(line, bytes) and b"\\Noselect" not in line]
    return sorted(line.decode().rpartition(' "/" ')[2].strip('"') for line in lines)


def account_state(session: imaplib.IMAP4) -> State:
    """All that there is in an account, with the names that a Maildir would have."""
    told: State = {}
    for mailbox in listed(session):
        session.select(f'"{mailbox}"', readonly=True)
        told[mailbox.replace("/", ".")] = flags_by_subject(session)
    return told


def change(session: imaplib.IMAP4, chance: random.Random, word: str) -> None:
    """Append a message, or delete one, or turn a flag of one."""
    session.select(f'"{chance.choice(listed(session))}"')
    there = session.uid("SEARCH", "ALL")[1][0].split()
    if chance.random() < 0.4 or not there:
        session.append(chance.choice(listed(session)), "", "", message(word).encode())
    elif chance.random() < 0.3:
        session.uid("STORE", chance.choice(there).decode(), "+FLAGS.SILENT", "\\Deleted")
        session.expunge()
    else:
        sign = chance.choice("+-")
        session.uid(
            "STORE", chance.choice(there).decode(), f"{sign}FLAGS", chance.choice(list(LETTERS.values()))
        )


@pytest.mark.parametrize("tls", ["ssl", "starttls"])
def test_offlineimap_carries_random_changes_both_ways(
    module_server: Postroad, tmp_path: Path, tls: str
) -> None:
    user = f"{tls}@ours.test"
    module_server.add_accounts(user)
    port = module_server.ports.imaps if tls == "ssl" else module_server.ports.imap
    ways = {"ssl": ["usecompression = yes"], "starttls": ["ssl = no", "starttls = yes"]}
    maildirs = Maildirs(tmp_path / "maildirs")
    near = "\n".join(
        [
            "[Repository near]",
            "type = Maildir",
            f"localfolders = {tmp_path / 'maildirs'}",
            f"customflag_a = {KEYWORD}",
        ]
    )
    far = repository(module_server, "far", user, f"remoteport = {port}", *ways[tls])
    offlineimap = OfflineImap(tmp_path, near, far)
    chance = random.Random(tls)
    with imap(module_server, user) as session:
        for turn in range(2):
            for number in range(CHANGES * turn, CHANGES * (turn + 1)):
                change(session, chance, f"far {number}")
                if turn:
                    maildirs.change(chance, number)
            if turn:
                maildirs.create("Receipts.near")
            session.append("INBOX", f"({KEYWORD} \\Seen)", "", message(f"forwarded {turn}").encode())
            session.create(f"Receipts/far/{turn}")
            offlineimap.run()
            there = account_state(session)
            assert maildirs.state() == there

        offlineimap.run()

        assert account_state(session) == maildirs.state() == there
    assert {"Receipts.far.0", "Receipts.far.1", "Receipts.near"} <= there.keys()
    assert "far 1" in str(there)
    assert "near" in str(there)


def test_offlineimap_keeps_two_accounts_alike(module_server: Postroad, tmp_path: Path) -> None:
    port = f"remoteport = {module_server.ports.imaps}"
    offlineimap = OfflineImap(
        tmp_path,
        repository(module_server, "near", "ada@ours.test", port),
        repository(module_server, "far", "bob@ours.test", port),
    )
    chance = random.Random(2)
    with imap(module_server) as ada, imap(module_server, "bob@ours.test") as bob:
        for turn in range(2):
            for number in range(CHANGES * turn, CHANGES * (turn + 1)):
                change(chance.choice([ada, bob]), chance, f"change {number}")
            ada.create(f"From-ada/{turn}")
            bob.create(f"From-bob/{turn}")
            offlineimap.run()
            there = account_state(ada)
            assert account_state(bob) == there

        offlineimap.run()

        assert account_state(ada) == account_state(bob) == there
    assert sum(len(messages) for messages in there.values()) > 10
