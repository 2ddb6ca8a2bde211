"""mbsync (Debian's isync) keeps a tree of Maildirs and an account alike, both ways."""

import imaplib
import random
from pathlib import Path

import pytest

from tests.interop.messages import arrived, flags_by_subject, imap, message, receive, texts
from tests.interop.postroad_server import HOST, PASSWORD, Postroad
from tests.interop.processes import program, run


class Mbsync:
    """Its settings and the Maildirs that it keeps."""

    def __init__(self, server: Postroad, directory: Path, tls: str) -> None:
        self.maildirs = directory / "maildirs"
        self.maildirs.mkdir()
        self._settings = directory / "mbsyncrc"
        port = server.ports.imap if tls == "STARTTLS" else server.ports.imaps
        self._settings.write_text(f"""
IMAPAccount ours
Host {HOST}
Port {port}
User ada@ours.test
Pass "{PASSWORD}"
SSLType {tls}
CertificateFile {server.certificates.authority}

IMAPStore far
Account ours

MaildirStore near
Path {self.maildirs}/
Inbox {self.maildirs}/INBOX
SubFolders Verbatim

Channel everything
Far :far:
Near :near:
Patterns *
Create Both
Remove Both
Expunge Both
CopyArrivalDate yes
SyncState *
""")

    def run(self) -> str:
        """Synchronise everything once."""
        return run(program("mbsync"), "-c", self._settings, "-V", "everything")

    def messages(self, mailbox: str = "INBOX") -> list[Path]:
        """The files of a Maildir, in the order of their names."""
        return sorted([*self.maildirs.glob(f"{mailbox}/new/*"), *self.maildirs.glob(f"{mailbox}/cur/*")])

    def find(self, words: str, mailbox: str = "INBOX") -> Path:
        """The one message with these words."""
        [found] = [path for path in self.messages(mailbox) if words in path.read_text()]
        return found

    def state(self) -> dict[str, bytes]:
        """Every file, by name."""
        return {
            str(path.relative_to(self.maildirs)): path.read_bytes()
            for path in self.maildirs.rglob("*")
            if path.is_file() and path.name != ".uidvalidity"
        }


def account_state(server: Postroad) -> list[object]:
    """All that IMAP can tell of ada's mailboxes."""
    told: list[object] = []
    with imap(server) as session:
        for mailbox in ("INBOX", "Sent", "Drafts", "Junk", "Trash", "Archive"):
            told += [mailbox, session.status(mailbox, "(MESSAGES UIDNEXT UIDVALIDITY UNSEEN)")]
            session.select(mailbox, readonly=True)
            told += [session.uid("FETCH", "1:*", "(UID FLAGS INTERNALDATE RFC822.SIZE)")]
    return told


@pytest.mark.parametrize("tls", ["IMAPS", "STARTTLS"])
def test_a_second_run_of_mbsync_changes_nothing(server: Postroad, tmp_path: Path, tls: str) -> None:
    mbsync = Mbsync(server, tmp_path, tls)
    for number in range(5):
        receive(server, message(f"number {number}"))

    mbsync.run()
    here, there = mbsync.state(), account_state(server)
    mbsync.run()

    assert len(mbsync.messages()) == 5
    assert {path.name for path in mbsync.maildirs.iterdir()} >= {"Sent", "Drafts", "Junk", "Trash", "Archive"}
    assert (mbsync.state(), account_state(server)) == (here, there)


def test_mbsync_carries_changes_both_ways(server: Postroad, tmp_path: Path) -> None:
    mbsync = Mbsync(server, tmp_path, "IMAPS")
    for word in ("apple", "bread", "cheese"):
        receive(server, message(word))
    mbsync.run()

    # Here: one message is read and flagged, one is new. There: one goes, one comes, and a mailbox.
    apple = mbsync.find("apple")
    apple.rename(apple.parents[1] / "cur" / (apple.name.partition(":")[0] + ":2,FS"))
    (mbsync.maildirs / "Sent/cur/1.draft.laptop:2,S").write_text(message("dates").replace("\r\n", "\n"))
    with imap(server) as session:
        session.select()
        session.uid("STORE", "2", "+FLAGS", r"(\Deleted)")
        session.expunge()
        session.create("Receipts")
        session.append("Receipts", r"(\Flagged \Answered)", "", message("eggs").encode())
    mbsync.run()

    with imap(server) as session:
        session.select(readonly=True)
        assert session.search(None, "SEEN", "FLAGGED", "SUBJECT", "apple") == ("OK", [b"1"])
    assert "Subject: dates" in arrived(server, "dates", "Sent")
    assert [name for name in ("apple", "bread", "cheese") if name in str(texts(server))] == [
        "apple",
        "cheese",
    ]
    assert len(mbsync.messages()) == 2
    assert mbsync.find("eggs", "Receipts").name.endswith(":2,FR")

    here, there = mbsync.state(), account_state(server)
    mbsync.run()
    assert (mbsync.state(), account_state(server)) == (here, there)


def two_accounts(server: Postroad, directory: Path) -> Path:
    """Settings by which ada's and bob's folder Both are kept alike."""
    sides = "".join(
        f"""
IMAPAccount {who}
Host {HOST}
Port {server.ports.imaps}
User {who}@ours.test
Pass "{PASSWORD}"
SSLType IMAPS
CertificateFile {server.certificates.authority}

IMAPStore {who}
Account {who}
"""
        for who in ("ada", "bob")
    )
    path = directory / "mbsyncrc"
    path.write_text(f"""{sides}
Channel both
Far :ada:Both
Near :bob:Both
Create Both
Expunge Both
SyncState {directory}/state/
""")
    (directory / "state").mkdir()
    return path


def change(session: imaplib.IMAP4, chance: random.Random, number: int) -> None:
    """Append a message, or change the flags of one that is there, or mark one to go."""
    [there] = session.search(None, "UNDELETED")[1]
    if chance.random() < 0.4 or not there.split():
        session.append("Both", "", "", message(f"change {number}").encode())
        session.noop()
        return
    one = chance.choice(there.split()).decode()
    flag = chance.choice(["\\Seen", "\\Flagged", "\\Answered", "\\Deleted"])
    session.store(one, chance.choice(["+FLAGS", "-FLAGS"]) if flag != "\\Deleted" else "+FLAGS", flag)


def test_mbsync_keeps_two_accounts_alike(server: Postroad, tmp_path: Path) -> None:
    """A hundred random changes on both sides, and what is the same on one is so on the other."""
    settings = two_accounts(server, tmp_path)
    chance = random.Random(100)
    with imap(server) as ada, imap(server, "bob@ours.test") as bob:
        for session in (ada, bob):
            session.create("Both")
            session.select("Both")
        for start in range(0, 100, 20):
            for number in range(start, start + 20):
                change(chance.choice([ada, bob]), chance, number)
            run(program("mbsync"), "-c", settings, "both")
            for session in (ada, bob):
                session.noop()
            there = flags_by_subject(ada)
            assert there == flags_by_subject(bob)
        assert len(there) > 10
