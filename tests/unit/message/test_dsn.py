"""Delivery status notifications, read back by our own reader."""

from binascii import a2b_qp
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from postroad.message.dsn import MAX_RETURNED, Action, RecipientReport, Report, build_dsn
from postroad.message.header import HeaderBlock
from postroad.message.part import Part, parse_parts
from postroad.message.text import decode_body_text

NOW = datetime(2025, 7, 1, 10, 52, 37, tzinfo=UTC)
ORIGINAL = (
    b"From: ada@demo.test\r\nSubject: =?utf-8?q?gr=C3=BCn?=\r\nMessage-ID: <1@demo.test>\r\n\r\nbody\r\n"
)
FAILED = RecipientReport(
    "bob@example.net",
    Action.FAILED,
    "5.1.1",
    original="rfc822;Robert@example.org",
    remote_mta="mx.example.net",
    diagnostic="550 5.1.1 no such user",
    last_attempt=NOW,
)
DELAYED = RecipientReport(
    "carol@example.net",
    Action.DELAYED,
    "4.4.1",
    reason="No server of example.net answers.",
    will_retry_until=NOW + timedelta(days=5),
)
REPORT = Report(
    "mx.demo.test", "ada@demo.test", [FAILED], NOW, "token1", arrival=NOW, queue_id="Q7", envelope_id="e1"
)


def parts(data: bytes) -> tuple[HeaderBlock, list[Part]]:
    root = parse_parts(data)
    assert (root.type, root.subtype) == ("multipart", "report")
    assert (b"report-type", b"delivery-status") in root.params
    assert len(root.children) == 3
    return HeaderBlock.parse(data), list(root.children)


def status_groups(data: bytes) -> list[HeaderBlock]:
    part = parts(data)[1][1]
    assert (part.type, part.subtype) == ("message", "delivery-status")
    body = data[part.body_start : part.body_end]
    return [HeaderBlock.parse(group) for group in body.split(b"\r\n\r\n")]


def human(data: bytes) -> str:
    return decode_body_text(data, parts(data)[1][0])


def test_the_header() -> None:
    header, _ = parts(build_dsn(REPORT, ORIGINAL))
    assert header.first(b"to") == b"ada@demo.test"
    assert header.first(b"from") == b"Mail Delivery <postmaster@mx.demo.test>"
    assert header.first(b"auto-submitted") == b"auto-replied"
    assert header.first(b"message-id") == b"<token1@mx.demo.test>"
    assert header.first(b"in-reply-to") == header.first(b"references") == b"<1@demo.test>"
    assert header.first(b"subject") == b"=?utf-8?q?Undelivered=3A_gr=C3=BCn?="


def test_the_status_of_a_failure() -> None:
    message, recipient = status_groups(build_dsn(REPORT, ORIGINAL))
    assert message.first(b"reporting-mta") == b"dns; mx.demo.test"
    assert message.first(b"original-envelope-id") == b"e1"
    assert message.first(b"arrival-date") == b"Tue, 1 Jul 2025 10:52:37 +0000"
    assert [(entry.name, recipient.value(entry)) for entry in recipient.fields] == [
        (b"Original-Recipient", b"rfc822; Robert@example.org"),
        (b"Final-Recipient", b"rfc822; bob@example.net"),
        (b"Action", b"failed"),
        (b"Status", b"5.1.1"),
        (b"Remote-MTA", b"dns; mx.example.net"),
        (b"Diagnostic-Code", b"smtp; 550 5.1.1 no such user"),
        (b"Last-Attempt-Date", b"Tue, 1 Jul 2025 10:52:37 +0000"),
    ]


def test_each_recipient_has_a_group_of_its_own() -> None:
    groups = status_groups(build_dsn(replace(REPORT, recipients=[FAILED, DELAYED]), ORIGINAL))
    assert [group.first(b"action") for group in groups] == [None, b"failed", b"delayed"]
    assert groups[2].first(b"will-retry-until") == b"Sun, 6 Jul 2025 10:52:37 +0000"


def test_the_human_part_says_what_happened() -> None:
    text = human(build_dsn(replace(REPORT, recipients=[FAILED, DELAYED]), ORIGINAL))
    assert "Your message could not be delivered to:\r\n\r\n  bob@example.net\r\n" in text
    assert "(you wrote to Robert@example.org)" in text
    assert "The server mx.example.net said: 550 5.1.1 no such user" in text
    assert "Your message has not been delivered yet to:\r\n\r\n  carol@example.net\r\n" in text
    assert "No server of example.net answers." in text
    assert "keep trying until Sun, 6 Jul 2025 10:52:37 +0000." in text
    assert text.rstrip().endswith("Q7")


