"""The Sender Rewriting Scheme: addresses that hold addresses, and that nobody else can make."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroad.mailauth.srs import (
    LIFETIME_DAYS,
    NotOurs,
    Stored,
    looks_rewritten,
    original,
    rewrite,
    rewrite_stored,
)
from postroad.model.address import Address, parse_mailbox

KEY, NOW, DAY = b"k" * 32, 1_700_000_000.0, 86400.0
ADA = parse_mailbox("Ada.L@x.test")


def through(sender: Address, domain: str = "ours.test", key: bytes = KEY) -> Address:
    made = rewrite(sender, domain, key, NOW)
    assert made is not None
    assert parse_mailbox(str(made)) == made
    assert looks_rewritten(made)
    return made


def test_there_and_back() -> None:
    made = through(ADA)
    assert made.local.startswith("SRS0=")
    assert made.domain == "ours.test"
    assert original(made, KEY, NOW) == ADA
    assert original(made, KEY, NOW + LIFETIME_DAYS * DAY) == ADA


@given(st.sampled_from(["a", "a=b", "a+b", "=", "SRS", "srs0", "x=y=z", "ümlaut"]))
def test_every_local_part_comes_back(local: str) -> None:
    sender = Address(local, "x.test", not local.isascii())
    assert original(through(sender), KEY, NOW) == sender


def test_over_three_forwarders_and_back() -> None:
    first = through(ADA, "one.test", b"1" * 32)
    second = through(first, "two.test", b"2" * 32)
    third = through(second, "three.test", b"3" * 32)
    assert second.local.startswith("SRS1=")
    assert third.local.count("SRS") == 1  # they do not grow
    back = original(third, b"3" * 32, NOW)
    assert back == original(second, b"2" * 32, NOW) == first
    assert isinstance(back, Address)
    assert original(back, b"1" * 32, NOW) == ADA


def test_who_changes_the_case_changes_nothing() -> None:
    made = through(parse_mailbox("ada@x.test"))
    lower = Address(made.local.lower(), made.domain, False)
    assert original(lower, KEY, NOW) == parse_mailbox("ada@x.test")


def test_forged_and_old_ones_are_refused() -> None:
    made = through(ADA)
    for local in (
        made.local.replace("x.test", "y.test"),
        made.local.replace("Ada", "Bob"),
        "SRS0=aaaaaaaa=aa=x.test=ada",
        "SRS1=aaaaaaaa=x.test==rest",
        "SRS0=aaaa=aa=x.test=ada",
        "SRS0=",
        "SRS1=x",
    ):
        with pytest.raises(NotOurs):
            original(Address(local, "ours.test", False), KEY, NOW)
    with pytest.raises(NotOurs):
        original(made, b"other", NOW)
    with pytest.raises(NotOurs, match="their time is over"):
        original(made, KEY, NOW + (LIFETIME_DAYS + 1) * DAY)


def test_a_long_address_is_kept_under_a_number() -> None:
    long = parse_mailbox(f"{'a' * 60}@x.test")
    assert rewrite(long, "ours.test", KEY, NOW) is None
    made = rewrite_stored(12, "ours.test", KEY, NOW)
    assert original(made, KEY, NOW) == Stored(12)
    with pytest.raises(NotOurs):
        original(Address(made.local[:-1] + "3", "ours.test", False), KEY, NOW)


@given(st.text(max_size=60))
def test_nothing_else_gets_through(tail: str) -> None:
    for head in ("SRS0=", "SRS1=", "srs0+"):
        with pytest.raises(NotOurs):
            original(Address(head + tail, "ours.test", False), KEY, NOW)
