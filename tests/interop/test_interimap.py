"""interimap keeps two accounts alike by QRESYNC alone, and compares nothing that has not changed."""

import imaplib
import random
from pathlib import Path

from tests.interop.messages import flags_by_subject, imap, message
from tests.interop.postroad_server import HOST, PASSWORD, Postroad
from tests.interop.processes import program, run

MAILBOXES = ("INBOX", "Both", "Archive")


def interimap(server: Postroad, directory: Path) -> str:
    """Make ada's and bob's mailboxes alike; the options below are those of interimap(1)."""
    settings = directory / "interimaprc"
    sides = "".join(
        f"""
[{side}]
type = imaps
host = {HOST}
port = {server.ports.imaps}
username = {who}@ours.test
password = {PASSWORD}
SSL_CAfile = {server.certificates.authority}
"""
        for side, who in (("local", "ada"), ("remote", "bob"))
    )
    settings.write_text(f"database = {directory}/sync.db\nlist-mailbox = *\n{sides}")
    settings.chmod(0o600)
    return run(program("interimap"), f"--config={settings}", env={"XDG_DATA_HOME": str(directory)})


def change(session: imaplib.IMAP4, chance: random.Random, number: int, *, moves: bool) -> None:
    """Append a message, or change the flags of one that is there, or move or expunge one.

    One side alone moves: what both have moved elsewhere is there twice, being new on each.
    """
    mailbox, other = chance.sample(MAILBOXES, 2)
    session.select(mailbox)
    [there] = session.uid("SEARCH", "ALL")[1]
    if chance.random() < 0.4 or not there.split():
        session.append(mailbox, "", "", message(f"change {number}").encode())
        return
    one = chance.choice(there.split()).decode()
    match chance.choice(["flag", "flag", "move" if moves else "flag", "expunge"]):
        case "flag":
            flag = chance.choice(["\\Seen", "\\Flagged", "\\Answered", "later"])
            session.uid("STORE", one, chance.choice(["+FLAGS", "-FLAGS"]), flag)
        case "move":
            session.uid("MOVE", one, other)
        case _:
            session.uid("STORE", one, "+FLAGS", "\\Deleted")
            session.uid("EXPUNGE", one)


def flags(session: imaplib.IMAP4) -> list[dict[str, frozenset[str]]]:
    """What there is in each mailbox."""
    found: list[dict[str, frozenset[str]]] = []
    for mailbox in MAILBOXES:
        session.select(mailbox, readonly=True)
        found.append(flags_by_subject(session))
    return found


def test_interimap_keeps_two_accounts_alike(server: Postroad, tmp_path: Path) -> None:
    chance = random.Random(7162)
    with imap(server) as ada, imap(server, "bob@ours.test") as bob:
        ada.create("Both")
        interimap(server, tmp_path)  # makes the mailbox on the other side
        for start in range(0, 60, 30):
            for number in range(start, start + 30):
                session = chance.choice([ada, bob])
                change(session, chance, number, moves=session is ada)
            interimap(server, tmp_path)
            there = flags(ada)
            assert there == flags(bob)
        assert sum(map(len, there)) > 10
