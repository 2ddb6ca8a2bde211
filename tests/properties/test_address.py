"""Laws of addresses: one value for each mailbox, in every direction."""

import unicodedata

from hypothesis import assume, example, given
from hypothesis import strategies as st

from postroad.model.address import (
    Address,
    AddressError,
    normal_domain,
    parse_mailbox,
    parse_path,
    unicode_domain,
)

LOCALS = st.one_of(
    st.text("abcABC019.+-_!%=", min_size=1, max_size=64),
    st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=40),
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30),
    st.text("ßſıİKÅςσΣ\u0345\u0301\u0308ǅﬁ", min_size=1, max_size=20),
)
DOMAINS = st.one_of(
    st.from_regex(r"[a-zA-Z0-9]([a-zA-Z0-9-]{0,8}[a-zA-Z0-9])?(\.[a-zA-Z]{1,9}){0,3}", fullmatch=True),
    st.text(st.characters(categories=["Ll", "Lu", "Lo", "Mn", "Nd"]), min_size=1, max_size=12).map(
        lambda label: label + ".example"
    ),
    st.sampled_from(
        ["xn--bcher-kva.example", "BÜCHER.example", "faß.example", "例え。example", "xn--ls8h.la"]
    ),
    st.ip_addresses(v=4).map(lambda ip: f"[{ip}]"),
    st.ip_addresses(v=6).map(lambda ip: f"[IPv6:{ip}]"),
)


def quoted(local: str) -> str:
    return '"' + local.replace("\\", "\\\\").replace('"', '\\"') + '"'


@st.composite
def addresses(draw: st.DrawFn) -> Address:
    local = draw(LOCALS)
    text = (local if draw(st.booleans()) else quoted(local)) + "@" + draw(DOMAINS)
    try:
        return parse_mailbox(text)
    except AddressError:
        assume(False)
        raise


@given(addresses())
def test_what_is_printed_is_what_was_parsed(address: Address) -> None:
    assert parse_mailbox(str(address)) == address
    assert parse_mailbox(str(address), smtputf8=True).key == address.key
    assert address.utf8 == (not str(address).isascii())


@given(addresses())
def test_a_path_holds_the_same_address(address: Address) -> None:
    wire = f"<{address}>".encode()
    assert len(wire) <= 256
    assert parse_path(wire + b" SIZE=1", smtputf8=True) == (address, b"SIZE=1")
    assert (
        parse_path(b"<@relay.example:" + wire[1:], smtputf8=True)[0] == address if len(wire) < 200 else True
    )


@given(addresses())
def test_what_people_read_is_the_same_address(address: Address) -> None:
    assume(len(address.unicode) <= 254)
    assert parse_mailbox(address.unicode) == address


@given(addresses())
def test_quoting_changes_nothing(address: Address) -> None:
    text = f"{quoted(address.local)}@{address.domain}"
    assume(len(text) <= 254)
    assert parse_mailbox(text) == address


@given(addresses())
def test_a_key_is_its_own_key(address: Address) -> None:
    # Folding may lengthen a local part (ß), so the key is not always an address itself.
    again = Address(unicodedata.normalize("NFC", address.local.casefold()), address.domain, address.utf8)
    assert again.key == address.key


@given(addresses())
def test_nothing_that_breaks_a_line_or_a_header_gets_through(address: Address) -> None:
    printed = str(address)
    assert not any(unicodedata.category(c) in ("Cc", "Zl", "Zp", "Cs") for c in printed)
    assert address.domain.isascii()
    assert address.domain == address.domain.lower().replace("[ipv6:", "[IPv6:")
    assert len(printed.rpartition("@")[0].encode()) <= 64


@given(addresses())
def test_the_domain_is_what_stands_behind_the_last_at(address: Address) -> None:
    assert str(address).rpartition("@")[2] == address.domain


@given(st.text(max_size=300))
@example("a@" + "." * 250)
@example('"' * 254)
def test_any_text_is_an_address_or_an_address_error(text: str) -> None:
    try:
        address = parse_mailbox(text)
    except AddressError:
        return
    assert parse_mailbox(str(address)) == address


@given(st.binary(max_size=300), st.booleans())
@example(b"<" + b'"' * 300, True)
@example(b"<@" + b",@" * 100, True)
def test_any_bytes_are_a_path_or_an_address_error(wire: bytes, smtputf8: bool) -> None:
    try:
        address, rest = parse_path(wire, smtputf8=smtputf8)
    except AddressError:
        return
    assert wire.rstrip(b" ").endswith(rest)
    assert address is None or smtputf8 or not address.utf8


@given(DOMAINS)
def test_a_domain_survives_the_way_to_people_and_back(text: str) -> None:
    try:
        domain = normal_domain(text)
    except AddressError:
        return
    assert normal_domain(domain) == domain
    assert normal_domain(domain + ".") == domain
    assert normal_domain(unicode_domain(domain)) == domain
