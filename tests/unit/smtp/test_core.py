"""The core, where a transcript would not show it."""

from dataclasses import replace

import pytest

from postroad.smtp.wire.commands import OVERSHOOT
from postroad.smtp.wire.events import (
    Answered,
    Data,
    DataChunk,
    DataEnd,
    DataRefused,
    HangUp,
    Hello,
    Mail,
    Rcpt,
    StartTls,
)
from postroad.smtp.wire.replies import Reply
from postroad.smtp.wire.server import SmtpServerCore
from postroad.smtp.wire.terms import with_protocol
from tests.unit.smtp.core import GO_ON, OK, TERMS, codes, core_at, core_in_data, feed, said


def test_talking_before_the_greeting_ends_it() -> None:
    core = SmtpServerCore(TERMS)
    core.receive(b"EHLO client.test\r\n")
    assert isinstance(core.greet(), HangUp)
    assert said(core) == ["554 5.5.1 wait for the greeting"]
    assert core.next_event() is None


def test_a_tls_handshake_in_clear_is_hung_up_on_without_a_word() -> None:
    core = SmtpServerCore(TERMS)
    core.greet()
    core.data_to_send()
    core.receive(b"\x16\x03\x01\x02\x00\x01")
    assert isinstance(core.next_event(), HangUp)
    assert said(core) == []


@pytest.mark.parametrize("line", [b"GET / HTTP/1.1", b"post /x HTTP/1.0", b"Host: a", b"PRI * HTTP/2.0"])
def test_http_is_hung_up_on_without_a_word(line: bytes) -> None:
    core = core_at()
    core.receive(line + b"\r\nEHLO client.test\r\nMAIL FROM:<a@bar.test>\r\n")
    assert isinstance(core.next_event(), HangUp)
    assert core.next_event() is None
    assert said(core) == []


def test_nothing_is_parsed_ahead_of_the_answer() -> None:
    core = core_at()
    core.receive(b"MAIL FROM:<a@bar.test>\r\nRCPT TO:<b@ours.test>\r\n")
    assert isinstance(core.next_event(), Mail)
    assert core.buffered() == len(b"RCPT TO:<b@ours.test>\r\n")
    core.answer(Reply(550, "5.7.1", "no"))
    assert core.next_event() == Answered(Reply(503, "5.5.1", "bad sequence of commands"), fault=True)


def test_a_session_that_forgets_to_answer_is_a_bug() -> None:
    core = core_at("MAIL FROM:<a@bar.test>")
    core.receive(b"RCPT TO:<b@ours.test>\r\nNOOP\r\n")
    core.next_event()
    with pytest.raises(AssertionError):
        core.next_event()


def test_refused_recipients_do_not_make_a_transaction() -> None:
    core = core_at("MAIL FROM:<a@bar.test>")
    list(feed(core, b"RCPT TO:<b@ours.test>\r\n", lambda _: Reply(550, "5.1.1", "no")))
    list(feed(core, b"DATA\r\n"))
    assert codes(core) == [550, 554]


def test_octets_behind_data_end_the_session() -> None:
    core = core_at("MAIL FROM:<a@bar.test>", "RCPT TO:<b@ours.test>")
    events = list(feed(core, b"DATA\r\nSubject: did not wait\r\n"))
    assert isinstance(events[-1], HangUp)
    assert codes(core) == [554]


def test_pipelining_is_for_those_who_said_ehlo() -> None:
    core = core_at("HELO client.test")
    events = list(feed(core, b"MAIL FROM:<a@bar.test>\r\nRCPT TO:<b@ours.test>\r\n"))
    assert [type(event) for event in events] == [HangUp]


def test_what_comes_in_clear_behind_starttls_is_gone() -> None:
    core = core_at()
    core.receive(b"STARTTLS\r\nMAIL FROM:<a@bar.test>\r\nRCPT")
    assert core.next_event() == StartTls()
    core.answer(Reply(220, "2.0.0", "ready"))
    assert core.buffered() == 0
    assert core.next_event() is None
    core.receive(b"EHLO client.test\r\n")  # what came through TLS before the session knew
    core.secured()
    assert core.next_event() == Hello()
    assert not any("STARTTLS" in line for line in said(core))


