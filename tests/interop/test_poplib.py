"""Python's own poplib."""

import poplib

import pytest

from tests.interop.messages import message, receive, texts
from tests.interop.postroad_server import HOST, PASSWORD, Postroad


def pop3(server: Postroad) -> poplib.POP3_SSL:
    """A session of ada, logged in."""
    session = poplib.POP3_SSL(HOST, server.ports.pop3s, context=server.tls_context())
    log_in(session)
    return session


def log_in(session: poplib.POP3) -> None:
    """As ada, by USER and PASS."""
    session.user("ada@ours.test")
    session.pass_(PASSWORD)


def test_read_the_whole_maildrop(server: Postroad) -> None:
    receive(server, message("first", "One.\r\n.\r\nEnd.\r\n"))
    receive(server, message("second"))
    session = pop3(server)

    count, size = session.stat()
    _, lines, octets = session.retr(1)
    _, top, _ = session.top(2, 0)
    _, sizes, _ = session.list()
    _, names, _ = session.uidl()
    session.quit()

    assert (count, len(names), len(sizes)) == (2, 2, 2)
    assert size == sum(int(line.split()[1]) for line in sizes)
    assert lines[-3:] == [b"One.", b".", b"End."]
    assert octets == int(sizes[0].split()[1])
    assert b"Subject: second" in top
    assert b"Hello." not in top


def test_deletions_count_at_quit_only(server: Postroad) -> None:
    receive(server, message("first"))
    receive(server, message("second"))
    session = pop3(server)
    session.dele(1)
    session.rset()
    session.dele(2)
    session.quit()
    broken = pop3(server)
    names = broken.uidl()[1]
    broken.dele(1)
    broken.close()

    [left] = texts(server)
    assert "Subject: first" in left
    again = pop3(server)
    assert again.uidl()[1] == names
    again.quit()


def test_log_in_after_stls_and_not_before(server: Postroad) -> None:
    session = poplib.POP3(HOST, server.ports.pop3)
    assert "STLS" in session.capa()
    with pytest.raises(poplib.error_proto):
        log_in(session)
    session.stls(server.tls_context())
    log_in(session)
    assert session.stat() == (0, 0)
    session.quit()


def test_a_wrong_password_is_refused(server: Postroad) -> None:
    session = poplib.POP3_SSL(HOST, server.ports.pop3s, context=server.tls_context())
    session.user("ada@ours.test")
    with pytest.raises(poplib.error_proto, match="AUTH"):
        session.pass_("wrong")
    session.close()
