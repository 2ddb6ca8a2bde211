"""The one address parser: what is an address, what is its one spelling, what is refused."""

import pytest

from postroad.model.address import (
    POSTMASTER,
    Address,
    AddressError,
    normal_domain,
    parse_mailbox,
    parse_path,
    unicode_domain,
)

LABEL_63 = "d" * 63
DOMAIN_189 = ".".join(["d" * 63, "e" * 63, "f" * 61])
"""With a local part of 64 octets and the @, the longest mailbox: 254 octets."""


@pytest.mark.parametrize(
    ("text", "local", "domain"),
    [
        ("ada@example.org", "ada", "example.org"),
        ("Ada.Lovelace@Example.ORG", "Ada.Lovelace", "example.org"),
        ("ada+shop@example.org", "ada+shop", "example.org"),
        ("!#$%&'*+-/=?^_`{|}~@example.org", "!#$%&'*+-/=?^_`{|}~", "example.org"),
        ('"ada"@example.org', "ada", "example.org"),
        ('"a d a"@example.org', "a d a", "example.org"),
        ('"a\\"b\\\\c"@example.org', 'a"b\\c', "example.org"),
        ('"\\a\\d\\a"@example.org', "ada", "example.org"),
        ('"a@b"@example.org', "a@b", "example.org"),
        ("ada@localhost", "ada", "localhost"),
        ("ada@3com.example", "ada", "3com.example"),
        ("ada@r3---sn.example", "ada", "r3---sn.example"),
        ("ada@[192.0.2.1]", "ada", "[192.0.2.1]"),
        ("ada@[IPv6:2001:DB8:0:0::1]", "ada", "[IPv6:2001:db8::1]"),
        ("ada@[ipv6:::1]", "ada", "[IPv6:::1]"),
        ("ada@[IPv6:::FFFF:c000:201]", "ada", "[IPv6:::ffff:192.0.2.1]"),
        ("jörg@example.org", "jörg", "example.org"),
        ("jo\u0308rg@example.org", "jörg", "example.org"),
        ('"jörg ö"@example.org', "jörg ö", "example.org"),
        ("ada@bücher.example", "ada", "xn--bcher-kva.example"),
        ("ada@BÜCHER.example", "ada", "xn--bcher-kva.example"),
        ("ada@bu\u0308cher.example", "ada", "xn--bcher-kva.example"),
        ("ada@XN--BCHER-KVA.example", "ada", "xn--bcher-kva.example"),
        ("ada@faß.example", "ada", "xn--fa-hia.example"),
        ("ada@例え。example", "ada", "xn--r8jz45g.example"),
        ("ada@xn--ls8h.example", "ada", "xn--ls8h.example"),
    ],
)
def test_an_address_has_one_spelling(text: str, local: str, domain: str) -> None:
    address = parse_mailbox(text)
    assert (address.local, address.domain, address.utf8) == (local, domain, not local.isascii())
    assert parse_mailbox(str(address)) == address


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ada",
        "@",
        "ada@",
        "@example.org",
        '""@example.org',
        "ada@@example.org",
        "ada@example.org@example.com",
        ".ada@example.org",
        "ada.@example.org",
        "a..da@example.org",
        "a da@example.org",
        "ada @example.org",
        "ada@ example.org",
        " ada@example.org",
        "ada@example.org ",
        "ada(comment)@example.org",
        "ada@(comment)example.org",
        "Ada <ada@example.org>",
        "<ada@example.org>",
        "ada,bob@example.org",
        "ada;bob@example.org",
        "ada:bob@example.org",
        "ada\\@b@example.org",
        '"ada@example.org',
        '"ada"bob@example.org',
        '"ada".bob@example.org',
        'ada."bob"@example.org',
        '"a\\"@example.org',
        '"a\nb"@example.org',
        '"a\\\nb"@example.org',
        '"a\x00b"@example.org',
        "a\x00b@example.org",
        "a\rb@example.org",
        "a\nb@example.org",
        "a\r\nRCPT TO:<b@example.org",
        "a\x7fb@example.org",
        "a\tb@example.org",
        "ada@example.org\n",
        "ada@example.org\x00.example.com",
        "ada@example\r.org",
        "ada@exam ple.org",
        "ada@example..org",
        "ada@.example.org",
        "ada@example.org.",
        "ada@.",
        "ada@-example.org",
        "ada@example-.org",
        "ada@exa_mple.org",
        "ada@exam/ple.org",
        "ada@example.org:25",
        "ada@192.0.2.1",
        "ada@1",
        "ada@[192.0.2.256]",
        "ada@[192.0.2]",
        "ada@[192.0.02.1]",
        "ada@[0x7f.0.0.1]",
        "ada@[2130706433]",
        "ada@[]",
        "ada@[192.0.2.1",
        "ada@192.0.2.1]",
        "ada@[192.0.2.1].example.org",
        "ada@[192.0.2.1]x",
        "ada@[2001:db8::1]",
        "ada@[IPv6:2001:db8::1%eth0]",
        "ada@[IPv6:12345::]",
        "ada@[IPv6:]",
        "ada@[tag:content]",
        "ada@[١٩٢.0.2.1]",
        "=?utf-8?q?ada?=@example.org",
        '"=?utf-8?q?ada?="@example.org',
        "=?x?q?=41=42=43bob=40example.com=3e=00?=foo@example.org",
        "ada\u200b@example.org",
        "ada\u202e@example.org",
        "ada\u2028@example.org",
        "ada\u0085@example.org",
        "ada\u00a0@example.org",
        "ada\ufeff@example.org",
        "ada\u037e@example.org",
        "\u0301ada@example.org",
        "ada\ud800@example.org",
        "ada@\ud800.example",
        "ada@exam\u200dple.org",
        "ada@\u0301a.example",
        "ada@a\u2024b\u2260.example",
        "ada@xn--.example",
        "ada@xn--a.example",
        "ada@xn--abc-.example",
        "ada@xn--example-.org",
        "ada@xn--zzzzzzzzzzzzzz.example",
        "ada@xn--bcher-kvA-.example",
    ],
)
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(AddressError):
        parse_mailbox(text)


