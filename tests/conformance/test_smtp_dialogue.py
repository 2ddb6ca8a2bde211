"""SMTP dialogue: greetings, order, syntax of commands (RFC 5321 §3, §4; RFC 2920, 3207, 4954, 6531, 9422)."""

import base64
from collections.abc import Iterator
from contextlib import closing
from typing import Final

import pytest

from tests.conformance.smtp_client import Smtp
from tests.conformance.wire import friend
from tests.interop.postroad_server import PASSWORD, Postroad

_PLAIN: Final = base64.b64encode(f"\0ada@ours.test\0{PASSWORD}".encode())


@pytest.fixture
def mx(server: Postroad) -> Iterator[Smtp]:
    """A stranger's connection to the mail exchange, after EHLO."""
    with closing(Smtp(server.ports.smtp)) as smtp:
        yield smtp.ehlo()


@pytest.fixture
def fresh(server: Postroad) -> Iterator[Smtp]:
    """The same before EHLO."""
    with closing(Smtp(server.ports.smtp)) as smtp:
        yield smtp


@pytest.fixture
def user(server: Postroad) -> Iterator[Smtp]:
    """ada on the submission port with TLS."""
    with closing(Smtp(server.ports.submissions, tls=server.tls_context(), source=friend())) as smtp:
        yield smtp.ehlo().log_in("ada@ours.test", PASSWORD)


def test_greeting_and_extensions(fresh: Smtp) -> None:
    assert fresh.greeting.code == 220
    assert fresh.greeting.lines[0].startswith(b"mx.ours.test ")
    fresh.ehlo(b"[127.0.0.1]")
    offered = fresh.extensions
    assert {b"PIPELINING", b"8BITMIME", b"SMTPUTF8", b"CHUNKING", b"ENHANCEDSTATUSCODES", b"STARTTLS"} <= set(
        offered
    )
    assert offered[b"SIZE"] == b"52428800"
    assert offered[b"LIMITS"].startswith(b"RCPTMAX=100 ")
    # No passwords in clear or here at all, and nothing that is promised in vain.
    assert not {b"AUTH", b"REQUIRETLS", b"VRFY", b"EXPN", b"ETRN"} & set(offered)


def test_helo_has_one_line_and_no_extensions(fresh: Smtp) -> None:
    assert len(fresh.expect(250, b"HELO client.test").lines) == 1
    fresh.expect(555, b"MAIL FROM:<a@b.test> SIZE=100")
    fresh.transaction(b"a@b.test", [b"ada@ours.test"])
    assert fresh.data(b"Subject: x\r\n\r\n.\r\n").code == 250


@pytest.mark.parametrize(
    "name", [b"a", b"[127.0.0.1]", b"[IPv6:::1]", b"under_score.test", b"x" * 63, b"1.2"]
)
def test_names_that_may_greet(fresh: Smtp, name: bytes) -> None:
    fresh.expect(250, b"ehlo " + name)


@pytest.mark.parametrize(
    "name", [b"", b" ", b" a b", b" " + b"x" * 300, b" \xff", b" (x)", b" [300.0.0.1]", b" [x"]
)
def test_names_that_may_not_greet(fresh: Smtp, name: bytes) -> None:
    fresh.expect(501, b"EHLO" + name)
    fresh.expect(503, b"MAIL FROM:<a@b.test>")


def test_order(fresh: Smtp) -> None:
    for early in (b"MAIL FROM:<a@b.test>", b"RCPT TO:<ada@ours.test>", b"DATA"):
        fresh.expect(503, early)
    fresh.ehlo()
    for early in (b"RCPT TO:<ada@ours.test>", b"DATA"):
        fresh.expect(503, early)
    fresh.expect(250, b"MAIL FROM:<a@b.test>")
    fresh.expect(503, b"MAIL FROM:<a@b.test>")
    assert fresh.do(b"DATA").code in (503, 554)


