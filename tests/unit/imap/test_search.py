"""SEARCH (RFC 3501 §6.4.4, RFC 4731, RFC 5032)."""

import pytest

from postroad.model.flags import Flag
from tests.unit.imap.world import Client, Server, World, message

ENCODED = message("=?utf-8?q?Gr=C3=BC=C3=9Fe?= aus =?iso-8859-1?q?K=F6ln?=", To="Ada <ada@demo.test>")
BASE64 = (
    b'From: "O\'Neil \\"x\\"" <o@demo.test>\r\nDate: Fri, 01 Mar 2024 23:30:00 -0800\r\n'
    b"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
    b"Content-Transfer-Encoding: base64\r\n\r\nw4RwZmVsIHVuZCBCaXJuZW4K\r\n"
)
PLAIN = message("plain", "needle in a haystack\r\n", Cc="carol@demo.test", X_Empty="")


async def filled(server: Server, client: Client) -> None:
    """Four messages: 1 encoded words, 2 base64 and a date, 3 plain, 4 large and old."""
    large = message("large", "x" * 5000 + "\r\n")
    await client.append(ENCODED, flags=b"\\Seen")
    await client.append(BASE64, flags=b"\\Flagged")
    await client.append(PLAIN, flags=b"\\Answered \\Seen $Work")
    await client.do(b'APPEND INBOX (\\Draft) "01-Feb-2020 12:00:00 +0000" {%d+}\r\n%b' % (len(large), large))
    await client.ok(b"SELECT INBOX")


@pytest.mark.parametrize(
    ("keys", "found"),
    [
        ("ALL", "1 2 3 4"),
        ("SEEN", "1 3"),
        ("UNSEEN", "2 4"),
        ("NEW", "2 4"),
        ("OLD", ""),
        ("RECENT", "1 2 3 4"),
        ("ANSWERED", "3"),
        ("UNANSWERED UNDRAFT", "1 2"),
        ("FLAGGED", "2"),
        ("UNFLAGGED SEEN", "1 3"),
        ("DRAFT", "4"),
        ("DELETED", ""),
        ("UNDELETED", "1 2 3 4"),
        ("KEYWORD $work", "3"),
        ("UNKEYWORD $Work", "1 2 4"),
        ("2:3", "2 3"),
        ("*", "4"),
        ("1:99", "1 2 3 4"),
        ("77", ""),
        ("UID 3:*", "3 4"),
        ("UID 2 3", ""),
        ("NOT 2", "1 3 4"),
        ("NOT (SEEN FLAGGED)", "1 2 3 4"),
        ("OR 1 UID 4", "1 4"),
        ("OR (SEEN 1) OR DRAFT FLAGGED", "1 2 4"),
        ("LARGER 5000", "4"),
        ("SMALLER 5000", "1 2 3"),
        ("BEFORE 1-Feb-2020", ""),
        ("ON 1-Feb-2020", "4"),
        ("SINCE 1-Feb-2020", "1 2 3 4"),
        ("SINCE 2-Feb-2020", "1 2 3"),
        ("BEFORE 2-Feb-2020", "4"),
        ("SENTON 1-Mar-2024", "2"),
        ("SENTBEFORE 2-Mar-2024", "2"),
        ("SENTSINCE 2-Mar-2024", ""),
        ("OLDER 86400", "4"),
        ("YOUNGER 86400", "1 2 3"),
        ("SUBJECT plain", "3"),
        ('SUBJECT "PLAIN"', "3"),
        ('SUBJECT ""', "1 3 4"),
        ("FROM bob", "1 3 4"),
        ("FROM bob@demo.test", "1 3 4"),
        ('FROM "O\'Neil \\"x\\""', "2"),
        ('FROM "<o@demo.test>"', "2"),
        ("TO ada", "1"),
        ("CC CAROL", "3"),
        ("BCC bob", ""),
        ('HEADER X-Empty ""', "3"),
        ("HEADER x-empty no", ""),
        ("HEADER Content-Type text/plain", "2"),
        ("BODY needle", "3"),
        ("BODY NEEDLE", "3"),
        ("BODY plain", ""),
        ("TEXT plain", "2 3"),
        ("BODY birnen", "2"),
        ("NOT BODY birnen FLAGGED", ""),
        ("OR BODY needle SUBJECT large", "3 4"),
    ],
)
def test_keys(world: World, keys: str, found: str) -> None:
    async def talk(server: Server, client: Client) -> None:
        await filled(server, client)
        expected = b"SEARCH " + found.encode() if found else b"SEARCH"
        assert await client.ok(b"SEARCH " + keys.encode()) == [expected]
        assert await client.ok(b"UID SEARCH " + keys.encode()) == [expected]

    world.talk(talk)


