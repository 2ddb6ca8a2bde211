"""BINARY at its edges: large parts, pieces, digests (RFC 3516)."""

import base64

from postroad.store.types import NewMessage
from tests.unit.imap.world import Client, Server, World

LARGE = bytes(range(1, 256)) * 2000
HEAD = b"MIME-Version: 1.0\r\nContent-Type: image/x\r\nContent-Transfer-Encoding: base64\r\n\r\n"


def in_base64(octets: bytes) -> bytes:
    return HEAD + base64.encodebytes(octets).replace(b"\n", b"\r\n")


def test_a_part_that_does_not_fit_in_memory(world: World) -> None:
    async def talk(server: Server, client: Client) -> None:
        await server.inbox(in_base64(LARGE), in_base64(LARGE + b"\0"))
        await client.ok(b"SELECT INBOX")
        size = len(LARGE)
        assert await client.ok(b"FETCH 1 (BINARY.SIZE[1] BINARY.PEEK[1])") == [
            b"1 FETCH (BINARY.SIZE[1] %d BINARY[1] {%d}\r\n%b)" % (size, size, LARGE)
        ]
        assert await client.ok(b"FETCH 2 (BINARY.PEEK[1])") == [
            b"2 FETCH (BINARY[1] ~{%d}\r\n%b\0)" % (size + 1, LARGE)
        ]
        # What is sent has no NUL, and is a plain literal.
        assert await client.ok(b"FETCH 2 (BINARY.PEEK[1]<400000.1000>)") == [
            b"2 FETCH (BINARY[1]<400000> {1000}\r\n%b)" % LARGE[400_000:401_000]
        ]
        assert await client.ok(b"FETCH 2 (BINARY.PEEK[1]<%d.9>)" % (size - 1)) == [
            b"2 FETCH (BINARY[1]<%d> ~{2}\r\n\xff\0)" % (size - 1)
        ]

    world.talk(talk)


def test_every_size_is_that_of_what_is_given(world: World) -> None:
    texts = [b"", b"a", b"a=3D", b"YQ==", b"YWI=\r\n", b"a=\r\nb \r\n", b"\xff\r\n", b"YWJj\r\nZ"]
    encodings = [b"7bit", b"8BIT", b"binary", b"Base64", b"quoted-printable", b"QUOTED-PRINTABLE"]

    async def talk(server: Server, client: Client) -> None:
        inbox = server.account.mailbox("INBOX")
        assert inbox is not None
        await server.account.append(
            inbox.id,
            [
                NewMessage(b"Content-Transfer-Encoding: %b\r\n\r\n%b" % (encoding, text))
                for text in texts
                for encoding in encodings
            ],
        )
        await client.ok(b"EXAMINE INBOX")
        sizes = await client.ok(b"FETCH 1:* BINARY.SIZE[1]")
        texts_given = await client.ok(b"FETCH 1:* BINARY[1]")
        for size, given in zip(sizes, texts_given, strict=True):
            assert size.split(b"BINARY.SIZE[1] ")[1][:-1] == given.split(b"{")[1].split(b"}")[0]

    world.talk(talk)


def test_a_binary_message_that_does_not_fit_in_memory(world: World) -> None:
    octets = b"MIME-Version: 1.0\r\nContent-Transfer-Encoding: binary\r\n\r\n" + bytes(1_000_000)

    async def talk(_: Server, client: Client) -> None:
        [answer] = await client.ok(b"APPEND INBOX ~{%d+}\r\n%b" % (len(octets), octets)) or [b""]
        assert answer == b""
        await client.ok(b"SELECT INBOX")
        assert await client.ok(b"FETCH 1 BINARY.PEEK[1]") == [
            b"1 FETCH (BINARY[1] ~{1000000}\r\n%b)" % bytes(1_000_000)
        ]
        [structure] = await client.ok(b"FETCH 1 BODY")
        assert b'"base64"' in structure

    world.talk(talk)