def test_ehlo_and_rset_end_the_transaction(mx: Smtp) -> None:
    for end in (b"RSET", b"EHLO again.test", b"HELO again.test"):
        mx.transaction(b"a@b.test", [b"ada@ours.test"])
        mx.expect(250, end)
        mx.expect(503, b"DATA")


@pytest.mark.parametrize(
    ("command", "code"),
    [
        *((b"NOOP", 250), (b"noop x y", 250), (b"RSET", 250), (b"HELP", 214), (b"HELP MAIL", 214)),
        *(
            (b"VRFY ada@ours.test", 252),
            (b"VRFY nobody@ours.test", 252),
            (b"VRFY", 501),
            (b"EXPN staff", 252),
        ),
        *((b"RSET x", 501), (b"DATA x", 501), (b"STARTTLS x", 501), (b"QUIT", 221)),
        *((b"TURN", 502), (b"ETRN x", 459), (b"SEND FROM:<a@b>", 502), (b"SAML FROM:<a@b>", 502)),
        *((b"", 500), (b" ", 500), (b" NOOP", 500), (b"XCLIENT a=b", 500), (b"NOOP " + b"x" * 600, 500)),
        *((b"NOOP\0", 500), (b"NO\rOP", 500), (b"NOOP\nNOOP", 500), (b"\xffNOOP", 500), (b"x" * 6000, 500)),
        (b"AUTH PLAIN " + _PLAIN, 502),
    ],
)
def test_commands_between_transactions(mx: Smtp, command: bytes, code: int) -> None:
    mx.expect(code, command)
    if code != 221 and len(command) < 5000:
        mx.expect(250, b"NOOP")


def test_vrfy_tells_nobody_apart(mx: Smtp) -> None:
    assert mx.do(b"VRFY ada@ours.test") == mx.do(b"VRFY nobody@ours.test") == mx.do(b"VRFY x@far.test")


def test_quit_closes(mx: Smtp) -> None:
    mx.expect(221, b"QUIT")
    assert mx.to_end() == b""


@pytest.mark.parametrize(
    ("argument", "code"),
    [
        *(("<>", 250), ("<a@b.test>", 250), ("<@r.test,@s.test:a@b.test>", 250), ('<"a b"@b.test>', 250)),
        *(('<"a\\"b"@b.test>', 250), ("<a@[127.0.0.1]>", 250), ("<a@[IPv6:2001:db8::1]>", 250)),
        *(
            (f"<{'l' * 64}@b.test>", 250),
            ("<a@xn--bcher-kva.test>", 250),
            ("<jürgen@bücher.test> SMTPUTF8", 250),
        ),
        *(
            ("<a@b.test> SIZE=1000", 250),
            ("<a@b.test> body=8bitmime size=9", 250),
            ("<a@b.test> BODY=7BIT", 250),
        ),
        *(
            ("", 501),
            ("<", 501),
            ("<a@b.test", 501),
            ("a@b.test>", 501),
            ("<a@b.test>x", 501),
            ("<<a@b.test>>", 501),
        ),
        *(("<a>", 501), ("<@b.test>", 501), ("<a@>", 501), ("<a b@c.test>", 501), ("<a@b@c.test>", 501)),
        *(("<.a@b.test>", 501), ("<a.@b.test>", 501), ("<a..b@b.test>", 501), ("<a@b..test>", 501)),
        *(
            ("<a@-b.test>", 501),
            ("<a@[300.0.0.1]>", 501),
            (f"<{'l' * 65}@b.test>", 501),
            ('<"a@b.test>', 501),
        ),
        *((f"<a@{'.'.join(['d' * 60] * 5)}>", 501), (f"<a@{'d' * 64}.test>", 501), ("<a@b_c!.test>", 501)),
        *(("<jürgen@b.test>", 553), ("<a@bücher.test>", 553), ("<a@b.test> SMTPUTF8=1", 501)),
        *(("<a@b.test> FOO=BAR", 555), ("<a@b.test> FOO", 555), ("<a@b.test> NOTIFY=NEVER", 555)),
        *(
            ("<a@b.test> SIZE=", 501),
            ("<a@b.test> SIZE=x", 501),
            ("<a@b.test> SIZE=-1", 501),
            ("<a@b.test> =", 501),
        ),
        *(("<a@b.test> SIZE=1 SIZE=1", 501), ("<a@b.test> BODY=X", 501), ("<a@b.test> BODY", 501)),
        *(("<a@b.test> SIZE=52428801", 552), ("<a@b.test> SIZE=99999999999", 552)),
    ],
)
def test_mail_from(mx: Smtp, argument: str, code: int) -> None:
    mx.expect(code, b"MAIL FROM:" + argument.encode())
    if code == 250:
        mx.expect(250, b"RSET")