def test_a_refused_starttls_changes_nothing() -> None:
    core = core_at()
    no = Reply(454, "4.7.0", "not now")
    list(feed(core, b"STARTTLS\r\nNOOP\r\n", lambda event: no if event == StartTls() else None))
    assert codes(core) == [454, 250]
    assert not core.dialogue.secure


def test_tls_forgets_who_logged_in() -> None:
    core = core_at(terms=replace(TERMS, mechanisms=("PLAIN",)))
    core.dialogue.authenticated = True
    core.dialogue.secure = False
    list(feed(core, b"STARTTLS\r\n"))
    core.secured()
    assert not core.dialogue.authenticated
    assert not core.dialogue.helo


def test_a_message_limit_for_the_session() -> None:
    core = core_at(terms=replace(TERMS, messages=1))
    list(feed(core, b"MAIL FROM:<>\r\nRCPT TO:<b@ours.test>\r\nDATA\r\n"))
    list(feed(core, b".\r\n"))
    events = list(feed(core, b"MAIL FROM:<>\r\n"))
    assert isinstance(events[-1], HangUp)
    assert codes(core)[-1] == 421


def test_a_message_pays_for_junk_commands() -> None:
    core = core_at(terms=replace(TERMS, junk_commands=3))
    list(feed(core, b"NOOP\r\nNOOP\r\nMAIL FROM:<>\r\nRCPT TO:<b@ours.test>\r\nDATA\r\n"))
    list(feed(core, b".\r\n"))
    events = list(feed(core, b"NOOP\r\nNOOP\r\nNOOP\r\n"))
    assert not any(isinstance(event, HangUp) for event in events)
    assert isinstance(list(feed(core, b"NOOP\r\n"))[-1], HangUp)


def test_recipients_far_beyond_the_limit_end_the_session() -> None:
    core = core_at("MAIL FROM:<>", terms=replace(TERMS, recipients=1))
    flood = b"RCPT TO:<b@ours.test>\r\n" * (OVERSHOOT + 2)
    events = list(feed(core, flood))
    assert [event for event in events if isinstance(event, Answered) and event.fault] == []
    assert isinstance(events[-1], HangUp)


def test_a_large_message_passes_in_bounded_memory() -> None:
    core = core_in_data(replace(TERMS, message_size=10_000_000))
    line = b"x" * 998 + b"\r\n"
    total = 0
    for _ in range(500):
        for event in feed(core, line * 10):
            assert isinstance(event, DataChunk)
            total += len(event.data)
        assert core.buffered() <= 4
    events = list(feed(core, b".\r\n"))
    assert events[-1] == DataEnd(5_000_000)
    assert total + sum(len(e.data) for e in events if isinstance(e, DataChunk)) == 5_000_000


def test_a_message_that_is_too_big_is_read_to_its_end_and_dropped() -> None:
    core = core_in_data(replace(TERMS, message_size=1000))
    passed = 0
    for _ in range(100):
        passed += sum(1 for _ in feed(core, b"x" * 998 + b"\r\n"))
        assert core.buffered() <= 4
    assert passed <= 2
    events = list(feed(core, b".\r\nNOOP\r\n"))
    assert isinstance(events[0], DataRefused)
    assert codes(core) == [552, 250]


def test_the_octets_of_a_huge_refused_chunk_are_dropped_as_they_come() -> None:
    core = core_at("MAIL FROM:<>", "RCPT TO:<b@ours.test>", terms=replace(TERMS, message_size=1000))
    events = list(feed(core, b"BDAT 1000000 LAST\r\n"))
    assert isinstance(events[-1], DataRefused)
    assert codes(core) == [552]  # at once, not after the octets
    assert core.receiving
    for _ in range(100):
        assert list(feed(core, b"QUIT\r\n" * 1666 + b"QUIT")) == []
        assert core.buffered() == 0
    list(feed(core, b"NOOP\r\n"))
    assert codes(core) == [250]
    assert not core.receiving


