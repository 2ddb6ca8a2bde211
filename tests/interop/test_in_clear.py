"""A webmail on the same machine logs in without TLS, where the settings say that it may."""

import imaplib
import poplib
from pathlib import Path

import pytest

from tests.interop.addresses import free_ports
from tests.interop.certificates import Certificates
from tests.interop.messages import message, receive
from tests.interop.postroad_server import PASSWORD, Postroad, running

LISTENER = """
[[listener]]
role = "{role}"
address = "127.0.0.1:{port}"
tls = "none"
passwords_in_clear = true
"""


def test_passwords_in_clear(tmp_path: Path, certificates: Certificates) -> None:
    ports = free_ports(2)
    more = "".join(
        LISTENER.format(role=role, port=port) for role, port in zip(("imap", "pop3"), ports, strict=True)
    )
    with running(Postroad(tmp_path, certificates, more=more)) as server:
        receive(server, message("hello"))

        with imaplib.IMAP4("127.0.0.1", ports[0]) as reading:
            assert "LOGINDISABLED" not in reading.capabilities
            assert "STARTTLS" not in reading.capabilities
            reading.login("ada@ours.test", PASSWORD)
            assert reading.select()[1] == [b"1"]

        elsewhere = imaplib.IMAP4("127.0.0.1", server.ports.imap)
        with elsewhere, pytest.raises(imaplib.IMAP4.error, match="under TLS only"):
            elsewhere.login("ada@ours.test", PASSWORD)

        popping = poplib.POP3("127.0.0.1", ports[1])
        popping.user("ada@ours.test")
        popping.pass_(PASSWORD)
        assert popping.stat()[0] == 1
        popping.quit()