@pytest.mark.parametrize(
    ("argument", "code"),
    [
        *(
            ("<ada@ours.test>", 250),
            ("<ADA@OURS.TEST>", 250),
            ("<ada+tag@ours.test>", 250),
            ('<"ada"@ours.test>', 250),
        ),
        *(('<"a\\da"@ours.test>', 250), ("<@a.test,@b.test:ada@ours.test>", 250)),
        *(
            ("<postmaster>", 250),
            ("<PostMaster>", 250),
            ("<postmaster@ours.test>", 250),
            ("<abuse@ours.test>", 250),
        ),
        *(("<nobody@ours.test>", 550), ("<x@far.test>", 550), ("<postmaster@far.test>", 550)),
        *(
            ("<ada%far.test@ours.test>", 550),
            ("<far.test!ada@ours.test>", 550),
            ('<"x@far.test"@ours.test>', 550),
        ),
        *(("<@ours.test:x@far.test>", 550), ("<x@[127.0.0.1]>", 550), ("<x@localhost>", 550)),
        *(("<x@far.test@ours.test>", 501), ("<>", 501), ("<ada>", 501), ("", 501), ("ada@ours.test", 501)),
        *(("<ada@ours.test", 501), ("<ada@ours.test>x", 501), ("<ada@ours.test> FOO", 555)),
        *(("<ada@ours.test> SIZE=1", 555), ("<ädä@ours.test>", 553)),
    ],
)
def test_rcpt_to(mx: Smtp, argument: str, code: int) -> None:
    mx.expect(250, b"MAIL FROM:<>")
    mx.expect(code, b"RCPT TO:" + argument.encode())


@pytest.mark.parametrize(
    ("mail", "rcpt", "codes"),
    [
        ("RET=FULL ENVID=a+2Bb", "NOTIFY=NEVER", (250, 250)),
        ("RET=hdrs", "NOTIFY=success,failure,delay ORCPT=rfc822;ada+2Bx@ours.test", (250, 250)),
        ("", "ORCPT=utf-8;b\\x{FC}cher@ours.test", (250, 250)),
        ("ENVID=" + "e" * 100, "ORCPT=rfc822;" + "x" * 480, (250, 250)),
        ("RET=X", "", (501, 503)),
        ("RET=FULL RET=HDRS", "", (501, 503)),
        ("ENVID=a+2", "", (501, 503)),
        ("ENVID=" + "e" * 101, "", (501, 503)),
        ("", "NOTIFY=NEVER,SUCCESS", (250, 501)),
        ("", "NOTIFY=", (250, 501)),
        ("", "NOTIFY=X", (250, 501)),
        ("", "NOTIFY=SUCCESS,success", (250, 250)),
        ("", "ORCPT=ada", (250, 501)),
        ("", "ORCPT=rfc822;a+zz", (250, 501)),
        ("", "ORCPT=rfc822;a+0D+0A", (250, 501)),
    ],
)
def test_notification_parameters(user: Smtp, mail: str, rcpt: str, codes: tuple[int, int]) -> None:
    assert b"DSN" in user.extensions
    assert user.do(b"MAIL FROM:<ada@ours.test> " + mail.encode()).code == codes[0]
    assert user.do(b"RCPT TO:<bob@ours.test> " + rcpt.encode()).code == codes[1]


