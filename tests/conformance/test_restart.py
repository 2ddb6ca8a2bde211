"""What has to be the same after the server was stopped, and after it was killed (RFC 3501 §2.3.1)."""

from contextlib import closing
from pathlib import Path

import pytest

from tests.conformance.imap_client import Imap
from tests.conformance.pop3_client import Pop3
from tests.conformance.smtp_client import Smtp
from tests.interop.certificates import make_certificates
from tests.interop.postroad_server import HOST, PASSWORD, Postroad, running


def seen_by_clients(server: Postroad) -> list[object]:
    """Everything that clients remember or compare."""
    with closing(Imap(server.ports.imaps, tls=server.tls_context())) as imap:
        imap.log_in("ada@ours.test", PASSWORD)
        names = [(listed.name, listed.attributes) for listed in imap.ok(b'LIST "" *').listed]
        subscribed = [listed.name for listed in imap.ok(b'LSUB "" *').listed]
        status = [
            imap.ok(b"STATUS " + name + b" (MESSAGES UIDNEXT UIDVALIDITY UNSEEN)").one(b"STATUS")
            for name in (b"INBOX", b"kept")
        ]
        imap.select(b"kept", examine=True)
        messages = imap.fetch(b"1:* (UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE BODY.PEEK[])")
    with closing(Pop3(server.ports.pop3s, tls=server.tls_context())) as pop3:
        uids = pop3.log_in("ada@ours.test", PASSWORD).lines(b"UIDL")
        pop3.ok(b"QUIT")
    return [names, subscribed, status, messages, uids]


@pytest.mark.parametrize("killed", [False, True])
def test_clients_find_everything_as_it_was(tmp_path: Path, killed: bool) -> None:
    certificates = make_certificates(tmp_path, HOST, "127.0.0.1")
    with running(Postroad(tmp_path, certificates)) as server:
        with closing(Imap(server.ports.imaps, tls=server.tls_context())) as imap:
            imap.log_in("ada@ours.test", PASSWORD)
            imap.ok(b"CREATE kept")
            imap.ok(b"SUBSCRIBE kept")
            for number in range(5):
                imap.append(b"kept", b"Subject: %d\r\n\r\n" % number, b"(\\Seen kw%d)" % number)
            imap.select(b"kept")
            imap.ok(b"STORE 4:5 +FLAGS.SILENT (\\Deleted)")
            imap.ok(b"CLOSE")  # the highest UIDs are gone and must not come back
        with closing(Smtp(server.ports.smtp).ehlo()) as smtp:
            assert smtp.message(b"Subject: x\r\n\r\n").code == 250
        before = seen_by_clients(server)
        if killed:
            server.kill()
        else:
            server.stop()
        server.start()
        assert seen_by_clients(server) == before
        with closing(Imap(server.ports.imaps, tls=server.tls_context())) as imap:
            imap.log_in("ada@ours.test", PASSWORD)
            assert imap.append(b"kept", b"Subject: new\r\n\r\n") == 6
