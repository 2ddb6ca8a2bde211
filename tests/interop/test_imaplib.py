"""Python's own imaplib reads and changes mail."""

import imaplib
import zlib
from contextlib import ExitStack
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest

from tests.interop.messages import imap, message, receive
from tests.interop.postroad_server import HOST, PASSWORD, Postroad


def test_the_special_mailboxes_are_there_from_the_start(server: Postroad) -> None:
    with imap(server) as session:
        _, lines = session.list()

    listed = b"\n".join(line for line in lines if isinstance(line, bytes))
    for use in (b"Sent", b"Drafts", b"Junk", b"Trash", b"Archive"):
        assert b"\\" + use in listed


def test_log_in_after_starttls_and_not_before(server: Postroad) -> None:
    with imaplib.IMAP4(HOST, server.ports.imap) as session:
        assert "LOGINDISABLED" in session.capabilities
        with pytest.raises(imaplib.IMAP4.error, match="PRIVACYREQUIRED"):
            session.login("ada@ours.test", PASSWORD)
        session.starttls(server.tls_context())
        assert "LOGINDISABLED" not in session.capabilities
        assert session.login("ada@ours.test", PASSWORD)[0] == "OK"


def test_authenticate_plain(server: Postroad) -> None:
    secret = f"\0ada@ours.test\0{PASSWORD}".encode()
    with imaplib.IMAP4_SSL(HOST, server.ports.imaps, ssl_context=server.tls_context()) as session:
        assert session.authenticate("PLAIN", lambda _: secret)[0] == "OK"


def test_a_wrong_password_is_refused(server: Postroad) -> None:
    with imaplib.IMAP4_SSL(HOST, server.ports.imaps, ssl_context=server.tls_context()) as session:
        with pytest.raises(imaplib.IMAP4.error, match="AUTHENTICATIONFAILED"):
            session.login("ada@ours.test", "wrong")
        assert session.login("ada@ours.test", PASSWORD)[0] == "OK"


def test_append_gives_back_what_was_given(server: Postroad) -> None:
    text = message("Grüße", "8-bit: äöü, a dot:\r\n.\r\nand a line " + "x" * 3000 + "\r\n").encode()
    with imap(server) as session:
        status, said = session.append("INBOX", r"(\Seen keyword)", '"01-Feb-2024 03:04:05 +0600"', text)
        assert status == "OK"
        assert b"APPENDUID" in said[0]
        session.select()
        _, data = session.fetch("1", "(FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[])")

    first = data[0]
    assert isinstance(first, tuple)
    assert first[1] == text
    facts = first[0] + (data[1] if isinstance(data[1], bytes) else b"")
    assert b"RFC822.SIZE %d" % len(text) in facts
    assert set(imaplib.ParseFlags(facts)) >= {b"\\Seen", b"keyword"}
    assert imaplib.Internaldate2tuple(facts) is not None
    assert b'INTERNALDATE "01-Feb-2024 03:04:05 +0600"' in facts or b'"31-Jan-2024 21:04:05 +0000"' in facts


def test_mailboxes_are_created_renamed_and_deleted(server: Postroad) -> None:
    with imap(server) as session:
        assert session.create('"Post/2024/M&AOQ-rz"')[0] == "OK"
        assert session.rename("Post/2024", "Post/2025")[0] == "OK"
        assert session.subscribe('"Post/2025/M&AOQ-rz"')[0] == "OK"
        assert session.create("inbox")[0] == "NO"
        _, lines = session.list('""', '"Post/%"')
        assert [line.split()[-1].strip(b'"') for line in lines if isinstance(line, bytes)] == [b"Post/2025"]
        _, lines = session.lsub('""', '"Post*"')
        assert b"M&AOQ-rz" in b"".join(line for line in lines if isinstance(line, bytes))
        assert session.delete('"Post/2025/M&AOQ-rz"')[0] == "OK"
        assert session.delete("Post/2026")[0] == "NO"


def test_copy_move_and_expunge(server: Postroad) -> None:
    for word in ("apple", "bread", "cheese"):
        receive(server, message(word))
    with imap(server) as session:
        session.select()
        assert session.uid("COPY", "1", "Archive")[0] == "OK"
        assert session.response("COPYUID")[1] != [None]
        assert session.uid("MOVE", "2", "Trash")[0] == "OK"
        assert session.response("EXPUNGE") == ("EXPUNGE", [b"2"])
        session.store("2", "+FLAGS.SILENT", r"\Deleted")
        assert session.expunge() == ("OK", [b"2"])
        assert session.search(None, "ALL") == ("OK", [b"1"])
        assert session.select("Trash") == ("OK", [b"1"])
        assert session.search(None, "SUBJECT", "bread") == ("OK", [b"1"])
        assert session.close()[0] == "OK"