@pytest.mark.parametrize(
    ("action", "subject"),
    [(Action.DELAYED, b"Delayed: "), (Action.DELIVERED, b"Delivered: "), (Action.RELAYED, b"Delivered: ")],
)
def test_the_subject_says_which_kind(action: Action, subject: bytes) -> None:
    report = replace(REPORT, recipients=[replace(FAILED, action=action)])
    assert (
        HeaderBlock.parse(build_dsn(report, b"Subject: x\r\n\r\n")).first(b"subject") or b""
    ) == subject + b"x"


def returned(data: bytes) -> tuple[str, bytes]:
    part = parts(data)[1][2]
    return f"{part.type}/{part.subtype}", data[part.body_start : part.body_end]


def test_the_original_goes_back_whole_when_it_is_small() -> None:
    assert returned(build_dsn(REPORT, ORIGINAL)) == ("message/rfc822", ORIGINAL)


def test_only_its_header_when_it_is_large_or_so_wished_or_nothing_failed() -> None:
    header = ("text/rfc822-headers", ORIGINAL[: ORIGINAL.index(b"body")])
    assert returned(build_dsn(REPORT, ORIGINAL + b"x" * MAX_RETURNED)) == header
    assert returned(build_dsn(REPORT, ORIGINAL, full=False)) == header
    assert returned(build_dsn(replace(REPORT, recipients=[DELAYED]), ORIGINAL)) == header


def test_a_header_in_utf8_goes_back_in_seven_bits_to_who_is_elsewhere() -> None:
    original = "From: jörg@a.test\r\nSubject: Grüße = \r\n\r\nÄ.\r\n\r\nEnd \r\n".encode()
    for full, kind in ((True, "message/global"), (False, "message/global-headers")):
        data = build_dsn(REPORT, original, full=full)
        assert data.isascii()  # RFC 6533 §4.5: who takes it back may know no SMTPUTF8
        found, octets = returned(data)
        assert found == kind
        whole = original if full else original[: original.index(b"\r\n\r\n") + 4]
        assert a2b_qp(octets) == whole
        data = build_dsn(replace(REPORT, eight_bit=True), original, full=full)
        assert returned(data) == (kind, whole), "as it is, for who is here"


def test_rubbish_in_a_header_is_not_internationalized() -> None:
    original = b"Subject: gr\xfc\xdfe\r\n\r\nbody\r\n"
    assert returned(build_dsn(REPORT, original)) == ("message/rfc822", original)


@pytest.mark.parametrize(
    ("host", "said"),
    [("mx.x.test", b"mx.x.test"), ("192.0.2.1", b"[192.0.2.1]"), ("2001:db8::1", b"[IPv6:2001:db8::1]")],
)
def test_a_server_is_named_or_its_address_is_in_brackets(host: str, said: bytes) -> None:
    failed = replace(FAILED, remote_mta=host)
    _, group = status_groups(build_dsn(replace(REPORT, recipients=[failed]), ORIGINAL))
    assert group.first(b"remote-mta") == b"dns; " + said


def test_eight_bits_are_declared_for_the_whole_too() -> None:
    """RFC 2045 §6.4: a multipart is what its parts are."""
    plain, _ = parts(build_dsn(REPORT, ORIGINAL))
    assert plain.first(b"content-transfer-encoding") is None
    eight_bit, _ = parts(build_dsn(REPORT, ORIGINAL + "Grüße.\r\n".encode()))
    assert eight_bit.first(b"content-transfer-encoding") == b"8bit"


def test_what_strangers_said_adds_no_field_and_ends_no_part() -> None:
    hostile = "550 no\r\n\r\nAction: delivered\r\n--=_token1--\r\n\0ä"
    recipient = replace(
        FAILED, final=hostile, diagnostic=hostile, remote_mta=hostile, original="rfc822;" + hostile
    )
    report = replace(REPORT, recipients=[recipient], queue_id=hostile, envelope_id=hostile, to=hostile)
    data = build_dsn(report, b"Subject: a\0\xff\r\nMessage-ID: <\xff>\r\n\r\n--=_token1--\r\n")
    groups = status_groups(data)
    assert len(groups) == 2
    assert groups[1].all(b"action") == [b"failed"]
    part = parts(data)[1][1]
    assert data[part.body_start : part.body_end].isascii()


def test_international_addresses() -> None:
    report = replace(REPORT, recipients=[replace(FAILED, final="jörg@example.net", original="")])
    assert (
        status_groups(build_dsn(report, ORIGINAL))[1].first(b"final-recipient")
        == b"utf-8; j\\x{F6}rg@example.net"
    )
