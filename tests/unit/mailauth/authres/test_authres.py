"""Authentication-Results: written, read, and taken out when they are not ours."""

import authres
import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroad.mailauth.authres.forged import forged_fields, without
from postroad.mailauth.authres.read import parse_authres
from postroad.mailauth.authres.values import AuthResults, Property, Result
from postroad.mailauth.authres.write import WIDTH, field, payload

OURS = frozenset({"mx.example.org"})
MAILFROM = Property("smtp", "mailfrom", "ada@x.test")


def test_a_field_as_it_is_written() -> None:
    results = AuthResults(
        "mx.example.org",
        (
            Result("spf", "pass", (MAILFROM,), comment="ip4:192.0.2.0/24 of x.test"),
            Result("dkim", "fail", (Property("header", "d", "x.test"), Property("header", "b", "ab+/cd=="))),
            Result("dmarc", "none", (Property("header", "from", "x.test"),), reason='say "no"'),
        ),
    )
    assert field(results) == (
        b"Authentication-Results: mx.example.org;\r\n"
        b"\tspf=pass (ip4:192.0.2.0/24 of x.test) smtp.mailfrom=ada@x.test;\r\n"
        b'\tdkim=fail header.d=x.test header.b="ab+/cd==";\r\n'
        b'\tdmarc=none reason="say \\"no\\"" header.from=x.test\r\n'
    )
    assert payload(AuthResults("mx.example.org"), "i=2; ") == "i=2; mx.example.org; none"


def test_what_is_written_can_be_read() -> None:
    results = AuthResults(
        "mx.example.org",
        (
            Result(
                "spf",
                "softfail",
                (Property("smtp", "mailfrom", '"a b"@x.test'), Property("smtp", "helo", "")),
            ),
            Result(
                "dkim",
                "pass",
                (Property("header", "i", "@x.test"), Property("header", "b", "a=b;c")),
                "why; so",
            ),
            Result("x-odd", "pass", version=2),
        ),
    )
    text = payload(results).encode()
    parsed = parse_authres(text)
    assert parsed is not None
    assert parsed.results[1:] == results.results[1:]
    assert all(len(line) <= WIDTH + 1 for line in text.split(b"\r\n"))


def test_another_reader_understands_it() -> None:
    results = AuthResults(
        "mx.example.org",
        (
            Result("spf", "pass", (MAILFROM,), comment="who (we) are\\"),
            Result("dkim", "pass", (Property("header", "b", "ab+/cd=="),)),
        ),
    )
    other = authres.AuthenticationResultsHeader.parse(field(results).decode().strip())
    assert other.authserv_id == "mx.example.org"
    assert [(one.method, one.result) for one in other.results] == [("spf", "pass"), ("dkim", "pass")]
    assert other.results[0].properties[0].value == "ada@x.test"
    assert other.results[1].properties[0].value == "ab+/cd=="


# authres misreads values that are blank, and leaves the \\ of quoted pairs in.
printable = st.text(
    st.characters(min_codepoint=32, max_codepoint=126, exclude_characters='"\\'), max_size=30
).map("<{}>".format)


@given(printable, printable, printable)
def test_another_reader_finds_what_was_meant(value: str, reason: str, comment: str) -> None:
    found = (
        Result("spf", "fail", (Property("smtp", "helo", value),), reason, comment),
        Result("dkim", "pass", (Property("header", "d", "x.test"),)),
    )
    text = field(AuthResults("mx.example.org", found))
    other = authres.AuthenticationResultsHeader.parse(text.decode().strip())
    theirs = [
        (one.method, one.result, one.reason or "", [(p.type, p.name, p.value) for p in one.properties])
        for one in other.results
    ]
    assert theirs == [
        (one.method, one.result, one.reason, [(p.ptype, p.name, p.value) for p in one.properties])
        for one in found
    ]
    again = parse_authres(text.removeprefix(b"Authentication-Results:"))
    assert again is not None
    assert [one.properties for one in again.results] == [one.properties for one in found]


@pytest.mark.parametrize(
    "hostile", ["a\r\nX: y", 'q"; dkim=pass', "a)b(c", "a;b", "\u2028", "a b", "ü", "x" * 3000]
)
def test_no_value_gets_out_of_its_place(hostile: str) -> None:
    one = Result("spf", "fail", (Property("smtp", "helo", hostile),), hostile, hostile)
    text = field(AuthResults("mx.example.org", (one,)))
    assert text.count(b"\r\n") == text.count(b"\r\n\t") + 1
    assert max(map(len, text.split(b"\r\n"))) < 998
    parsed = parse_authres(text.partition(b":")[2])
    assert parsed is not None
    assert [(r.method, r.result, len(r.properties)) for r in parsed.results] == [("spf", "fail", 1)]


