"""LIST and LSUB (RFC 3501 §6.3.8, §6.3.9; RFC 3348, 5258, 5819, 6154, 8440, 9590)."""

from postroad.imap.answer import Answer, No, ok
from postroad.imap.commands.acl import rights_line
from postroad.imap.commands.metadata import list_line
from postroad.imap.commands.status import status_line
from postroad.imap.dialogue import Dialogue
from postroad.imap.hierarchy import Node, nodes, parents
from postroad.imap.name_attributes import attributes
from postroad.imap.pattern import WILDCARDS, Pattern
from postroad.imap.turns import Turns
from postroad.imap.wire.mailbox_commands import List, Lsub
from postroad.imap.wire.responses import DELIMITER, list_entry
from postroad.imap.wire.status_item import StatusItem
from postroad.model.rights import NO_RIGHTS


async def list_mailboxes(dialogue: Dialogue, command: List) -> Answer:
    """Tell the names that match."""
    if command.patterns == ("",) and not command.extended:
        # RFC 3501 §6.3.8: a question for the delimiter and the root, which is empty here.
        dialogue.core.untagged(b'LIST (\\Noselect) %b ""' % DELIMITER)
        return ok(b"done")
    if StatusItem.HIGHESTMODSEQ in command.status:
        dialogue.aware_of_modseqs()
    patterns = _patterns(command.reference, command.patterns)
    everything = dialogue.everything()
    account_of = {mailbox.name: account for account, mailbox in everything}
    octets = dialogue.enabled.octets
    turns = Turns(dialogue.conn, dialogue.services.clock)
    shown: list[Node] = []
    unseen: set[str] = set()
    """Levels above a name that is asked for and matches no pattern."""
    for node in nodes((mailbox for _, mailbox in everything), dialogue.account.subscriptions()):
        await turns.next()
        if any(pattern.matches(node.name) for pattern in patterns):
            shown.append(node)
        elif _selects(node, command):
            unseen.update(parents(node.name))
    for node in shown:
        await turns.next()
        below = _children_match(node, command)
        # RFC 5258 §3.5: a name that only leads to others is left out where all of these are told themselves.
        if not (_selects(node, command) or (below and node.name in unseen)):
            continue
        account = account_of.get(node.name, dialogue.account)
        rights = account.rights(node.mailbox.id) if node.mailbox is not None else NO_RIGHTS
        said = attributes(
            node,
            extended=command.extended or dialogue.enabled.rev2,
            subscribed="SUBSCRIBED" in command.select or "SUBSCRIBED" in command.returns,
            readable="r" in rights,
        )
        dialogue.core.untagged(
            list_entry(octets(node.name), said, child_info=(b"SUBSCRIBED",) if below else ())
        )
        if node.mailbox is None or not _selects(node, command):
            continue
        if "MYRIGHTS" in command.returns:
            dialogue.core.untagged(rights_line(dialogue, account, node.mailbox))
        if command.status and "r" in rights:
            dialogue.core.untagged(status_line(dialogue, account, node.mailbox, command.status))
        if command.metadata and rights & frozenset("rswip"):
            line = list_line(octets(node.name), account.metadata(), node.mailbox.id, command.metadata)
            dialogue.core.untagged(line)
    return ok(b"done")


async def lsub(dialogue: Dialogue, command: Lsub) -> Answer:
    """Tell the subscribed names that match, whether there are such mailboxes or not."""
    if not command.pattern:
        dialogue.core.untagged(b'LSUB (\\Noselect) %b ""' % DELIMITER)
        return ok(b"done")
    (pattern,) = _patterns(command.reference, (command.pattern,))
    subscribed = set(dialogue.account.subscriptions())
    above: set[str] = set()
    if pattern.ends_with_percent:
        # §6.3.9: with foo/bar subscribed and foo not, "%" shows foo with \Noselect.
        above = {parent for name in subscribed for parent in parents(name)} - subscribed
    octets = dialogue.enabled.octets
    turns = Turns(dialogue.conn, dialogue.services.clock)
    for name in sorted(subscribed | above, key=lambda name: (name != "INBOX", name)):
        await turns.next()
        if pattern.matches(name):
            attributes = [b"\\Noselect"] if name in above else []
            dialogue.core.untagged(list_entry(octets(name), attributes, response=b"LSUB"))
    return ok(b"done")


def _patterns(reference: str, texts: tuple[str, ...]) -> list[Pattern]:
    patterns = [Pattern(reference, text) for text in dict.fromkeys(texts) if text]
    if sum(pattern.wildcards for pattern in patterns) > WILDCARDS:
        raise No(b"LIMIT", b"too many wildcards")
    return patterns


def _selects(node: Node, command: List) -> bool:
    """Whether the name itself is asked for (RFC 5258 §3.1, RFC 6154 §5.2)."""
    if "SPECIAL-USE" in command.select and not (node.mailbox and node.mailbox.special_use):
        return False
    if "SUBSCRIBED" in command.select:
        return node.subscribed
    return node.mailbox is not None or node.has_children


def _children_match(node: Node, command: List) -> bool:
    """Whether the name is shown for the sake of what is subscribed below it (RFC 5258 §3.5)."""
    return "RECURSIVEMATCH" in command.select and node.subscribed_below
