"""CAPABILITY, ID, ENABLE: what each side can do (RFC 3501 §6.1.1, RFC 2971, RFC 5161)."""

from collections.abc import Callable
from typing import Final

from postroad import __version__
from postroad.imap.answer import Answer, ok
from postroad.imap.dialogue import Dialogue
from postroad.imap.wire import responses
from postroad.imap.wire.session_commands import Enable, Id
from postroad.imap.wire.table import State
from postroad.obs.log import log


def capability(dialogue: Dialogue) -> Answer:
    """Say what can be used in this state."""
    dialogue.core.untagged(b"CAPABILITY " + dialogue.capabilities())
    return ok(b"that is all")


def identify(dialogue: Dialogue, command: Id) -> Answer:
    """Exchange names; strangers are not told the version (RFC 2971 §4)."""
    client = dict(command.fields)
    log.info(
        "imap.id", conn=dialogue.conn.id, name=client.get("name") or "", version=client.get("version") or ""
    )
    ours = {"name": "postroad"}
    if dialogue.core.state is not State.NOT_AUTHENTICATED:
        ours["version"] = __version__
    dialogue.core.untagged(responses.identification(ours))
    return ok(b"pleased to meet you")


_WRITTEN: Final = {"IMAP4REV2": "IMAP4rev2"}


def enable(dialogue: Dialogue, command: Enable) -> Answer:
    """Switch extensions on; unknown ones, and those that need no switch, are passed over (RFC 5161 §3.1).

    What is withheld from the user is unknown.
    """
    withheld = {name.upper() for name in dialogue.core.withheld}
    enabled = [
        name for name in dict.fromkeys(command.capabilities) if name in _SWITCHES and name not in withheld
    ]
    dialogue.core.untagged(
        b" ".join([b"ENABLED", *[_WRITTEN.get(name, name).encode("ascii") for name in enabled]])
    )
    for name in enabled:
        _SWITCHES[name](dialogue)
    return ok(b"done")


_SWITCHES: Final[dict[str, Callable[[Dialogue], None]]] = {
    "CONDSTORE": Dialogue.aware_of_modseqs,
    "QRESYNC": Dialogue.resyncs,
    "UIDONLY": Dialogue.uids_only,
    "IMAP4REV2": Dialogue.speaks_rev2,
    "UTF8=ACCEPT": Dialogue.speaks_utf8,
    "METADATA": Dialogue.follows_metadata,
}