def test_search_and_sort_of_facts(server: Postroad) -> None:
    receive(server, message("small", "x\r\n"))
    receive(server, message("large", "y" * 5000 + "\r\n"))
    with imap(server) as session:
        session.select()
        session.store("1", "+FLAGS", r"(\Answered urgent)")
        for question, answer in {
            "LARGER 4000": b"2",
            "NOT LARGER 4000": b"1",
            "KEYWORD urgent": b"1",
            "OR ANSWERED SUBJECT large": b"1 2",
            'FROM "bob@ours.test" SINCE 1-Jan-2024': b"1 2",
            "BEFORE 1-Jan-2024": b"",
            "BODY yyyy": b"2",
            "UID 2:*": b"2",
        }.items():
            assert session.search(None, question) == ("OK", [answer]), question


def test_the_parts_of_a_message(server: Postroad) -> None:
    text = (Path(__file__).with_name("mixed.eml")).read_bytes()
    with imap(server) as session:
        session.append("INBOX", "", "", text)
        session.select()
        _, data = session.fetch("1", "(ENVELOPE BODYSTRUCTURE)")
        [described] = [item for item in data if isinstance(item, bytes)]
        _, part = session.fetch("1", "(BODY.PEEK[1.2])")
        _, cut = session.fetch("1", "(BODY.PEEK[2.TEXT]<0.5>)")
        _, field = session.fetch("1", "(BODY.PEEK[HEADER.FIELDS (DATE)])")

    assert b'("text" "plain"' in described.lower()
    assert b'("message" "rfc822"' in described.lower()
    assert isinstance(part[0], tuple)
    assert part[0][1] == b"<p>Hello</p>"
    assert isinstance(cut[0], tuple)
    assert cut[0][1] == b"Inner"
    assert isinstance(field[0], tuple)
    date = field[0][1].decode().partition(":")[2].strip()
    assert parsedate_to_datetime(date).year == 2024


def test_idle_sessions_hear_of_a_delivery_whatever_worker_they_are_on(server: Postroad) -> None:
    with ExitStack() as stack:
        idlers = [stack.enter_context(imap(server)) for _ in range(8)]
        for idler in idlers:
            idler.select()
            idler.send(b"idle IDLE\r\n")
            assert idler.readline().startswith(b"+")
        receive(server, message("news"))
        for idler in idlers:
            idler.sock.settimeout(10)
            heard = b""
            while b"EXISTS" not in heard:
                heard = _line(idler)
            assert heard == b"* 1 EXISTS\r\n"
            idler.send(b"DONE\r\n")
            while not _line(idler).startswith(b"idle OK"):
                pass


def _line(session: imaplib.IMAP4) -> bytes:
    try:
        line = session.readline()
    except TimeoutError:
        line = b""
    assert line, "the session heard nothing"
    return line


class Deflating(imaplib.IMAP4_SSL):
    """imaplib cannot compress; here it is taught to (RFC 4978)."""

    def compress(self) -> None:
        imaplib.Commands["COMPRESS"] = ("AUTH", "SELECTED")
        assert self._simple_command("COMPRESS", "DEFLATE")[0] == "OK"
        self._packer = zlib.compressobj(9, zlib.DEFLATED, -15)
        self._unpacker = zlib.decompressobj(-15)
        self._plain = b""
        self.send = self._send_deflated  # type: ignore[method-assign, assignment]
        self.read = self._read_inflated  # type: ignore[method-assign]
        self.readline = self._read_line  # type: ignore[method-assign]

    def _send_deflated(self, data: bytes) -> None:
        self.sock.sendall(self._packer.compress(data) + self._packer.flush(zlib.Z_SYNC_FLUSH))

    def _more(self) -> None:
        data = self.sock.recv(1 << 16)
        assert data, "the server has closed"
        self._plain += self._unpacker.decompress(data)

    def _read_inflated(self, size: int) -> bytes:
        while len(self._plain) < size:
            self._more()
        taken, self._plain = self._plain[:size], self._plain[size:]
        return taken

    def _read_line(self) -> bytes:
        while b"\n" not in self._plain:
            self._more()
        return self._read_inflated(self._plain.index(b"\n") + 1)


def test_a_compressed_session(server: Postroad) -> None:
    text = message("wide", "0123456789\r\n" * 20_000).encode()
    with Deflating(HOST, server.ports.imaps, ssl_context=server.tls_context()) as session:
        session.login("ada@ours.test", PASSWORD)
        session.compress()
        assert session.append("INBOX", "", "", text)[0] == "OK"
        session.select()
        _, data = session.fetch("1", "(BODY[])")
        first = data[0]
        assert isinstance(first, tuple)
        assert first[1] == text
        assert session.search(None, "SEEN") == ("OK", [b"1"])