def test_a_pipeline_is_answered_in_order(mx: Smtp) -> None:
    mx.send(
        b"MAIL FROM:<a@b.test>\r\nRCPT TO:<ada@ours.test>\r\n"
        b"RCPT TO:<no@ours.test>\r\nRCPT TO:<x@far.test>\r\nDATA\r\n"
    )
    assert [mx.reply().code for _ in range(5)] == [250, 250, 550, 550, 354]
    mx.send(b"Subject: x\r\n\r\n.\r\nRSET\r\nMAIL FROM:<>\r\nRCPT TO:<no@ours.test>\r\nDATA\r\n")
    *codes, last = [mx.reply().code for _ in range(5)]
    assert codes == [250, 250, 250, 550]
    assert last in (503, 554)
    mx.expect(250, b"RSET")


@pytest.mark.parametrize("early", [b"EHLO a.test\r\nMAIL FROM:<>\r\n", b"HELO a.test\r\nMAIL FROM:<>\r\n"])
def test_who_pipelines_before_being_told_to_is_left(fresh: Smtp, early: bytes) -> None:
    fresh.send(early)
    assert fresh.to_end().startswith(b"554 ")


def test_a_hundred_recipients_and_not_one_more(mx: Smtp) -> None:
    mx.send(b"MAIL FROM:<>\r\n" + b"".join([b"RCPT TO:<ada+%d@ours.test>\r\n" % n for n in range(1000)]))
    codes = [mx.reply().code for _ in range(1001)]
    assert codes == [250] * 101 + [452] * 900  # RFC 5321 §4.5.3.1.10
    assert mx.data(b"Subject: x\r\n\r\n.\r\n").code == 250


def test_errors_come_to_an_end(mx: Smtp, server: Postroad) -> None:
    mx.send(b"BOGUS\r\n" * 30)
    lines = mx.to_end().split(b"\r\n")
    assert lines[-2].startswith(b"421 ")
    assert len(lines) <= 12


def test_idle_chatter_comes_to_an_end(mx: Smtp) -> None:
    mx.send(b"NOOP\r\n" * 200)
    lines = mx.to_end().split(b"\r\n")
    assert lines[-2].startswith(b"421 ")


@pytest.mark.parametrize("line", [b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"POST / HTTP/1.0\r\n\r\nEHLO x\r\n"])
def test_a_browser_gets_nothing(fresh: Smtp, line: bytes) -> None:
    fresh.send(line)
    assert fresh.to_end() == b""


# -- STARTTLS and AUTH --------------------------------------------------------


@pytest.mark.parametrize(
    "behind", [b"", b"NOOP\r\n", b"EHLO evil.test\r\nMAIL FROM:<>\r\n", b"MAIL FR", b"\r\n\r\n"]
)
def test_starttls_forgets_everything(server: Postroad, behind: bytes) -> None:
    with closing(Smtp(server.ports.smtp).ehlo()) as smtp:
        smtp.transaction(b"a@b.test", [b"ada@ours.test"])
        smtp.send(b"STARTTLS\r\n" + behind)
        assert smtp.reply().code == 220
        smtp.start_tls(server.tls_context())
        smtp.expect(503, b"DATA")
        smtp.expect(503, b"MAIL FROM:<a@b.test>")
        smtp.ehlo()
        assert b"STARTTLS" not in smtp.extensions
        smtp.expect(503, b"DATA")
        smtp.expect(503, b"STARTTLS")
        smtp.transaction(b"a@b.test", [b"ada@ours.test"])


