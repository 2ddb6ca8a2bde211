"""Address lists, as RFC 5322 has them and as people write them."""

import pytest

from postroad.message.address_list import (
    MAX_ADDRESSES,
    GroupEnd,
    GroupStart,
    Mailbox,
    first_mailbox,
    parse_addresses,
)


def box(name: bytes | None, local: bytes, host: bytes, route: bytes | None = None) -> Mailbox:
    return Mailbox(name, route, local, host)


@pytest.mark.parametrize(
    ("value", "mailbox"),
    [
        (b"ada@a.test", box(None, b"ada", b"a.test")),
        (b"<ada@a.test>", box(None, b"ada", b"a.test")),
        (b"Ada Lovelace <ada@a.test>", box(b"Ada Lovelace", b"ada", b"a.test")),
        (b'"Lovelace, Ada" <ada@a.test>', box(b"Lovelace, Ada", b"ada", b"a.test")),
        (b'"Ada \\"the first\\"" <ada@a.test>', box(b'Ada "the first"', b"ada", b"a.test")),
        (b"Ada L. Lovelace <ada@a.test>", box(b"Ada L. Lovelace", b"ada", b"a.test")),
        (b"ada@a.test (Ada (the first) Lovelace)", box(b"Ada (the first) Lovelace", b"ada", b"a.test")),
        (b"Ada <@x.test,@y.test:ada@a.test>", box(b"Ada", b"ada", b"a.test", b"@x.test,@y.test")),
        (b'"a b"@a.test', box(None, b"a b", b"a.test")),
        (b"ada @ a . test", box(None, b"ada", b"a.test")),
        (b"ada . lovelace@a.test", box(None, b"ada.lovelace", b"a.test")),
        (b"ada@[192.0.2.1]", box(None, b"ada", b"[192.0.2.1]")),
        (b"Ada Lovelace ada@a.test", box(b"Ada Lovelace", b"ada", b"a.test")),
        (b'"" <ada@a.test>', box(None, b"ada", b"a.test")),
        (b"=?utf-8?q?Lovelace,_Ada?= <ada@a.test>", box(b"=?utf-8?q?Lovelace,_Ada?=", b"ada", b"a.test")),
        (b"J\xc3\xb6rg <joerg@a.test>", box(b"J\xc3\xb6rg", b"joerg", b"a.test")),
        (b"Ada <ada@a.test", box(b"Ada", b"ada", b"a.test")),
        (b"Ada <>", box(b"Ada", b"", b"")),
        (b"undisclosed recipients", box(None, b"undisclosed recipients", b"")),
        (b"ada", box(None, b"ada", b"")),
    ],
)
def test_one_mailbox(value: bytes, mailbox: Mailbox) -> None:
    assert parse_addresses(value) == [mailbox]


def test_a_list_with_empty_places() -> None:
    assert parse_addresses(b",a@a.test,, B <b@b.test> ,\r\n c@c.test,") == [
        box(None, b"a", b"a.test"),
        box(b"B", b"b", b"b.test"),
        box(None, b"c", b"c.test"),
    ]


def test_without_commas_each_address_has_the_name_in_front_of_it() -> None:
    assert parse_addresses(b"A <a@a.test> B B <b@b.test> <c@c.test> D <d@d.test> (x), e@e.test") == [
        box(b"A", b"a", b"a.test"),
        box(b"B B", b"b", b"b.test"),
        box(None, b"c", b"c.test"),
        box(b"D", b"d", b"d.test"),
        box(None, b"e", b"e.test"),
    ]


def test_groups() -> None:
    assert parse_addresses(b"Team: a@a.test, B <b@b.test>;, nobody:;") == [
        GroupStart(b"Team"),
        box(None, b"a", b"a.test"),
        box(b"B", b"b", b"b.test"),
        GroupEnd(),
        GroupStart(b"nobody"),
        GroupEnd(),
    ]


def test_a_group_that_is_not_closed_is_closed_by_the_end() -> None:
    assert parse_addresses(b"Team: a@a.test")[-1] == GroupEnd()


def test_semicolons_part_addresses_too() -> None:
    assert len(parse_addresses(b"a@a.test; b@b.test")) == 2


def test_an_address_in_the_name_does_not_become_the_address() -> None:
    assert parse_addresses(b'"ceo@bank.test" <eve@evil.test>') == [
        box(b"ceo@bank.test", b"eve", b"evil.test")
    ]
    assert parse_addresses(b"=?utf-8?q?ceo@bank.test?= <eve@evil.test>")[0].address == "eve@evil.test"  # type: ignore[union-attr]
    assert parse_addresses(b"ceo@bank.test <eve@evil.test>") == [box(b"ceo@bank.test", b"eve", b"evil.test")]
    assert parse_addresses(b"(ceo@bank.test) eve@evil.test") == [box(b"ceo@bank.test", b"eve", b"evil.test")]
    assert parse_addresses(b"eve@evil.test ceo@bank.test") == [box(None, b"eve", b"evil.test")]


@pytest.mark.parametrize(
    ("local", "host", "address"),
    [
        (b"ada", b"a.test", "ada@a.test"),
        (b"a b", b"a.test", '"a b"@a.test'),
        (b'a"b\\c', b"a.test", '"a\\"b\\\\c"@a.test'),
        (b"a@b", b"a.test", '"a@b"@a.test'),
        (b"j\xc3\xb6rg", b"a.test", "jörg@a.test"),
        (b"ada", b"", "ada"),
        (b"", b"a.test", '""@a.test'),
    ],
)
def test_the_address_as_text(local: bytes, host: bytes, address: str) -> None:
    assert box(None, local, host).address == address


def test_names_are_decoded() -> None:
    assert box(b"=?utf-8?q?J=C3=B6rg?=", b"j", b"a.test").display_name == "Jörg"
    assert box(None, b"j", b"a.test").display_name == ""
    assert GroupStart(b"=?utf-8?q?J=C3=B6rg?=").display_name == "Jörg"


def test_the_first_mailbox_may_be_in_a_group() -> None:
    assert first_mailbox(parse_addresses(b"x: a@a.test;")) == box(None, b"a", b"a.test")
    assert first_mailbox([]) is None


@pytest.mark.parametrize(
    "bomb",
    [
        b"a@b.test," * 20_000,
        b"(" * 60_000,
        b"<" * 60_000,
        b'"' * 60_000,
        b":" * 60_000,
        b"@" * 60_000,
        b"<@" + b"," * 60_000,
        b"a " * 15_000 + b"@" + b":" * 30_000,
        b"<a" + b"(" * 30_000 + b")" * 30_000,
        b"a:;" * 20_000,
    ],
)
def test_bombs_are_bounded(bomb: bytes) -> None:
    assert len(parse_addresses(bomb)) <= 2 * MAX_ADDRESSES + 1
