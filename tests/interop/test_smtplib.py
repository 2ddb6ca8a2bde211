"""Python's own smtplib submits and delivers."""

import smtplib
from hashlib import sha256

import pytest

from tests.interop.messages import arrived, imap, message, receive, texts
from tests.interop.postroad_server import HOST, PASSWORD, Postroad


def submission(server: Postroad) -> smtplib.SMTP:
    """A session of ada, logged in behind STARTTLS."""
    session = smtplib.SMTP(HOST, server.ports.submission, local_hostname="laptop.test")
    session.starttls(context=server.tls_context())
    session.login("ada@ours.test", PASSWORD)
    return session


def test_what_is_missing_is_added_and_bcc_is_removed(server: Postroad) -> None:
    text = "From: ada@ours.test\r\nTo: bob@ours.test\r\nBcc: carl@theirs.test\r\nSubject: hi\r\n\r\n.\r\n"
    with submission(server) as session:
        session.sendmail("ada@ours.test", ["bob@ours.test"], text)

    got = arrived(server, "Subject: hi", user="bob@ours.test")
    header, _, body = got.partition("\r\n\r\n")
    assert "\r\nDate: " in header
    assert "\r\nMessage-ID: <" in header
    assert "Bcc" not in header
    assert header.startswith("Return-Path: <ada@ours.test>\r\n")
    assert body == ".\r\n"


def test_nobody_sends_in_another_name(server: Postroad) -> None:
    with submission(server) as session:
        with pytest.raises(smtplib.SMTPSenderRefused):
            session.sendmail("bob@ours.test", ["bob@ours.test"], message("forged"))
        with pytest.raises(smtplib.SMTPDataError):
            session.sendmail("ada@ours.test", ["bob@ours.test"], message("forged", sender="bob@ours.test"))
    assert texts(server, user="bob@ours.test") == []


def test_a_subaddress_and_another_case_reach_the_same_account(server: Postroad) -> None:
    for number, recipient in enumerate(["ADA@ours.test", "ada+shop@OURS.TEST", "Ada+A.B@ours.test"]):
        receive(server, message(f"number {number}"), recipient)

    assert len(texts(server)) == 3


def test_postmaster_reaches_someone_even_without_a_domain(server: Postroad) -> None:
    for recipient in ("postmaster@ours.test", "abuse@ours.test", "Postmaster"):
        receive(server, message("complaint"), recipient)


def test_a_large_message_comes_out_as_it_went_in(server: Postroad) -> None:
    line = "".join(chr(33 + n % 90) for n in range(900)) + "\r\n"
    text = message("large", line * 20_000, sender="ada@ours.test")
    with submission(server) as session:
        session.sendmail("ada@ours.test", ["bob@ours.test"], text)

    with imap(server, "bob@ours.test") as reading:
        reading.select()
        _, data = reading.fetch("1", "(BODY.PEEK[TEXT])")
    assert isinstance(data[0], tuple)
    body = text.partition("\r\n\r\n")[2].encode()
    assert sha256(data[0][1]).digest() == sha256(body).digest()


def test_a_message_that_says_it_is_too_large_is_refused_at_once(server: Postroad) -> None:
    with smtplib.SMTP(HOST, server.ports.smtp) as session:
        session.ehlo()
        limit = int(session.esmtp_features["size"])
        code, said = session.mail("stranger@elsewhere.test", [f"SIZE={limit + 1}"])
    assert (code, said.split()[0]) == (552, b"5.3.4")


def test_eight_bits_pass_unchanged(server: Postroad) -> None:
    text = message("8 bit", "Grüße, Ωmega, 日本\r\n")
    receive(server, text)

    assert arrived(server, "Subject: 8 bit").endswith("Grüße, Ωmega, 日本\r\n")
