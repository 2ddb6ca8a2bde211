"""LIST of one name, where a command other than LIST tells of it (RFC 9051 §6.3.2, §6.3.9.7)."""

from postroad.imap.dialogue import Dialogue
from postroad.imap.hierarchy import Node, nodes
from postroad.imap.name_attributes import attributes
from postroad.imap.wire.responses import list_entry


def name_line(dialogue: Dialogue, name: str, said: str) -> bytes:
    """Return LIST, without `* `, of a mailbox; OLDNAME where the client called it otherwise."""
    every = nodes((mailbox for _, mailbox in dialogue.everything()), dialogue.account.subscriptions())
    node = next((node for node in every if node.name == name), None) or Node(name, None, False, False, False)
    octets = dialogue.enabled.octets
    old = octets(said) if said != name else b""
    return list_entry(octets(name), attributes(node, extended=True, subscribed=True), old_name=old)


def tell_name(dialogue: Dialogue, name: str, said: str) -> None:
    """Tell a client of IMAP4rev2 the name that a mailbox has now, where it said another."""
    if dialogue.enabled.rev2 and name != said:
        dialogue.core.untagged(name_line(dialogue, name, said))
