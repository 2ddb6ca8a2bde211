"""The attributes of a mailbox name in LIST (RFC 3501 §7.2.2, RFC 3348, RFC 5258 §3, RFC 6154)."""

from postroad.imap.hierarchy import Node


def attributes(node: Node, *, extended: bool, subscribed: bool, readable: bool) -> list[bytes]:
    """Return what is said of a name; `subscribed` where the client asks whether it is.

    What is not `readable` to the user is there to be seen, and cannot be selected (RFC 5819 §2).
    """
    said: list[bytes] = []
    if node.mailbox is None:
        # \NonExistent is for those who asked in the words of RFC 5258 §3; it implies \Noselect.
        said.append(b"\\NonExistent" if extended else b"\\Noselect")
    elif not readable:
        said.append(b"\\Noselect")
    said.append(b"\\HasChildren" if node.has_children else b"\\HasNoChildren")
    if node.subscribed and subscribed:
        said.append(b"\\Subscribed")
    if node.mailbox is not None and node.mailbox.special_use:
        said.append(node.mailbox.special_use.encode())
    return said
