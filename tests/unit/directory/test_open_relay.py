"""No path that a stranger may say leads out of here, or to anybody it does not name (SAFETY C7, C8).

What stands in the angle brackets of RCPT TO goes through the parser and the
directory. `elsewhere.example` is where a relay would send it.
"""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from postroad.directory.resolve import AccountTarget, Local, NotOurs, Suspended, Unknown, resolve
from postroad.model.address import AddressError, parse_mailbox, parse_path
from tests.unit.directory.world import Book

REFUSED = [
    # Plainly elsewhere, and what old servers took for local.
    b"eve@elsewhere.example",
    b"EVE@ELSEWHERE.EXAMPLE",
    b"eve@sub.example.org",
    b"eve@org",
    b"eve@localhost",
    b"eve@localhost.localdomain",
    b"eve",
    b"eve@",
    b"@elsewhere.example",
    b"@",
    # Percent hack, in every dress.
    b"eve%elsewhere.example@example.org",
    b"eve%elsewhere.example%example.org@example.org",
    b"eve%elsewhere.example",
    b"eve%elsewhere.example@",
    b"eve%elsewhere.example@localhost",
    b"eve%elsewhere.example@[127.0.0.1]",
    b"eve%elsewhere.example@[192.0.2.25]",
    b'"eve%elsewhere.example"@example.org',
    b'"eve%elsewhere.example"',
    b"ada%example.org@elsewhere.example",
    # Bang paths.
    b"elsewhere.example!eve@example.org",
    b"elsewhere.example!eve",
    b"example.org!elsewhere.example!eve@example.org",
    b'"elsewhere.example!eve"@example.org',
    b"eve@elsewhere.example!example.org",
    # An address in a local part.
    b'"eve@elsewhere.example"@example.org',
    b'"eve@elsewhere.example"',
    b"eve\\@elsewhere.example@example.org",
    b"eve@elsewhere.example@example.org",
    b"eve@example.org@elsewhere.example",
    b'"ada@example.org"@elsewhere.example',
    b'"ada@example.org> "@elsewhere.example',
    b'"<eve@elsewhere.example>"@example.org',
    b'"ada"@elsewhere.example@example.org',
    b'"ada"eve@example.org',
    b'"ada" <eve@elsewhere.example>',
    b"<eve@elsewhere.example>",
    b"ada@example.org <eve@elsewhere.example>",
    b"ada@example.org,eve@elsewhere.example",
    b"ada@example.org;eve@elsewhere.example",
    b"eve@elsewhere.example(@example.org)",
    b"eve@elsewhere.example (ada@example.org)",
    b"ada(eve@elsewhere.example)@example.org",
    # Source routes lead where the mailbox behind them leads.
    b"@example.org:eve@elsewhere.example",
    b"@example.org,@elsewhere.example:eve@elsewhere.example",
    b"@localhost:eve@elsewhere.example",
    b"@elsewhere.example:eve%elsewhere.example@example.org",
    b"@example.org:",
    b"@example.org:@elsewhere.example:eve@elsewhere.example",
    b"@example.org@elsewhere.example:ada@example.org",
    b"example.org:eve@elsewhere.example",
    # Literals are not ours, our own included.
    b"ada@[127.0.0.1]",
    b"ada@[::1]",
    b"ada@[IPv6:::1]",
    b"ada@[IPv6:::ffff:127.0.0.1]",
    b"ada@127.0.0.1",
    b"ada@2130706433",
    b"ada@0x7f000001",
    b"ada@[example.org]",
    b"postmaster@[127.0.0.1]",
    # Dots, case, controls, line ends, other encodings.
    b"eve@elsewhere.example.",
    b"eve@elsewhere.example..example.org",
    b"ada@example.org.",
    b"ada@example.org.elsewhere.example",
    b"ada@example.org\0.elsewhere.example",
    b"eve@elsewhere.example\0@example.org",
    b"eve@elsewhere.example\0example.org",
    b"eve@elsewhere.example\r@example.org",
    b"eve@elsewhere.example\n@example.org",
    b"ada@example.org\r\nRCPT TO:<eve@elsewhere.example",
    b"ada@example.org\nRCPT TO:<eve@elsewhere.example",
    b'"ada\r\nRCPT TO:<eve@elsewhere.example>"@example.org',
    b"eve@elsewhere.example\t",
    b"eve@\xc0\xa0example.org",
    b"ada@example.org\xff",
    "eve＠elsewhere.example@example.org".encode(),
    "eve@elsewhere.example＠example.org".encode(),
    "ada@ехample.org".encode(),
    "ada@example\u200b.org\u200b.elsewhere.example".encode(),
    "ada\u0000@example.org".encode(),
    # Encoded words, which a later reader would decode to another address.
    b"=?utf-8?q?eve=40elsewhere.example?=@example.org",
    b'"=?utf-8?q?eve=40elsewhere.example=3E?="@example.org',
    b"=?utf-7?q?eve+AEA-elsewhere.example?=@example.org",
    b"=?x?q?=65=76=65=40elsewhere.example=3e=20?=ada@example.org",
]

