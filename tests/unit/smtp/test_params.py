"""The arguments of EHLO, MAIL, RCPT and BDAT."""

import pytest

from postroad.model.address import Address
from postroad.smtp.wire import params
from postroad.smtp.wire.events import Mail, Rcpt
from postroad.smtp.wire.holding import TOO_LONG, TWICE, Hold, HoldLimits
from postroad.smtp.wire.replies import Reply

MIDNIGHT = 1_767_225_600.0  # 2026-01-01T00:00:00Z
SMITH = Address("smith", "bar.test", False)


def mail(argument: bytes, *, extended: bool = True) -> Mail | int:
    found = params.parse_mail(argument, extended=extended, secure=False, size_limit=1000)
    return found.code if isinstance(found, Reply) else found


def held(argument: bytes) -> Hold | Reply | None:
    limits = HoldLimits(3600, MIDNIGHT)
    found = params.parse_mail(
        b"<smith@bar.test> " + argument, extended=True, secure=True, size_limit=1000, hold=limits
    )
    return found if isinstance(found, Reply) else found.hold


def rcpt(argument: bytes, *, smtputf8: bool = False) -> Rcpt | int:
    found = params.parse_rcpt(argument, extended=True, smtputf8=smtputf8)
    return found.code if isinstance(found, Reply) else found


@pytest.mark.parametrize(
    "name",
    [
        b"client.test",
        b"localhost",
        b"DESKTOP_7-A.lan.",
        b"xn--bcher-kva.example",
        b"[192.0.2.1]",
        b"[IPv6:2001:db8::1]",
        b"[ipv6:::1]",
    ],
)
def test_names_that_may_greet(name: bytes) -> None:
    assert params.is_greeting_name(name)


@pytest.mark.parametrize(
    "name",
    [
        b"",
        b" ",
        b".",
        b"-",
        b"a b",
        b"a..b",
        b"client.test\xc3\xbc",
        b"[192.0.2.1",
        b"[192.0.2]",
        b"[::1]",
        b"[IPv6:::g]",
        b"[]",
        b"[IPv6:]",
        b"x" * 256,
        b"<script>",
        b"a@b",
    ],
)
def test_names_that_may_not(name: bytes) -> None:
    assert not params.is_greeting_name(name)


def test_mail_with_everything() -> None:
    argument = b"<smith@bar.test> SIZE=100 body=8bitmime SMTPUTF8 RET=hdrs ENVID=a+20b AUTH=x+40y"
    assert mail(argument) == Mail(SMITH, 100, "8BITMIME", True, "HDRS", "a+20b")


def test_the_null_sender() -> None:
    assert mail(b"<>") == Mail(None)


@pytest.mark.parametrize("argument", [b" <smith@bar.test>", b"<@a.test,@b.test:smith@bar.test>"])
def test_what_is_put_up_with_in_a_path(argument: bytes) -> None:
    assert mail(argument) == Mail(SMITH)


@pytest.mark.parametrize(
    ("argument", "code"),
    [
        (b"", 501),
        (b"smith@bar.test", 501),
        (b"<smith@bar.test", 501),
        (b"<smith>", 501),
        (b"<postmaster>", 501),
        (b"<smith@bar.test> ", 0),
        (b"<smith@bar.test> =", 501),
        (b"<smith@bar.test> SIZE", 501),
        (b"<smith@bar.test> SIZE=", 501),
        (b"<smith@bar.test> SIZE=-1", 501),
        (b"<smith@bar.test> SIZE=1x", 501),
        (b"<smith@bar.test> SIZE=1001", 552),
        (b"<smith@bar.test> SIZE=1000", 0),
        (b"<smith@bar.test> SIZE=" + b"9" * 20, 552),
        (b"<smith@bar.test> SIZE=" + b"9" * 21, 501),
        (b"<smith@bar.test> size=1 SIZE=1", 501),
        (b"<smith@bar.test> BODY=9BIT", 501),
        (b"<smith@bar.test> SMTPUTF8=1", 501),
        (b"<smith@bar.test> RET=", 501),
        (b"<smith@bar.test> ENVID=" + b"x" * 101, 501),
        (b"<smith@bar.test> ENVID=+0a", 501),
        (b"<smith@bar.test> ENVID=+0A", 501),
        (b"<smith@bar.test> ENVID=+00", 501),
        (b"<smith@bar.test> ENVID=a=b", 501),
        (b"<smith@bar.test> AUTH=+4", 501),
        (b"<smith@bar.test> NOTIFY=NEVER", 555),
        (b"<smith@bar.test> FOO", 555),
        ("<smith@bär.test>".encode(), 553),
        ("<smith@bar.test> ENVID=ä".encode(), 501),
    ],
)
def test_mail_that_is_refused(argument: bytes, code: int) -> None:
    found = mail(argument)
    assert (found if isinstance(found, int) else 0) == code


