"""MTA-STS records and policies (RFC 8461 §3)."""

import pytest

from postroad.mailauth.mtasts import BadPolicy, Mode, Policy, parse_policy, policy_id

POLICY = (
    b"version: STSv1\r\nmode: enforce\r\nmx: mail.example.com\r\nmx: *.example.net\r\nmax_age: 604800\r\n"
)


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        ([b"v=STSv1; id=20160831085700Z;"], "20160831085700Z"),
        ([b"v=STSv1;id=a"], "a"),
        ([b"v=STSv1 ; id = a ; other=x"], "a"),
        ([b"v=STSv1; id=a", b"something else"], "a"),
        ([b"v=STSv1; id=a", b"v=STSv1; id=a"], None),
        ([b"v=STSv10; id=a"], None),
        ([b"V=STSv1; id=a"], None),
        ([b"v=stsv1; id=a"], None),
        ([b"v=STSv1"], None),
        ([b"v=STSv1; id="], None),
        ([b"v=STSv1; id=a-b"], None),
        ([b"v=STSv1; id=" + b"a" * 32], "a" * 32),
        ([b"v=STSv1; id=" + b"a" * 33], None),
        ([b"v=STSv1; id=a;; x=y"], None),
        ([b" v=STSv1; id=a"], None),
        ([], None),
    ],
)
def test_one_valid_record_is_one(records: list[bytes], expected: str | None) -> None:
    assert policy_id(tuple(records)) == expected


def test_a_policy_is_read() -> None:
    assert parse_policy(POLICY) == Policy(Mode.ENFORCE, 604800, ("mail.example.com", "*.example.net"))


def test_line_ends_may_be_line_feeds_and_the_last_may_be_missing() -> None:
    assert parse_policy(POLICY.replace(b"\r\n", b"\n").rstrip()) == parse_policy(POLICY)


def test_unknown_fields_are_passed_over_and_of_two_the_first_counts() -> None:
    more = POLICY + b"mode: none\r\nmax_age: 1\r\nfuture: thing\r\n"
    assert parse_policy(more) == parse_policy(POLICY)


def test_mode_none_needs_no_mx() -> None:
    assert parse_policy(b"version: STSv1\nmode: none\nmax_age: 86400\n").mx == ()


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"<html>",
        POLICY.replace(b"STSv1", b"STSv2"),
        POLICY.replace(b"version: STSv1\r\n", b""),
        POLICY.replace(b"enforce", b"Enforce"),
        POLICY.replace(b"mode: enforce\r\n", b""),
        POLICY.replace(b"604800", b"31557601"),
        POLICY.replace(b"604800", b"-1"),
        POLICY.replace(b"604800", b"99999999999"),
        POLICY.replace(b"max_age: 604800\r\n", b""),
        POLICY.replace(b"*.example.net", b"*.*.example.net"),
        POLICY.replace(b"*.example.net", b"mail.*.net"),
        POLICY.replace(b"*.example.net", b"*"),
        POLICY.replace(b"*.example.net", b"a b"),
        POLICY.replace(b"mx: mail.example.com\r\nmx: *.example.net\r\n", b""),
        POLICY + b"mx: a.test\r\n" * 100,
        POLICY + b"\xff: x\r\n",
    ],
)
def test_what_is_none_is_refused(octets: bytes) -> None:
    with pytest.raises(BadPolicy):
        parse_policy(octets)


@pytest.mark.parametrize(
    ("host", "covered"),
    [
        ("mail.example.com", True),
        ("MAIL.Example.COM.", True),
        ("a.example.net", True),
        ("example.net", False),
        ("a.b.example.net", False),
        ("mail.example.com.evil.test", False),
        ("example.com", False),
    ],
)
def test_a_wildcard_stands_for_one_label(host: str, covered: bool) -> None:
    assert parse_policy(POLICY).covers(host) is covered