# RFC 8601 Appendix B, and forms that the grammar allows.
READ = [
    ("example.org 1; none", ()),
    ("example.com; spf=pass smtp.mailfrom=example.net", (("spf", "pass"),)),
    (
        'example.com; auth=pass (cleartext) smtp.auth=sender@example.net; spf=pass smtp.mailfrom="x"',
        (("auth", "pass"), ("spf", "pass")),
    ),
    (
        "foo.example.net (foobar) 1 (baz);\r\n\tdkim (Because I like it) / 1 (One yay) = (wait for it) fail"
        "\r\n\tpolicy (A dot can go here) . (like that) expired\r\n"
        "\t(this surprised me) = (as I wasn't expecting it) 1362471462",
        (("dkim", "fail"),),
    ),
    ('"a.b" ; spf=none;', (("spf", "none"),)),
    ("a.b; dkim=pass (1024-bit) header.i=@x.test header.b=ab/c+d=", (("dkim", "pass"),)),
    # Not by the grammar, but what large servers write: words that are no properties.
    (
        "a.b 1; dmarc=pass (p=none) action=none header.from=x.test; dkim=pass header.d=x.test x-bits=2048;"
        " compauth=pass reason=100",
        (("dmarc", "pass"), ("dkim", "pass"), ("compauth", "pass")),
    ),
]


@pytest.mark.parametrize(("text", "expected"), READ)
def test_what_others_write(text: str, expected: tuple[tuple[str, str], ...]) -> None:
    parsed = parse_authres(text.encode())
    assert parsed is not None
    assert tuple((one.method, one.result) for one in parsed.results) == expected


def test_properties_are_read() -> None:
    parsed = parse_authres(READ[3][0].encode())
    assert parsed is not None
    assert parsed.authserv_id == "foo.example.net"
    assert parsed.results[0].properties == (Property("policy", "expired", "1362471462"),)
    assert parsed.of("spf") == ()


@pytest.mark.parametrize(
    "text", ["", ";", "a", "a b; none", "a; b", "a; =x", "a; x=", "a; (", 'a; "', "a; x=y z", "a;;"]
)
def test_what_is_none(text: str) -> None:
    assert parse_authres(text.encode()) is None


FORGED = [
    "mx.example.org; spf=pass",
    "MX.Example.ORG; none",
    "\r\n mx.example.org\r\n ; dkim=pass",
    "(a (nested) comment) mx.example.org (and) 1; dmarc=pass",
    '"mx.example.org"; dmarc=pass',
    '"mx\\.example.org"; dmarc=pass',
    "mx.example.org.; dmarc=pass",
    "mx.example.org/1; dmarc=pass",
    "mx.example.org",
    "mx.example.org; !! dmarc=pass",
    "(unclosed mx.example.org; dmarc=pass",
    "x; mx.example.org; dmarc=pass",
]


@pytest.mark.parametrize("value", FORGED)
@pytest.mark.parametrize("name", ["Authentication-Results:", "AUTHENTICATION-results \t:"])
def test_a_forged_field_is_found_in_every_form(name: str, value: str) -> None:
    header = f"From: a@x.test\r\n{name} {value}\r\nSubject: mx.example.org; spf=pass\r\n".encode()
    places = forged_fields(header, OURS)
    assert without(header, places) == b"From: a@x.test\r\nSubject: mx.example.org; spf=pass\r\n"


@pytest.mark.parametrize(
    "value", ["mx.example.net; spf=pass", "x; spf=pass reason=mx.example.org", "x.mx.example.org; none"]
)
def test_those_of_others_stay(value: str) -> None:
    header = f"Authentication-Results: {value}\r\n".encode()
    assert forged_fields(header, OURS) == []


def test_of_many_that_mention_us_few_are_read() -> None:
    kept = b"Authentication-Results: x; spf=pass reason=mx.example.org\r\n"
    assert len(forged_fields(kept * 10, OURS)) == 0
    assert len(forged_fields(kept * 1000, OURS)) == 990
    long = kept[:-2] + b" p.q=r" * 1000 + b"\r\n"
    assert forged_fields(long, OURS) == [(0, len(long))]


def test_bombs_cost_little() -> None:
    for text in (
        b"(" * 65_000,
        b"a;" * 30_000,
        b"a" + b"=" * 60_000,
        b'"' + b"\\" * 60_000,
        b"a; x=y" + b" p.q=r" * 9000,
    ):
        assert parse_authres(text) is None