def test_the_calendar_ends_with_its_last_day(world: World) -> None:
    late = message("late", "", Date="Fri, 31 Dec 9999 23:59:59 +0000")

    async def talk(server: Server, client: Client) -> None:
        await client.do(b'APPEND INBOX "31-Dec-9999 23:59:59 -1200" {%d+}\r\n%b' % (len(late), late))
        await client.ok(b"SELECT INBOX")
        for key in (b"ON", b"SINCE", b"SENTON", b"SENTSINCE"):
            assert await client.ok(b"SEARCH %b 31-Dec-9999" % key) == [b"SEARCH 1"]
            assert await client.ok(b"SEARCH %b 1-Jan-0001" % key) == [
                b"SEARCH 1" if b"SINCE" in key else b"SEARCH"
            ]
        assert await client.ok(b"SEARCH OR BEFORE 1-Jan-0001 SENTBEFORE 31-Dec-9999") == [b"SEARCH"]

    world.talk(talk)


@pytest.mark.parametrize(
    ("key", "text", "found"),
    [
        ("SUBJECT", "grüsse", ""),  # ß has no title of one letter (RFC 5051 §2)
        ("SUBJECT", "GRÜßE AUS KÖLN", "1"),
        ("SUBJECT", "u\N{COMBINING DIAERESIS}ße", "1"),
        ("BODY", "äpfel", "2"),
        ("TEXT", "köln", "1"),
        ("TEXT", "kolna", ""),
    ],
)
def test_unicode(world: World, key: str, text: str, found: str) -> None:
    async def talk(server: Server, client: Client) -> None:
        await filled(server, client)
        expected = b"SEARCH " + found.encode() if found else b"SEARCH"
        octets = text.encode()
        command = b"SEARCH CHARSET UTF-8 %b {%d+}\r\n%b" % (key.encode(), len(octets), octets)
        assert await client.ok(command) == [expected]

    world.talk(talk)


def test_a_charset_nobody_knows(world: World) -> None:
    async def talk(_: Server, client: Client) -> None:
        await client.ok(b"SELECT INBOX")
        (answer,) = await client.do(b"SEARCH CHARSET X-KLINGON TEXT a")
        assert answer.startswith(b"NO [BADCHARSET (")

    world.talk(talk)


def test_an_empty_mailbox(world: World) -> None:
    async def talk(_: Server, client: Client) -> None:
        await client.ok(b"SELECT INBOX")
        assert await client.ok(b"SEARCH ALL") == [b"SEARCH"]
        assert await client.ok(b"SEARCH 1:* UNSEEN") == [b"SEARCH"]
        assert await client.ok(b"UID SEARCH UID 1:*") == [b"SEARCH"]

    world.talk(talk)