def test_parameters_need_ehlo() -> None:
    assert mail(b"<smith@bar.test> SIZE=1", extended=False) == 555
    assert mail(b"<smith@bar.test>", extended=False) == Mail(SMITH)


def test_rcpt_with_everything() -> None:
    found = rcpt(b"<smith@bar.test> NOTIFY=SUCCESS,delay ORCPT=rfc822;a+2Bb@bar.test")
    assert found == Rcpt(SMITH, frozenset({"SUCCESS", "DELAY"}), "rfc822;a+2Bb@bar.test")


@pytest.mark.parametrize(
    ("argument", "code"),
    [
        (b"<>", 501),
        (b"<smith@bar.test> NOTIFY", 501),
        (b"<smith@bar.test> NOTIFY=", 501),
        (b"<smith@bar.test> NOTIFY=,", 501),
        (b"<smith@bar.test> NOTIFY=NEVER", 0),
        (b"<smith@bar.test> NOTIFY=NEVER,DELAY", 501),
        (b"<smith@bar.test> NOTIFY=DELAY,DELAY", 0),
        (b"<smith@bar.test> NOTIFY=ALWAYS", 501),
        (b"<smith@bar.test> ORCPT", 501),
        (b"<smith@bar.test> ORCPT=;x", 501),
        (b"<smith@bar.test> ORCPT=rfc822;", 501),
        (b"<smith@bar.test> ORCPT=rfc822;a+0D+0ABcc:x", 501),
        (b"<smith@bar.test> ORCPT=rfc_822;x", 501),
        (b"<smith@bar.test> ORCPT=rfc822;" + b"x" * 494, 501),
        (b"<smith@bar.test> ORCPT=utf-8;b\\x{FC}cher@bar.test", 0),
        (b"<smith@bar.test> ORCPT=utf-8;b\\x{fc}cher@bar.test", 0),
        (b"<smith@bar.test> ORCPT=utf-8;b\\x{0A}cher@bar.test", 501),
        (b"<smith@bar.test> ORCPT=utf-8;b\\x{D800}@bar.test", 501),
        (b"<smith@bar.test> ORCPT=utf-8;b+2B@bar.test", 501),
        ("<smith@bar.test> ORCPT=utf-8;bücher@bar.test".encode(), 553),
        (b"<smith@bar.test> SIZE=1", 555),
        ("<jürgen@bar.test>".encode(), 553),
    ],
)
def test_rcpt_that_is_refused(argument: bytes, code: int) -> None:
    found = rcpt(argument)
    assert (found if isinstance(found, int) else 0) == code


def test_smtputf8_opens_addresses_and_orcpt() -> None:
    found = rcpt("<jürgen@bar.test> ORCPT=utf-8;jürgen@bar.test".encode(), smtputf8=True)
    assert found == Rcpt(Address("jürgen", "bar.test", True), original="utf-8;jürgen@bar.test")
    assert rcpt(b"<a@bar.test> ORCPT=utf-8;\xff", smtputf8=True) == 501


@pytest.mark.parametrize(
    ("argument", "chunk"),
    [
        (b"0", (0, False)),
        (b"86 LAST", (86, True)),
        (b"86 last", (86, True)),
        (b"", None),
        (b"-1", None),
        (b"+1", None),
        (b"0x10", None),
        (b"1_0", None),
        ("١".encode(), None),
        (b"1 LAS", None),
        (b"1 LAST x", None),
        (b"1  LAST", None),
        (b" 1", None),
        (b"9" * 21, None),
    ],
)
def test_the_size_of_a_chunk(argument: bytes, chunk: tuple[int, bool] | None) -> None:
    assert params.parse_chunk_size(argument) == chunk


def test_xtext() -> None:
    assert params.encode_xtext(b"a+b=c d\r\xff") == b"a+2Bb+3Dc+20d+0D+FF"
    assert params.decode_xtext(b"a+2Bb+3Dc+20d+0D+FF") == b"a+b=c d\r\xff"
    for wrong in (b"+", b"+2", b"+2b", b"a b", b"a=b", b"\xff"):
        assert params.decode_xtext(wrong) is None