def test_submission_needs_tls_and_then_a_log_in(server: Postroad) -> None:
    with closing(Smtp(server.ports.submission).ehlo()) as smtp:
        assert b"AUTH" not in smtp.extensions
        smtp.expect(538, b"AUTH PLAIN " + _PLAIN)
        smtp.expect(530, b"MAIL FROM:<ada@ours.test>")
        smtp.expect(220, b"STARTTLS")
        smtp.start_tls(server.tls_context())
        smtp.expect(503, b"AUTH PLAIN " + _PLAIN)
        smtp.ehlo()
        assert smtp.extensions[b"AUTH"].split()[-2:] == [b"PLAIN", b"LOGIN"]
        smtp.expect(530, b"MAIL FROM:<ada@ours.test>")
        smtp.expect(235, b"AUTH PLAIN " + _PLAIN)
        smtp.expect(503, b"AUTH PLAIN " + _PLAIN)
        smtp.expect(250, b"MAIL FROM:<ada@ours.test>")
        smtp.expect(503, b"AUTH PLAIN " + _PLAIN)


@pytest.fixture
def secure(server: Postroad) -> Iterator[Smtp]:
    """The submission port with TLS, before log-in."""
    with closing(Smtp(server.ports.submissions, tls=server.tls_context())) as smtp:
        yield smtp.ehlo()


def test_auth_in_all_its_forms(secure: Smtp) -> None:
    assert secure.expect(334, b"auth plain").lines == [b""]
    secure.expect(501, b"*")
    secure.expect(334, b"AUTH LOGIN")
    secure.expect(334, base64.b64encode(b"ada@ours.test"))
    secure.expect(501, b"*")
    secure.expect(334, b"AUTH LOGIN " + base64.b64encode(b"ada@ours.test"))
    secure.expect(235, base64.b64encode(PASSWORD.encode()))


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (b"AUTH", (501,)),
        (b"AUTH X-BOGUS", (504,)),
        (b"AUTH PLAIN !", (501,)),
        (b"AUTH PLAIN =", (501,)),
        (b"AUTH PLAIN " + base64.b64encode(b"\0a"), (501,)),
        (b"AUTH PLAIN " + base64.b64encode(b"bob@ours.test" + base64.b64decode(_PLAIN)), (535,)),
        (b"AUTH PLAIN " + base64.b64encode(b"\0ada@ours.test\0" + b"x" * 9100), (501, 535)),
        (b"AUTH PLAIN " + b"A" * 13000, (500,)),
    ],
)
def test_auth_that_cannot_succeed(secure: Smtp, command: bytes, code: tuple[int, ...]) -> None:
    assert secure.do(command).code in code
    secure.expect(530, b"MAIL FROM:<ada@ours.test>")


def test_a_wrong_password_and_an_unknown_name_hear_the_same(server: Postroad) -> None:
    replies = []
    for name in (b"ada@ours.test", b"nobody@ours.test"):
        with closing(Smtp(server.ports.submissions, tls=server.tls_context()).ehlo()) as smtp:
            replies.append(smtp.expect(535, b"AUTH PLAIN " + base64.b64encode(b"\0%b\0wrong" % name)))
    assert replies[0] == replies[1]


def test_users_send_as_themselves(user: Smtp) -> None:
    for own in (b"ada@ours.test", b"ADA@Ours.Test", b"ada+x@ours.test", b""):
        user.expect(250, b"MAIL FROM:<" + own + b">")
        user.expect(250, b"RSET")
    for other in (b"bob@ours.test", b"ada@far.test", b"ada@ours.test.far"):
        user.expect(550, b"MAIL FROM:<" + other + b">")
    user.expect(250, b"MAIL FROM:<ada@ours.test>")
    user.expect(553, b"RCPT TO:<user@b\xc3\xbccher.test>")
    user.expect(550, b"RCPT TO:<nobody@ours.test>")
    user.expect(250, b"RCPT TO:<bob@ours.test>")
    assert user.data(b"From: bob@ours.test\r\n\r\n.\r\n").code == 550
