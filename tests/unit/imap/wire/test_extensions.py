"""What is not offered is refused, not passed over."""

import pytest

from postroad.imap.wire.core import ImapServerCore
from postroad.imap.wire.extensions import ENABLED, Extension
from postroad.imap.wire.table import State


@pytest.mark.parametrize(
    ("command", "extension"),
    [
        (b"SELECT INBOX (CONDSTORE)", Extension.CONDSTORE),
        (b"SELECT INBOX (QRESYNC (1 2))", Extension.QRESYNC),
        (b"FETCH 1 FLAGS (CHANGEDSINCE 5)", Extension.CONDSTORE),
        (b"STORE 1 (UNCHANGEDSINCE 5) FLAGS ()", Extension.CONDSTORE),
        (b"SEARCH MODSEQ 5", Extension.CONDSTORE),
        (b"SEARCH RETURN (SAVE) ALL", Extension.SEARCHRES),
        (b"FETCH $ FLAGS", Extension.SEARCHRES),
        (b"SEARCH $", Extension.SEARCHRES),
        (b"APPEND INBOX ~{5}", Extension.BINARY),
    ],
)
def test_extensions(command: bytes, extension: Extension) -> None:
    core = ImapServerCore()
    core.state = State.SELECTED
    core.receive(b"a " + command + b"\r\n")
    assert core.next_event() is None
    lacks = b"enabled" if extension in ENABLED else b"offered"
    assert core.data_to_send() == b"a BAD %b is not %b\r\n" % (extension.value, lacks)
    core.offer(extension)
    core.receive(b"a " + command + b"\r\n")
    assert core.next_event() is not None