REACHES_ADA = [
    b"ada@example.org",
    b"ADA@EXAMPLE.ORG",
    b'"ada"@example.org',
    b'"a\\da"@example.org',
    b"ada+eve@example.org",
    b'"ada+eve@elsewhere.example"@example.org',
    b"ada+eve%elsewhere.example@example.org",
    b"@elsewhere.example:ada@example.org",
    "ada@ｅxample。org".encode(),
]


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Book:
    folder: Path = tmp_path_factory.mktemp("relay")
    book = Book(folder)
    book.domain("example.org")
    book.account("ada@example.org")
    book.alias("out@example.org", "eve@elsewhere.example")
    return book


def answer(book: Book, path: bytes) -> object:
    """What becomes of RCPT TO:<path>; a word when the parser refused it."""
    try:
        address, rest = parse_path(b"<" + path + b">", smtputf8=True)
    except AddressError:
        return "refused"
    assert address is not None
    assert rest == b""
    return book.read(lambda reader: resolve(reader, address))


@pytest.mark.parametrize("path", REFUSED)
def test_no_path_leads_out(book: Book, path: bytes) -> None:
    found = answer(book, path)
    assert found == "refused" or isinstance(found, NotOurs | Unknown)


@pytest.mark.parametrize("path", REACHES_ADA)
def test_what_does_lead_to_ada(book: Book, path: bytes) -> None:
    found = answer(book, path)
    assert isinstance(found, Local)
    (target,) = found.targets
    assert isinstance(target, AccountTarget)
    assert str(target.address) == "ada@example.org"
    assert parse_mailbox(str(target.delivered_to)) == target.delivered_to
    assert target.delivered_to.domain == "example.org"


LOCALS = st.one_of(
    st.text("ade.@%!+=:<>\\ ", min_size=1, max_size=20),
    st.sampled_from(["eve@elsewhere.example", "ada", "ada@example.org", "elsewhere.example!eve", "a%b"]),
    st.text(max_size=20),
)
DOMAINS = st.sampled_from(
    ["example.org", "EXAMPLE.ORG", "elsewhere.example", "example.org.elsewhere.example", "[127.0.0.1]"]
)


@settings(max_examples=300)
@given(LOCALS, DOMAINS, st.booleans())
def test_what_is_routed_is_what_is_printed(book: Book, local: str, domain: str, quote: bool) -> None:
    """A local part decides who, never where."""
    if quote:
        local = '"' + local.replace("\\", "\\\\").replace('"', '\\"') + '"'
    try:
        address = parse_mailbox(f"{local}@{domain}")
    except AddressError:
        return
    found = book.read(lambda reader: resolve(reader, address))
    again = book.read(lambda reader: resolve(reader, parse_mailbox(str(address))))
    assert again == found
    assert isinstance(found, NotOurs) == (str(address).rpartition("@")[2] != "example.org")
    assert not isinstance(found, Suspended)
    if isinstance(found, Local) and isinstance(found.targets[0], AccountTarget):
        assert found.targets[0].delivered_to == address
