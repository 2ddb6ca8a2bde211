"""IMAPClient, from PyPI: what programs do that are written with it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import imapclient

from tests.interop.messages import imap, message, receive
from tests.interop.postroad_server import HOST, PASSWORD, Postroad

MIXED = Path(__file__).with_name("mixed.eml").read_bytes()


@contextmanager
def connected(server: Postroad, user: str, *subjects: str, quota: str = "1GiB") -> Iterator[Any]:
    """A session of a new user who has got these messages, with the inbox selected."""
    server.cli("account", "add", user, "--quota", quota, stdin=f"{PASSWORD}\n")
    for subject in subjects:
        receive(server, message(subject), user)
    context = server.tls_context()
    with imapclient.IMAPClient(HOST, port=server.ports.imaps, ssl_context=context) as client:
        client.login(user, PASSWORD)
        client.select_folder("INBOX")
        yield client


def test_imapclient_sorts_threads_and_searches(module_server: Postroad) -> None:
    with connected(module_server, "sort@ours.test", "bread", "Äpfel", "Re: bread") as client:
        assert client.has_capability("SORT")
        assert client.has_capability("THREAD=REFERENCES")
        assert client.sort("SUBJECT") == [2, 1, 3]
        assert client.sort(["REVERSE SIZE"], ["SUBJECT", "bread"]) == [3, 1]
        assert client.sort("DISPLAYFROM", ["UID", "2:*"]) == [2, 3]
        assert client.thread() == ((1, 3), (2,))
        assert client.thread("REFS", ["SUBJECT", "ÄPFEL"]) == ((2,),)
        assert client.search(["SUBJECT", "äpfel"], "UTF-8") == [2]
        assert client.search(["OR", "SUBJECT", "äpfel", "NOT", ["SUBJECT", "bread"]], "ISO-8859-1") == [2]
        assert client.search("FUZZY SUBJECT braed") == [1, 3]


def test_imapclient_asks_what_has_changed(module_server: Postroad) -> None:
    with connected(module_server, "change@ours.test", "apple", "bread") as client:
        client.unselect_folder()
        assert client.enable("CONDSTORE", "UTF8=ACCEPT") == [b"CONDSTORE", b"UTF8=ACCEPT"]
        client.select_folder("INBOX")
        before = client.folder_status("INBOX", ["HIGHESTMODSEQ", "UIDNEXT"])[b"HIGHESTMODSEQ"]
        client.add_flags(2, [imapclient.FLAGGED, b"$Forwarded"])

        changed = client.fetch([1, 2], ["FLAGS", "MODSEQ"], [f"CHANGEDSINCE {before}"])

        assert set(changed) == {2}
        assert set(changed[2][b"FLAGS"]) >= {imapclient.FLAGGED, b"$Forwarded"}
        assert changed[2][b"MODSEQ"][0] > before
        assert client.search(["MODSEQ", str(before + 1)]) == [2]


def test_imapclient_hears_in_idle_what_others_do(module_server: Postroad) -> None:
    user = "idle@ours.test"
    with connected(module_server, user, "apple") as client:
        client.idle()
        receive(module_server, message("bread"), user)
        assert heard(client, b"EXISTS") == (2, b"EXISTS")
        with imap(module_server, user) as session:
            session.select()
            session.store("1", "+FLAGS", "(\\Deleted)")
            session.expunge()
        assert heard(client, b"EXPUNGE") == (1, b"EXPUNGE")
        assert client.idle_done()[0] == b"done"
        assert client.search() == [2]


def heard(client: Any, word: bytes) -> tuple[Any, ...]:
    """Wait in IDLE for the first such response."""
    while True:
        for response in client.idle_check(timeout=60):
            if word in response:
                return tuple(response)


def test_imapclient_files_moves_and_counts(module_server: Postroad) -> None:
    with connected(module_server, "files@ours.test", quota="5MiB") as client:
        when = datetime(2024, 2, 1, 3, 4, 5, tzinfo=UTC)
        client.append("INBOX", MIXED, [imapclient.SEEN], when)
        client.multiappend("INBOX", [message("one").encode(), message("two").encode()])
        client.create_folder("Süßes/Kuchen & Co")
        client.subscribe_folder("Süßes/Kuchen & Co")
        client.move([2], "Süßes/Kuchen & Co")
        client.copy([3], "Süßes/Kuchen & Co")

        client.add_flags(3, [imapclient.DELETED])
        client.uid_expunge([3])
        assert client.search() == [1]
        whole = client.fetch(1, ["BODY[]", "ENVELOPE", "BODYSTRUCTURE", "INTERNALDATE", "BINARY.PEEK[3]"])[1]
        assert whole[b"BODY[]"] == MIXED
        assert whole[b"ENVELOPE"].from_[0].mailbox == b"juergen"
        assert [part[0] for part in whole[b"BODYSTRUCTURE"][0]][1:] == [b"message", b"image"]
        assert whole[b"INTERNALDATE"].astimezone(UTC) == when
        assert whole[b"BINARY[3]"].startswith(b"\x89PNG")
        assert "Süßes/Kuchen & Co" in [name for _, _, name in client.list_sub_folders()]
        assert client.folder_status("Süßes/Kuchen & Co", "MESSAGES") == {b"MESSAGES": 2}
        assert client.find_special_folder(imapclient.imapclient.JUNK) == "Junk"
        assert client.namespace().personal == (("", "/"),)
        assert b"postroad" in client.id_({"name": "IMAPClient"})[0]
        assert [(one.resource, one.limit) for one in client.get_quota()] == [("STORAGE", 5 * 1024)]
        client.unselect_folder()
        client.rename_folder("Süßes/Kuchen & Co", "Süßes/Torten")
        client.delete_folder("Süßes/Torten")
