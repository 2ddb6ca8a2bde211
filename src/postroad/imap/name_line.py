"""LIST of one name, where a command other than LIST tells of it (RFC 9051 §6.3.2, §6.3.9.7)."""

from postroad.imap.dialogue import Dialogue
from postroad.imap.hierarchy import Node, nodes
from postroad.imap.name_attributes import attributes
from postroad.imap.wire.responses import list_entry
from postroad.model.rights import NO_RIGHTS


def name_line(dialogue: Dialogue, name: str, said: str) -> bytes:
    """Return LIST, without `* `, of a mailbox; OLDNAME where the client called it otherwise."""
    everything = dialogue.everything()
    every = nodes((mailbox for _, mailbox in everything), dialogue.account.subscriptions())
    node = next((node for node in every if node.name == name), None) or Node(name, None, False, False, False)
    rights = (account.rights(mailbox.id) for account, mailbox in everything if mailbox.name == name)
    readable = "r" in next(rights, NO_RIGHTS)
    octets = dialogue.enabled.octets
    old = octets(said) if said != name else b""
    told = attributes(node, extended=True, subscribed=True, readable=readable)
    return list_entry(octets(name), told, old_name=old)


def tell_name(dialogue: Dialogue, name: str, said: str) -> None:
    """Tell a client of IMAP4rev2 the name that a mailbox has now, where it said another."""
    if dialogue.enabled.rev2 and name != said:
        dialogue.core.untagged(name_line(dialogue, name, said))