@pytest.mark.parametrize("text", ["ada\uff20example.org", "ada@example\uff0forg", "ada@example.org\uff1a25"])
def test_characters_that_only_look_like_syntax_are_none(text: str) -> None:
    with pytest.raises(AddressError):
        parse_mailbox(text)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("pаypal@example.org", "paypal@example.org"),
        ("ada@exаmple.org", "ada@example.org"),
        ("ada@faß.example", "ada@fass.example"),
        ("ada@ı.example", "ada@i.example"),
        ('"ada@example.org"@example.com', "ada@example.org"),
        ("ada%example.org@example.com", "ada@example.org"),
        ("a.b@example.org", "ab@example.org"),
        ("ada+x@example.org", "ada@example.org"),
        ("ada@[192.0.2.1]", "ada@[IPv6:::ffff:192.0.2.1]"),
    ],
)
def test_what_looks_alike_is_kept_apart(one: str, other: str) -> None:
    assert parse_mailbox(one).key != parse_mailbox(other).key


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ada@Example.org", "aDA@eXAMPLE.ORG"),
        ('"ada"@example.org', "ada@example.org"),
        ("JÖRG@bücher.example", "jo\u0308rg@xn--bcher-kva.example"),
        ("Ὀδυσσεύς@example.org", "ὀδυσσεύσ@example.org"),
    ],
)
def test_what_is_one_has_one_key(one: str, other: str) -> None:
    assert parse_mailbox(one).key == parse_mailbox(other).key


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("x" * 64 + "@example.org", True),
        ("x" * 65 + "@example.org", False),
        ('"' + "x" * 61 + ' "@example.org', True),
        ('"' + "x" * 62 + ' "@example.org', False),
        ('"' + "x" * 64 + '"@example.org', True),
        ("ö" * 32 + "@example.org", True),
        ("ö" * 32 + "x@example.org", False),
        (f"ada@{LABEL_63}.example", True),
        (f"ada@d{LABEL_63}.example", False),
        ("x" * 64 + "@" + DOMAIN_189, True),
        ("x" * 64 + "@" + DOMAIN_189 + "f", False),
    ],
)
def test_lengths(text: str, fits: bool) -> None:
    if fits:
        assert parse_mailbox(str(parse_mailbox(text))) == parse_mailbox(text)
    else:
        with pytest.raises(AddressError):
            parse_mailbox(text)


def test_a_path_has_at_most_256_octets() -> None:
    longest = b"<" + b"x" * 64 + b"@" + DOMAIN_189.encode() + b">"
    assert len(longest) == 256
    assert parse_path(longest, smtputf8=False)[1] == b""
    with pytest.raises(AddressError, match="too long"):
        parse_path(b"<@a:" + longest[1:], smtputf8=False)


