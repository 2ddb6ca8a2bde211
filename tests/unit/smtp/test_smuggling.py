"""SAFETY C1: CR LF . CR LF ends a message, and nothing that looks like it."""

import pytest

from postroad.smtp.wire.data import BARE_LINE_END, HAS_NUL
from postroad.smtp.wire.events import DataChunk, DataEnd, DataRefused, Event, Mail
from tests.unit.smtp.core import core_at, core_in_data, feed

BARE = {
    "LF . LF": b"\n.\n",
    "LF . CR": b"\n.\r",
    "LF . CRLF": b"\n.\r\n",
    "CR . LF": b"\r.\n",
    "CR . CR": b"\r.\r",
    "CR . CRLF": b"\r.\r\n",
    "CRLF . LF": b"\r\n.\n",
    "CRLF . CR": b"\r\n.\r",
    "CRLF . CR CRLF": b"\r\n.\r\r\n",
    "CR CRLF . CR CRLF": b"\r\r\n.\r\r\n",
    "CRLF . LF CRLF": b"\r\n.\n\r\n",
    "CRLF . LF LF": b"\r\n.\n\n",
    "LF LF . LF LF": b"\n\n.\n\n",
    "CR CR . CR CR": b"\r\r.\r\r",
    "LF CR . CRLF": b"\n\r.\r\n",
    "LF CR . LF CR": b"\n\r.\n\r",
    "CR CR . CRLF": b"\r\r.\r\n",
    "LF LF . CRLF": b"\n\n.\r\n",
    "CR NUL LF . CRLF": b"\r\0\n.\r\n",
    "CRLF . CR NUL LF": b"\r\n.\r\0\n",
    "LF NUL . LF": b"\n\0.\n",
    "LF .. LF": b"\n..\n",
    "CRLF .. CR": b"\r\n..\r",
    "CR SPACE LF . CRLF": b"\r \n.\r\n",
}
NUL = {
    "CRLF NUL . CRLF": b"\r\n\0.\r\n",
    "CRLF . NUL CRLF": b"\r\n.\0\r\n",
    "NUL CRLF . NUL CRLF NUL": b"\0\r\n.\0\r\n\0",
}
# These are lawful text: taken as they are, but for the dot that was stuffed.
HARMLESS = {
    "CRLF SPACE . CRLF": b"\r\n .\r\n",
    "CRLF . SPACE CRLF": b"\r\n. \r\n",
    "CRLF . TAB CRLF": b"\r\n.\t\r\n",
    "CRLF .. CRLF": b"\r\n..\r\n",
    "NEL . NEL": b"\x85.\x85",
    "U+2028 . U+2028": "\u2028.\u2028".encode(),
    "VT . VT": b"\v.\v",
    "FF . FF": b"\f.\f",
    "CRLF with the high bit": b"\x8d\x8a.\x8d\x8a",
    "quoted-printable": b"=0D=0A.=0D=0A",
}
HIDDEN = b"MAIL FROM:<smuggler@bar.test>\r\nRCPT TO:<ada@ours.test>\r\nDATA\r\nSubject: smuggled\r\n"


def events_of(look_alike: bytes, *, by_octet: bool) -> list[Event]:
    wire = b"Subject: first\r\n\r\nbody" + look_alike + HIDDEN + b"\r\n.\r\n"
    core = core_in_data()
    pieces = [wire[at : at + 1] for at in range(len(wire))] if by_octet else [wire]
    return [event for piece in pieces for event in feed(core, piece)]


def test_there_are_enough_of_them() -> None:
    assert len(BARE | NUL | HARMLESS) >= 29


@pytest.mark.parametrize("by_octet", [False, True], ids=["whole", "octets"])
@pytest.mark.parametrize("look_alike", [pytest.param(v, id=k) for k, v in (BARE | NUL | HARMLESS).items()])
def test_a_look_alike_does_not_end_the_message(look_alike: bytes, by_octet: bool) -> None:
    events = events_of(look_alike, by_octet=by_octet)
    assert not any(isinstance(event, Mail) for event in events)
    assert [event for event in events if not isinstance(event, DataChunk)] == events[-1:]


@pytest.mark.parametrize("by_octet", [False, True], ids=["whole", "octets"])
@pytest.mark.parametrize("look_alike", [pytest.param(v, id=k) for k, v in BARE.items()])
def test_a_message_with_a_bare_line_end_is_refused(look_alike: bytes, by_octet: bool) -> None:
    assert events_of(look_alike, by_octet=by_octet)[-1] == DataRefused(BARE_LINE_END)


@pytest.mark.parametrize("look_alike", [pytest.param(v, id=k) for k, v in NUL.items()])
def test_a_message_with_a_nul_is_refused(look_alike: bytes) -> None:
    assert events_of(look_alike, by_octet=False)[-1] == DataRefused(HAS_NUL)


@pytest.mark.parametrize("by_octet", [False, True], ids=["whole", "octets"])
@pytest.mark.parametrize("text", [pytest.param(v, id=k) for k, v in HARMLESS.items()])
def test_what_is_lawful_text_is_taken_as_it_is(text: bytes, by_octet: bool) -> None:
    events = events_of(text, by_octet=by_octet)
    body = b"".join(event.data for event in events if isinstance(event, DataChunk))
    # RFC 5321 §4.5.2: one dot at the beginning of a line goes.
    assert body == b"Subject: first\r\n\r\nbody" + text.replace(b"\r\n.", b"\r\n") + HIDDEN + b"\r\n"
    assert events[-1] == DataEnd(len(body))


@pytest.mark.parametrize("before", [b"\r", b"\n", b"\n\r", b"\r\n\n"])
def test_the_real_end_counts_whatever_stands_before_it(before: bytes) -> None:
    events = list(feed(core_in_data(), b"body" + before + b"\r\n.\r\n"))
    assert events[-1] == DataRefused(BARE_LINE_END)


@pytest.mark.parametrize("look_alike", [pytest.param(v, id=k) for k, v in (BARE | NUL).items()])
def test_no_chunk_carries_one_either(look_alike: bytes) -> None:
    core = core_at("MAIL FROM:<a@bar.test>", "RCPT TO:<b@ours.test>")
    body = b"body" + look_alike + HIDDEN
    events = list(feed(core, b"BDAT %d LAST\r\n" % len(body) + body))
    assert isinstance(events[-1], DataRefused)
    assert not any(isinstance(event, Mail) for event in events)