def test_utf8_that_hides_in_xtext_is_an_address_of_the_type_utf8() -> None:
    # As Postfix 3.7 sends it.
    found = params.parse_rcpt(
        "<jörg@ours.test> ORCPT=rfc822;j+C3+B6rg+2Bx@ours.test".encode(), extended=True, smtputf8=True
    )
    assert isinstance(found, Rcpt)
    assert found.original == r"utf-8;j\x{F6}rg\x{2B}x@ours.test"
    assert rcpt(b"<ada@ours.test> ORCPT=rfc822;+C3+28@ours.test") == 501
    assert rcpt(b"<ada@ours.test> ORCPT=rfc822;+C2+85@ours.test") == 501  # a control character
    assert rcpt(b"<ada@ours.test> ORCPT=x400;j+C3+B6rg") == 501


@pytest.mark.parametrize(
    ("argument", "hold"),
    [
        (b"HOLDFOR=1", Hold(1, 0.0, "for;1")),
        (b"holdfor=3600", Hold(3600, 0.0, "for;3600")),
        (b"HOLDUNTIL=2026-01-01T00:00:00Z", Hold(0, MIDNIGHT, "until;2026-01-01T00:00:00Z")),
        (b"HOLDUNTIL=2025-12-31t23:59:60z", Hold(0, MIDNIGHT, "until;2025-12-31T23:59:60Z")),
        (b"HOLDUNTIL=2026-01-01T01:00:00+01:00", Hold(0, MIDNIGHT, "until;2026-01-01T01:00:00+01:00")),
        (b"HOLDUNTIL=2025-12-31T23:59:59.5Z", Hold(0, MIDNIGHT - 1, "until;2025-12-31T23:59:59.5Z")),
        (b"SIZE=5", None),
        (b"HOLDFOR=3601", TOO_LONG),
        (b"HOLDFOR=999999999", TOO_LONG),
        (b"HOLDUNTIL=2026-01-01T00:00:01Z", TOO_LONG),
        (b"HOLDUNTIL=9999-12-31T23:59:59Z", TOO_LONG),
        (b"HOLDFOR=1 HOLDUNTIL=2026-01-01T00:00:00Z", TWICE),
    ],
)
def test_how_long_a_message_is_held(argument: bytes, hold: Hold | Reply | None) -> None:
    assert held(argument) == hold


@pytest.mark.parametrize(
    "argument",
    [
        *(b"HOLDFOR", b"HOLDFOR=0", b"HOLDFOR=01", b"HOLDFOR=-1", b"HOLDFOR=+1", b"HOLDFOR=1.5"),
        *(b"HOLDFOR=1000000000", b"HOLDFOR=1s", b"HOLDFOR=1 HOLDFOR=2", b"HOLDUNTIL", b"HOLDUNTIL=1"),
        *(b"HOLDUNTIL=2026-01-01", b"HOLDUNTIL=2026-01-01T00:00:00", b"HOLDUNTIL=2026-02-30T00:00:00Z"),
        *(b"HOLDUNTIL=2026-01-01T25:00:00Z", b"HOLDUNTIL=20260101T000000Z", b"HOLDUNTIL=2026-1-1T0:0:0Z"),
        *(b"HOLDUNTIL=2026-01-01T00:00:00+25:00", b"HOLDUNTIL=0000-01-01T00:00:00Z"),
        *(b"HOLDUNTIL=0001-01-01T00:00:00+23:59", b"HOLDUNTIL=9999-12-31T23:59:60-23:59"),
    ],
)
def test_what_says_nothing_of_a_time(argument: bytes) -> None:
    found = held(argument)
    assert isinstance(found, Reply)
    assert (found.code, found.enhanced) == (501, "5.5.4")


def prioritized(parameter: bytes) -> int | None:
    """The priority that MAIL asks for; the code of the reply if that is none."""
    found = params.parse_mail(
        b"<> " + parameter, extended=True, secure=True, size_limit=1000, priorities=True
    )
    return found.code if isinstance(found, Reply) else found.priority


@pytest.mark.parametrize("value", [b"-9", b"-1", b"0", b"1", b"9"])
def test_priorities(value: bytes) -> None:
    assert prioritized(b"mt-priority=" + value) == int(value)


@pytest.mark.parametrize("value", [b"", b"=10", b"=-10", b"=-0", b"=+1", b"=00", b"=01", b"=1.0", b"=high"])
def test_what_is_no_priority(value: bytes) -> None:
    assert prioritized(b"MT-PRIORITY" + value) == 501


def test_priorities_are_not_known_where_they_are_not_offered() -> None:
    assert prioritized(b"SIZE=1") is None
    assert mail(b"<> MT-PRIORITY=1") == 555


def test_nothing_is_held_where_that_is_not_offered() -> None:
    assert mail(b"<smith@bar.test> HOLDFOR=1") == 555
    assert mail(b"<smith@bar.test> HOLDUNTIL=2026-01-01T00:00:00Z") == 555
