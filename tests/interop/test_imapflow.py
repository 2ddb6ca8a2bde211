"""ImapFlow, from npm: a client of today, that uses every extension it is offered (imapflow/session.mjs)."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.interop.messages import texts
from tests.interop.postroad_server import HOST, PASSWORD, Postroad
from tests.interop.processes import program, run

HERE = Path(__file__).parent
MIXED = HERE / "mixed.eml"
WAYS = {
    "rev2-tls-plain": {"secure": True, "rev2": True, "method": "AUTH=PLAIN"},
    "rev1-starttls-login": {"secure": False, "rev2": False, "method": "LOGIN"},
}


def play(server: Postroad, way: str) -> dict[str, Any]:
    """Play the session as a new user and return what was seen in it."""
    user = f"{way}@ours.test"
    server.cli("account", "add", user, "--quota", "10MiB", stdin=f"{PASSWORD}\n")
    given = {
        "host": HOST,
        "port": server.ports.imaps if WAYS[way]["secure"] else server.ports.imap,
        "user": user,
        "password": PASSWORD,
        "authority": str(server.certificates.authority),
        "message": str(MIXED),
        **WAYS[way],
    }
    seen: dict[str, Any] = json.loads(
        run(program("node"), HERE / "imapflow/session.mjs", stdin=json.dumps(given))
    )
    return seen


@pytest.mark.parametrize("way", WAYS)
def test_imapflow_plays_a_whole_session(module_server: Postroad, way: str) -> None:
    seen = play(module_server, way)
    rev2 = way.startswith("rev2")

    assert ("IMAP4REV2" in seen["enabled"]) == rev2
    assert {"CONDSTORE", "QRESYNC", "UTF8=ACCEPT"} <= set(seen["enabled"])
    assert any("DEFLATE" in str(line) for line in seen["heard"])
    assert (seen["server"]["name"], seen["namespace"]) == ("postroad", {"prefix": "", "delimiter": "/"})
    uses = {folder["use"] for folder in seen["folders"]}
    assert uses >= {"\\Inbox", "\\Sent", "\\Drafts", "\\Junk", "\\Trash", "\\Archive"}
    assert seen["quota"]["storage"]["limit"] == 10 * 1024 * 1024

    assert seen["appended"]["uid"] == 1
    assert seen["opened"]["exists"] == 4
    read_whole(seen["message"])
    assert seen["attachment"]["meta"]["filename"] == "p.png"
    assert seen["attachment"]["content"].startswith("\x89PNG")
    assert seen["found"] == [3]
    assert seen["counted"] == {"min": 1, "max": 4, "count": 4}
    assert (seen["status"]["messages"], seen["status"]["uidNext"]) == (4, 5)

    assert [set(flags) - {"\\Recent"} for flags in seen["flags"]] == [{"work"}, {"$Forwarded", "\\Seen"}]
    assert seen["renamed"]["newPath"] == "Rezepte/Kuchen"
    assert (seen["moved"]["uidMap"], seen["copied"]["uidMap"]) == ({"3": 1}, {"4": 1})
    assert "All about cheese." in texts(module_server, "Archive", f"{way}@ours.test")[0]
    heard_and_missed(seen)


def read_whole(message: dict[str, Any]) -> None:
    """What a client makes of mixed.eml."""
    assert message["source"].encode("latin-1") == MIXED.read_bytes()
    assert message["size"] == len(MIXED.read_bytes())
    assert message["envelope"]["from"] == [{"name": "Jürgen", "address": "juergen@elsewhere.test"}]
    assert message["envelope"]["messageId"] == "<one@elsewhere.test>"
    assert [part["type"] for part in message["bodyStructure"]["childNodes"]] == [
        "multipart/alternative",
        "message/rfc822",
        "image/png",
    ]
    assert message["bodyParts"]["1.1"] == "Hello"
    assert message["internalDate"] == "2024-02-01T03:04:05.000Z"
    assert set(message["flags"]) - {"\\Recent"} == {"\\Flagged", "work"}
    assert message["emailId"] != message["threadId"]


def heard_and_missed(seen: dict[str, Any]) -> None:
    """What it heard of another client in IDLE, and what it is told when it opens the mailbox again."""
    assert (seen["exists"]["prevCount"], seen["exists"]["count"]) == (3, 4)
    assert (seen["flagged"]["uid"], "\\Answered" in seen["flagged"]["flags"]) == (4, True)
    assert (seen["expunged"]["uid"], seen["expunged"]["vanished"]) == (2, True)
    assert seen["reopened"]["qresync"] is True
    assert seen["reopened"]["exists"] == 3
    assert [(one["uid"], one["earlier"]) for one in seen["missed"]["vanished"]] == [(2, True), (3, True)]
    assert [one["uid"] for one in seen["missed"]["changed"]] == [4, 5]
    assert [one["uid"] for one in seen["since"]] == [4, 5]
