"""Content-Type, Content-Disposition and RFC 2231."""

import pytest

from postroad.message.content_type import (
    MAX_PARAMETERS,
    ContentType,
    Disposition,
    find_parameter,
    parse_content_type,
    parse_disposition,
)


def parameter(value: bytes, name: str) -> str | None:
    disposition = parse_disposition(b"attachment; " + value)
    assert disposition is not None
    return find_parameter(disposition.params, name)


def test_type_and_parameters() -> None:
    assert parse_content_type(b'Text/PLAIN; Charset=UTF-8; format="flowed"') == ContentType(
        "text", "plain", ((b"charset", b"UTF-8"), (b"format", b"flowed"))
    )


def test_comments_and_spaces() -> None:
    assert parse_content_type(b'text / plain (a ") b); charset = "us(x)ascii" (c(d))') == ContentType(
        "text", "plain", ((b"charset", b"us(x)ascii"),)
    )


@pytest.mark.parametrize("value", [b"", b"text", b"/", b";", b"(text/plain", b"\xff\0"])
def test_what_is_no_type_is_none(value: bytes) -> None:
    assert parse_content_type(value) is None


def test_control_characters_are_not_part_of_a_type() -> None:
    assert parse_content_type(b"message/rfc822\0") == ContentType("message", "rfc822", ())
    assert parse_content_type(b"\0text/plain") is None


def test_disposition() -> None:
    assert parse_disposition(b"ATTACHMENT; filename=a.txt") == Disposition(
        "attachment", ((b"filename", b"a.txt"),)
    )
    assert parse_disposition(b"  ") is None


def test_extended_value() -> None:
    assert parameter(b"filename*=utf-8'de'%E2%82%AC%20rates.txt", "filename") == "€ rates.txt"
    assert parameter(b"filename=plain.txt; filename*=utf-8''%E2%82%AC.txt", "filename") == "€.txt"


def test_continuations_in_any_order() -> None:
    assert parameter(b"filename*1=def; filename*0=abc; filename*2=.txt", "filename") == "abcdef.txt"
    assert parameter(b"filename*0*=utf-8''%C3; filename*1*=%A4; filename*2=\" %41\"", "filename") == "ä %41"
    assert parameter(b"filename*0=ab; filename*2=lost", "filename") == "ab"


def test_continuations_become_one_parameter() -> None:
    found = parse_disposition(b"attachment; filename*0*=utf-8''%C3; filename*1=\"%\"")
    assert found is not None
    assert found.params == ((b"filename*", b"utf-8''%C3%25"),)


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (b'filename="=?utf-8?q?J=C3=B6rg?="', "Jörg"),
        (b'filename="J\xc3\xb6rg"', "Jörg"),
        (b'filename="J\xf6rg"', "Jörg"),
        (b"filename=two words.pdf; x=y", "two words.pdf"),
        (b'filename="unclosed; x=y', "unclosed; x=y"),
        (b'filename="C:\\TEMP\\a.txt"', "C:\\TEMP\\a.txt"),
        (b'filename="a \\"b\\" \\\\c"', 'a "b" \\c'),
        (b"filename*=nonsense", "nonsense"),
        (b"filename*=no-such-charset''%C3%A4", "ä"),
        (b"filename*=utf-8''a%0D%0AX:%001%1B%5B2J", "a X: 1 [2J"),
        (b"filename=", ""),
        (b"x=y", None),
    ],
)
def test_names_as_senders_write_them(value: bytes, name: str | None) -> None:
    assert parameter(value, "filename") == name


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (b"filename=Plan (2).pdf; x=y", "Plan (2).pdf"),
        (b"filename=plan(2).pdf", "plan(2).pdf"),
        (b"filename=plan (the new one)", "plan"),  # nothing of the value follows: a comment
        (b"filename=(the new one) plan", "plan"),
        (b'x="=a(b)c"; filename=plan(2).pdf', "plan(2).pdf"),
    ],
)
def test_parentheses_inside_a_name_without_quotes_are_of_the_name(value: bytes, name: str) -> None:
    assert parameter(value, "filename") == name


def test_the_first_semicolon_may_be_forgotten() -> None:
    assert parse_content_type(b'application/pdf name="a b.pdf"; x=y') == ContentType(
        "application", "pdf", ((b"name", b"a b.pdf"), (b"x", b"y"))
    )
    assert parse_content_type(b"application/pdf of mine") == ContentType("application", "pdf", ())


def test_the_first_of_two_counts() -> None:
    assert parameter(b"filename=a; filename=b", "filename") == "a"


def test_parameters_are_bounded() -> None:
    found = parse_content_type(b"a/b" + b"".join(b"; p%d=x" % number for number in range(1000)))
    assert found is not None
    assert len(found.params) == MAX_PARAMETERS