def test_esearch(world: World) -> None:
    async def talk(server: Server, client: Client) -> None:
        await server.inbox(*[message()] * 5, flags=Flag.SEEN)
        await server.inbox(message())
        await client.ok(b"SELECT INBOX")
        await client.send(b"a SEARCH RETURN (MIN MAX COUNT ALL) SEEN\r\n")
        assert (await client.until(b"a"))[0] == b'* ESEARCH (TAG "a") MIN 1 MAX 5 COUNT 5 ALL 1:5'
        await client.send(b"b UID SEARCH RETURN () NOT 3\r\n")
        assert (await client.until(b"b"))[0] == b'* ESEARCH (TAG "b") UID ALL 1:2,4:6'
        await client.send(b"c SEARCH RETURN (COUNT MIN) DELETED\r\n")
        assert (await client.until(b"c"))[0] == b'* ESEARCH (TAG "c") COUNT 0'

    world.talk(talk)


def test_saved_results(world: World) -> None:
    async def talk(server: Server, client: Client) -> None:
        await server.inbox(*[message()] * 5)
        await client.ok(b"SELECT INBOX")
        assert await client.ok(b"SEARCH RETURN (SAVE) 2,4") == []
        assert await client.ok(b"FETCH $ UID") == [b"2 FETCH (UID 2)", b"4 FETCH (UID 4)"]
        assert await client.ok(b"UID STORE $ +FLAGS.SILENT (\\Deleted)") == []
        assert await client.ok(b"SEARCH NOT $") == [b"SEARCH 1 3 5"]
        assert await client.ok(b"EXPUNGE") == [b"4 EXPUNGE", b"2 EXPUNGE", b"3 RECENT"]
        assert await client.ok(b"SEARCH $") == [b"SEARCH"]
        assert await client.ok(b"FETCH $ UID") == []
        (line,) = await client.ok(b"SEARCH RETURN (MAX SAVE) ALL")
        assert line.endswith(b" MAX 3")
        assert await client.ok(b"FETCH $ UID") == [b"3 FETCH (UID 5)"]
        await client.ok(b"SEARCH RETURN (MIN MAX SAVE) ALL")
        assert await client.ok(b"SEARCH $") == [b"SEARCH 1 3"]
        await client.ok(b"SEARCH RETURN (MIN COUNT SAVE) ALL")
        assert await client.ok(b"SEARCH $") == [b"SEARCH 1 2 3"]

    world.talk(talk)


def test_what_fails_is_not_saved(world: World) -> None:
    async def talk(server: Server, client: Client) -> None:
        await server.inbox(*[message()] * 3)
        await client.ok(b"SELECT INBOX")
        await client.ok(b"SEARCH RETURN (SAVE) ALL")
        await client.do(b"SEARCH RETURN (SAVE) BOGUS")
        await client.do(b"SEARCH CHARSET klingon ALL")
        assert await client.ok(b"SEARCH $") == [b"SEARCH 1 2 3"]
        assert (await client.do(b"SEARCH RETURN (SAVE) CHARSET klingon ALL"))[-1].startswith(
            b"NO [BADCHARSET"
        )
        assert await client.ok(b"SEARCH $") == [b"SEARCH"]

    world.talk(talk)


def test_text_is_compared_by_unicode_casemap(world: World) -> None:
    """RFC 5255 §4.3: without case, letters and their marks taken apart; ß is no SS (RFC 5051)."""

    async def talk(server: Server, client: Client) -> None:
        await server.inbox(
            message("GRÜSSE", body="caf\u00e9 Straße"),
            message("gr\u0075\u0308sse", body="CAFE\u0301"),
            message("gru"),
        )
        await client.ok(b"SELECT INBOX")

        async def found(criteria: str) -> bytes:
            [line] = await client.ok(b"SEARCH CHARSET UTF-8 " + criteria.encode())
            return line

        assert await found('SUBJECT "Grüsse"') == b"SEARCH 1 2"
        assert await found("SUBJECT gru") == b"SEARCH 1 2 3"
        assert await found('BODY "Café"') == b"SEARCH 1 2"
        assert await found('TEXT "STRAßE"') == b"SEARCH 1"
        assert await found("BODY STRASSE") == b"SEARCH"

    world.talk(talk)
