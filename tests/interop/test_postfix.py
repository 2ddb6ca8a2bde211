"""Postfix on the other side, found by MX records that NSD serves, both ways."""

from tests.interop.conftest import Internet
from tests.interop.messages import arrived, hand_to, submit, texts
from tests.interop.processes import until


def test_postroad_delivers_to_postfix_over_tls(internet: Internet) -> None:
    body = "Grüße.\r\n.\r\n..\r\n" + "x" * 990 + "\r\nEnd.\r\n"
    submit(internet.ours, "out", "carl@theirs.test", "dora@theirs.test", body=body)

    for user in ("carl", "dora"):
        got = internet.theirs.message(user, "Subject: out")
        assert got.startswith("Return-Path: <ada@ours.test>")
        assert "using TLSv1.3" in got
        assert got.endswith(body.replace("\r\n", "\n"))
    assert internet.theirs.log().count("from=<ada@ours.test>") == 1, "one message, two recipients"


def test_postfix_is_handed_a_small_message_in_a_chunk(internet: Internet) -> None:
    submit(internet.ours, "chunk", "carl@theirs.test", body=".\r\n..\r\nEnd.\r\n")

    got = internet.theirs.message("carl", "Subject: chunk")
    assert got.endswith("\n.\n..\nEnd.\n")
    until(lambda: " bdat=1 " in internet.theirs.log(), "a connection that had one BDAT to end")


def test_the_exchangers_are_tried_in_order_and_a_host_is_its_own(internet: Internet) -> None:
    submit(internet.ours, "detour", "eve@backup.theirs.test", "fay@implicit.theirs.test")

    assert internet.theirs.message("eve", "Subject: detour")
    assert internet.theirs.message("fay", "Subject: detour")


def test_a_deferral_is_tried_again_and_accepted(internet: Internet) -> None:
    ours, theirs = internet.ours, internet.theirs
    theirs.access("dora@theirs.test 451 4.7.1 Greylisted, come back later\n")
    submit(internet.ours, "patience", "carl@theirs.test", "dora@theirs.test")
    theirs.message("carl", "Subject: patience")

    until(lambda: "come back later" in ours.cli("queue", "list", "--json"), "a deferral in the queue")
    assert theirs.messages("dora") == []
    theirs.access("")
    ours.cli("queue", "retry", "--all")

    theirs.message("dora", "Subject: patience")
    until(lambda: "dora@theirs.test" not in ours.cli("queue", "list", "--json"), "the queue to be empty")
    assert len(theirs.messages("carl")) == 1


def test_a_bounce_has_the_words_of_postfix(internet: Internet) -> None:
    submit(internet.ours, "whoever", "carl@theirs.test", "nobody@theirs.test")

    bounce = arrived(internet.ours, "Content-Type: message/delivery-status")

    assert bounce.startswith("Return-Path: <>")
    assert "Final-Recipient: rfc822; nobody@theirs.test" in bounce
    assert "Action: failed" in bounce
    assert "Status: 5.1.1" in bounce
    unfolded = bounce.replace("\r\n ", " ")
    assert "Remote-MTA: dns; mx.theirs.test" in unfolded
    said = "550 5.1.1 <nobody@theirs.test>: Recipient address rejected: User unknown in virtual mailbox table"
    assert f"Diagnostic-Code: smtp; {said}" in unfolded
    assert "Subject: whoever" in bounce
    assert internet.theirs.message("carl", "Subject: whoever")


def test_mail_for_those_who_take_none_bounces(internet: Internet) -> None:
    submit(internet.ours, "no way", "someone@silent.theirs.test", "someone@nowhere.test")

    assert "Status: 5.1.10" in arrived(internet.ours, "someone@silent.theirs.test")  # RFC 7505 §4.2
    assert "Status: 5.1.2" in arrived(internet.ours, "someone@nowhere.test")  # RFC 3463 §3.2


def test_a_message_larger_than_postfix_takes_bounces(internet: Internet) -> None:
    submit(internet.ours, "huge", "carl@theirs.test", body=("x" * 70 + "\r\n") * 40_000)

    bounce = arrived(internet.ours, "Content-Type: message/delivery-status")

    assert "Status: 5.3.4" in bounce
    assert len(bounce) < 100_000, "a bounce does not carry the whole message back"


def test_postfix_delivers_to_postroad_over_tls(internet: Internet) -> None:
    hand_to(internet.theirs.address, "in", "ada@ours.test", body="Grüße.\r\n.\r\n..\r\nEnd.\r\n")

    got = arrived(internet.ours, "Subject: in")

    assert got.startswith("Return-Path: <carl@theirs.test>\r\nDelivered-To: ada@ours.test\r\n")
    assert "with ESMTPS" in got
    assert got.endswith("\r\n\r\nGrüße.\r\n.\r\n..\r\nEnd.\r\n")
    sent = until(
        lambda: [line for line in internet.theirs.log().splitlines() if "status=sent" in line], "sent"
    )
    assert "relay=mx.ours.test" in sent[0]
    assert "TLS connection established to mx.ours.test" in internet.theirs.log()


def test_postfix_tells_its_user_what_postroad_refused(internet: Internet) -> None:
    hand_to(internet.theirs.address, "lost", "nobody@ours.test")

    bounce = internet.theirs.message("carl", "Undelivered Mail")

    assert "Status: 5.1.1" in bounce
    assert "550 5.1.1" in bounce


def test_postfix_keeps_what_a_full_mailbox_defers(internet: Internet) -> None:
    ours, theirs = internet.ours, internet.theirs
    ours.cli("account", "quota", "bob@ours.test", "1K")
    hand_to(internet.theirs.address, "large", "bob@ours.test", body=("x" * 70 + "\r\n") * 100)
    until(lambda: "452 4.2.2" in theirs.queue().replace("\n", " "), "Postfix to keep the message")
    assert texts(ours, user="bob@ours.test") == []

    ours.cli("account", "quota", "bob@ours.test", "1M")
    theirs.flush()

    assert arrived(ours, "Subject: large", user="bob@ours.test")


def test_the_trace_tells_the_story_of_a_message(internet: Internet) -> None:
    submit(internet.ours, "story", "carl@theirs.test")
    internet.theirs.message("carl", "Subject: story")

    def look() -> str | None:
        told = internet.ours.cli("trace", "carl@theirs.test")
        return told if "queued as" in told else None

    told = until(look, "what Postfix answered in the trace")
    assert "ada@ours.test" in told
    assert "mx.theirs.test" in told