@pytest.mark.parametrize(
    ("path", "address", "rest"),
    [
        (b"<ada@example.org>", "ada@example.org", b""),
        (b"<ada@example.org> SIZE=1 BODY=8BITMIME", "ada@example.org", b"SIZE=1 BODY=8BITMIME"),
        (b'<"a>b"@example.org> X', '"a>b"@example.org', b"X"),
        (b'<"a\\"> b"@example.org>', '"a\\"> b"@example.org', b""),
        (b"<@relay.example:ada@example.org>", "ada@example.org", b""),
        (b"<@a.example,@b.example:ada@example.org>", "ada@example.org", b""),
        ("<jörg@bücher.example>".encode(), "jörg@xn--bcher-kva.example", b""),
    ],
)
def test_paths(path: bytes, address: str, rest: bytes) -> None:
    found, parameters = parse_path(path, smtputf8=True)
    assert (str(found), parameters) == (address, rest)


def test_the_null_path() -> None:
    assert parse_path(b"<> SIZE=1", smtputf8=False) == (None, b"SIZE=1")


@pytest.mark.parametrize("path", [b"<postmaster>", b"<Postmaster>", b"<POSTMASTER>"])
def test_postmaster_needs_no_domain(path: bytes) -> None:
    assert parse_path(path, smtputf8=False) == (POSTMASTER, b"")
    assert str(POSTMASTER) == POSTMASTER.key == "postmaster"


@pytest.mark.parametrize(
    "path",
    [
        b"",
        b"ada@example.org",
        b"<ada@example.org",
        b" <ada@example.org>",
        b"< >",
        b"< ada@example.org>",
        b"<ada@example.org >",
        b"<ada@example.org>SIZE=1",
        b"<ada@example.org><bob@example.org>",
        b"<<ada@example.org>>",
        b"<ada@example.org\r\n>",
        b"<ada@example.org>\r\nRCPT TO:<bob@example.org>",
        b"<ada@example.org\x00>",
        b"<ada>",
        b"<abuse>",
        b"<@a.example:>",
        b"<@a.example:postmaster>",
        b"<@a.example ada@example.org>",
        b"<@a.example,b.example:ada@example.org>",
        b"<@:ada@example.org>",
        b"<@[192.0.2.1]:ada@example.org>",
        b"<@a..b:ada@example.org>",
        b'<"ada@example.org>',
        b"<\xff@example.org>",
        b"<j\xf6rg@example.org>",
        b"<\xc0\x80@example.org>",
    ],
)
def test_what_is_no_path(path: bytes) -> None:
    with pytest.raises(AddressError):
        parse_path(path, smtputf8=True)


@pytest.mark.parametrize("text", ["jörg@example.org", "ada@bücher.example"])
def test_without_smtputf8_an_address_is_ascii(text: str) -> None:
    with pytest.raises(AddressError, match="SMTPUTF8"):
        parse_mailbox(text, smtputf8=False)
    with pytest.raises(AddressError, match="SMTPUTF8"):
        parse_path(f"<{text}>".encode(), smtputf8=False)


@pytest.mark.parametrize(
    ("text", "domain"),
    [
        ("Example.ORG.", "example.org"),
        ("Bücher.Example", "xn--bcher-kva.example"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
    ],
)
def test_domains(text: str, domain: str) -> None:
    assert normal_domain(text) == domain


@pytest.mark.parametrize(
    "text", ["", ".", "example.org..", "[192.0.2.1]", "a b", "a@b", "d" * 254, "*.example.org"]
)
def test_what_is_no_domain(text: str) -> None:
    with pytest.raises(AddressError):
        normal_domain(text)


def test_people_read_u_labels() -> None:
    assert parse_mailbox("ada@xn--bcher-kva.example").unicode == "ada@bücher.example"
    assert unicode_domain("mail.xn--bcher-kva.example") == "mail.bücher.example"
    assert unicode_domain("xn--ls8h.example") == "xn--ls8h.example"


def test_messages_are_ascii_sentences_without_the_input() -> None:
    with pytest.raises(AddressError) as caught:
        parse_path(b"<ada\r\n250 ok@example.org>", smtputf8=True)
    assert str(caught.value).isascii()
    assert "250" not in str(caught.value)


def test_an_address_made_by_hand_prints_what_can_be_read_back() -> None:
    made = Address('a "b"\\c', "example.org", False)
    assert parse_mailbox(str(made)) == made