@pytest.mark.parametrize(
    "line",
    [
        b"BDAT\t6\r\n",
        b"BDAT:6 LAST\r\n",
        b"bdat %s6\r\n" % (b"0" * 600),
        b"BDAT %s6\r\n" % (b"0" * 5000),
        b"BDAT 6\n",
        b"BDAT 6\0 LAST\r\n",
        b"BDAT 6 \rLAST\r\n",
    ],
    ids=["tab", "colon", "long", "too long", "bare LF", "NUL", "bare CR"],
)
def test_octets_behind_an_unreadable_bdat_are_no_commands(line: bytes) -> None:
    """SAFETY C3: where the next command begins is not known, so there is none."""
    core = core_at("MAIL FROM:<>", "RCPT TO:<b@ours.test>")
    events = list(feed(core, line + b"a\r\nb\r\nRSET\r\n"))
    assert isinstance(events[-1], HangUp)
    assert codes(core) == [501]


def test_a_command_that_only_begins_like_bdat_is_not_known() -> None:
    core = core_at("MAIL FROM:<>", "RCPT TO:<b@ours.test>")
    list(feed(core, b"BDATA 6\r\nNOOP\r\n"))
    assert codes(core) == [500, 250]


def test_data_that_is_put_off_ends_the_transaction() -> None:
    core = core_at("MAIL FROM:<>", "RCPT TO:<b@ours.test>")
    list(feed(core, b"DATA\r\n", lambda event: Reply(451, "4.3.0", "no") if event == Data() else OK))
    list(feed(core, b"RCPT TO:<b@ours.test>\r\n"))
    assert codes(core) == [451, 503]


def test_recipients_are_counted_anew_in_each_transaction() -> None:
    core = core_at(terms=replace(TERMS, recipients=1))
    for _ in range(2):
        list(feed(core, b"MAIL FROM:<>\r\nRCPT TO:<b@ours.test>\r\nRCPT TO:<c@ours.test>\r\nRSET\r\n"))
        assert codes(core) == [250, 250, 452, 250]


def test_the_lines_of_an_endless_command_are_not_kept() -> None:
    core = core_at()
    events = []
    for _ in range(100):
        events += list(feed(core, b"x" * 1000))
        assert core.buffered() <= TERMS.line
    assert [type(event) for event in events] == [Answered, HangUp]


def test_events_carry_what_was_said() -> None:
    core = core_at()
    core.receive(b"MAIL FROM:<a@bar.test> SIZE=5\r\n")
    event = core.next_event()
    assert isinstance(event, Mail)
    assert event.size == 5
    core.answer(OK)
    core.receive(b"RCPT TO:<postmaster>\r\n")
    event = core.next_event()
    assert isinstance(event, Rcpt)
    assert event.address.domain == ""
    core.answer(OK)
    core.receive(b"DATA\r\n")
    assert core.next_event() == Data()
    core.answer(GO_ON)
    assert core.receiving


@pytest.mark.parametrize(
    ("extended", "secure", "authenticated", "smtputf8", "keyword"),
    [
        (False, False, False, False, "SMTP"),
        (False, True, False, False, "SMTP"),
        (True, False, False, False, "ESMTP"),
        (True, True, False, False, "ESMTPS"),
        (True, True, True, False, "ESMTPSA"),
        (True, False, False, True, "UTF8SMTP"),
        (True, True, True, True, "UTF8SMTPSA"),
    ],
)
def test_the_with_keyword(
    extended: bool, secure: bool, authenticated: bool, smtputf8: bool, keyword: str
) -> None:
    found = with_protocol(extended=extended, secure=secure, authenticated=authenticated, smtputf8=smtputf8)
    assert found == keyword
