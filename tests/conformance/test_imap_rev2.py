"""IMAP4rev2 and BINARY held to their grammar (RFC 9051, RFC 3516)."""

import base64
from typing import Final

import pytest

from tests.conformance.imap_client import Imap, Lit
from tests.conformance.imap_values import Listed

PARTS: Final = (
    b'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\n'
    b"Content-Transfer-Encoding: quoted-printable\r\n\r\nGr=C3=BC=C3=9Fe\r\n--b\r\n"
    b"Content-Transfer-Encoding: base64\r\n\r\n" + base64.b64encode(bytes(range(64))) + b"\r\n--b--\r\n"
)


@pytest.fixture
def rev2(imap: Imap) -> Imap:
    """A session that has enabled IMAP4rev2."""
    assert imap.ok(b"ENABLE IMAP4rev2").one(b"ENABLED") == [b"IMAP4rev2"]
    imap.rev2 = True
    return imap


@pytest.mark.parametrize(
    ("item", "octets"),
    [
        (b"BINARY.PEEK[1]", "Grüße".encode()),
        (b"BINARY.PEEK[1]<2.2>", "ü".encode()),
        (b"BINARY.PEEK[2]", bytes(range(64))),
        (b"BINARY.PEEK[2]<1.10>", bytes(range(1, 11))),
        (b"BINARY.PEEK[2]<64.10>", b""),
        (b"BINARY.PEEK[]", PARTS),
        (b"BINARY.PEEK[3]", None),
    ],
)
def test_binary(imap: Imap, box: bytes, item: bytes, octets: bytes | None) -> None:
    imap.append(box, PARTS)
    imap.select(box)
    (fetched,) = imap.fetch(b"1 " + item)
    assert list(fetched.sections.values()) == [octets]
    if b"<" not in item:
        (fetched,) = imap.fetch(b"1 " + item.replace(b"PEEK", b"SIZE"))
        assert list(fetched.binary_sizes.values()) == [len(octets or b"")]


def test_select(rev2: Imap, box: bytes) -> None:
    rev2.append(box, PARTS)
    answer = rev2.ok(b"SELECT " + box)
    (listed,) = answer.of(Listed)
    assert listed.name == box
    assert answer.coded(b"UNSEEN") is None
    assert answer.coded(b"UIDNEXT") is not None
    assert rev2.ok(b"SELECT INBOX").coded(b"CLOSED") is not None


def test_search(rev2: Imap, box: bytes) -> None:
    rev2.append(box, PARTS)
    rev2.ok(b"SELECT " + box)
    assert rev2.ok(b"SEARCH ALL").one(b"ESEARCH")[1:] == [b"ALL", 1]
    assert rev2.ok(b"UID SEARCH SEEN").one(b"ESEARCH")[1:] == [b"UID"]
    assert rev2.ok('SEARCH BODY "Grüße"'.encode()).one(b"ESEARCH")[1:] == [b"ALL", 1]


def test_names(rev2: Imap, box: bytes) -> None:
    name = box + "-Entwürfe".encode()
    rev2.ok(b'CREATE "' + name + b'"')
    assert [listed.name for listed in rev2.ok(b'LIST "" "' + box + b'-*"').of(Listed)] == [name]
    (listed,) = rev2.ok(b"RENAME ", Lit(name), b" " + box + b"-x").of(Listed)
    assert listed.extended == [[b"OLDNAME", [name]]] or listed.extended == [b"OLDNAME", [name]]


def test_flags_come_with_their_uid(rev2: Imap, box: bytes) -> None:
    rev2.append(box, PARTS)
    rev2.ok(b"SELECT " + box)
    (fetched,) = rev2.ok(b"STORE 1 +FLAGS ($Forwarded)").fetched
    assert fetched.uid == 1
    rev2.append(box, PARTS)
    assert rev2.exists == 2
