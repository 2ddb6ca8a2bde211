"""Thunderbird, without a screen, as somebody uses it who comes back after a while."""

from pathlib import Path

from tests.interop.messages import arrived, imap, message, receive, texts
from tests.interop.postroad_server import PASSWORD, Postroad
from tests.interop.processes import until
from tests.interop.thunderbird import Thunderbird

USER = "ada@ours.test"
FOLDERS = ["Archive", "Drafts", "INBOX", "Junk", "Sent", "Trash"]
MIXED = Path(__file__).with_name("mixed.eml")


def test_thunderbird_reads_files_waits_and_comes_back(server: Postroad, tmp_path: Path) -> None:
    for word in ("apple", "bread", "Käse"):
        receive(server, message(word, f"All about {word}.\r\n"))
    thunderbird = Thunderbird(server, tmp_path)

    with thunderbird:
        thunderbird.do("addAccount", server.ports.imaps, USER, PASSWORD)
        thunderbird.do("discover")
        thunderbird.until("folders", shows=FOLDERS)
        thunderbird.do("update", "INBOX")
        assert thunderbird.do("listed", "INBOX") == ["Käse new", "apple new", "bread new"]
        reads(thunderbird)
        files(thunderbird, server)
        hears(thunderbird, server)
        assert sent(thunderbird, "ID (", "COMPRESS", "ENABLE UTF8=ACCEPT", "IDLE", "uid move", "APPEND")

    with imap(server) as session:
        session.select()
        session.store("1", "+FLAGS", "(\\Deleted)")
        session.expunge()
        session.store("1", "+FLAGS", "(\\Flagged)")
    with thunderbird:
        thunderbird.do("update", "INBOX")
        thunderbird.until("listed", "INBOX", shows=["dates new flagged"])
        assert sent(thunderbird, "(CHANGEDSINCE ")


def sent(thunderbird: Thunderbird, *words: str) -> bool:
    """Whether each of these is in one of the commands that it has sent."""
    commands = "\n".join(thunderbird.said()).lower()
    missing = [word for word in words if word.lower() not in commands]
    assert not missing, f"{missing} in\n{commands}"
    return True


def reads(thunderbird: Thunderbird) -> None:
    """Whole messages are in its own mbox then."""
    thunderbird.do("download", "INBOX")
    [mbox] = thunderbird.profile.glob("ImapMail/*/INBOX")
    until(lambda: "All about bread." in mbox.read_text(), "the messages in its mbox")


def files(thunderbird: Thunderbird, server: Postroad) -> None:
    """Flags, a tag, a new folder, moves, copies, deletes, and files a message of its own."""
    thunderbird.do("mark", "INBOX", "bread", "work")
    thunderbird.do("create", "Rezepte")
    thunderbird.until("folders", shows=sorted([*FOLDERS, "Rezepte"]))
    thunderbird.do("transfer", "INBOX", "apple", "Rezepte", True)
    thunderbird.do("transfer", "INBOX", "bread", "Archive", False)
    thunderbird.do("remove", "INBOX", "Käse")
    thunderbird.do("file", str(MIXED), "Sent")

    assert "Subject: apple" in arrived(server, "apple", "Rezepte")
    assert "Subject: Käse" in arrived(server, "Käse", "Trash")
    assert texts(server, "Sent") == [MIXED.read_bytes().decode()]
    assert "Subject: bread" in texts(server)[0]
    with imap(server) as session:
        session.select("Archive", readonly=True)
        assert session.search(None, "SEEN", "FLAGGED", "KEYWORD", "work") == ("OK", [b"1"])


def hears(thunderbird: Thunderbird, server: Postroad) -> None:
    """What arrives while it waits is there without a question."""
    receive(server, message("dates", "All about dates.\r\n"))
    thunderbird.until("listed", "INBOX", shows=["bread read flagged work", "dates new"])
