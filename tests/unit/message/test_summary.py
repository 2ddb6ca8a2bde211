"""What is worked out once when a message is filed."""

import mmap
from pathlib import Path

import pytest

from postroad.message.part import unpack_tree
from postroad.message.subject import base_subject
from postroad.message.summary import summarize

MESSAGE = (
    b"From: =?utf-8?q?J=C3=B6rg?= <joerg@a.test>\r\nTo: b@b.test\r\n"
    b"Subject: Re: =?utf-8?b?w6QgYg==?=\r\n =?utf-8?q?c?=\r\n"
    b"Date: Tue, 1 Jul 2003 10:52:37 +0200\r\nMessage-ID: <2@a.test>\r\n"
    b"References: <0@a.test>\r\n <1@a.test>\r\n"
    b"In-Reply-To: <1@a.test> (yours)\r\n\r\nHello  Bob,\r\n\r\n> quoted\r\nhow are you?\r\n"
)


def preview(data: bytes) -> str:
    return summarize(data).preview


def test_a_message() -> None:
    summary = summarize(MESSAGE)
    assert summary.subject == "Re: ä bc"
    assert summary.base_subject == "ä bc"
    assert summary.sender == "joerg@a.test"
    assert summary.sent == 1_057_049_557
    assert summary.message_id == "2@a.test"
    assert summary.references == ("0@a.test", "1@a.test")
    assert summary.preview == "Hello Bob, how are you?"
    assert MESSAGE[summary.header_end :].startswith(b"Hello")
    assert unpack_tree(summary.tree).body_start == summary.header_end
    assert summary.envelope.startswith(b'("Tue, 1 Jul 2003 10:52:37 +0200" ')
    assert summary.body == b'("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 39 4)'


def test_an_empty_message() -> None:
    summary = summarize(b"")
    assert (summary.subject, summary.sender, summary.sent, summary.message_id) == ("", "", None, "")
    assert summary.references == ()
    assert summary.envelope == b"(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)"


def test_a_mapped_file_has_the_same_summary(tmp_path: Path) -> None:
    path = tmp_path / "message"
    path.write_bytes(MESSAGE)
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        assert summarize(mapped) == summarize(MESSAGE)


@pytest.mark.parametrize(
    ("field", "message_id"),
    [
        (b"<a@b>", "a@b"),
        (b"  <a @ b> (x)", "a@b"),
        (b"a@b", "a@b"),
        (b"<>", ""),
        (b"", ""),
        (b"<a@b><c@d>", "a@b"),
    ],
)
def test_message_ids_have_no_brackets(field: bytes, message_id: str) -> None:
    assert summarize(b"Message-ID: " + field + b"\r\n\r\n").message_id == message_id


@pytest.mark.parametrize(
    ("header", "body", "expected"),
    [
        (b"Content-Type: text/plain; charset=iso-8859-1", b"gr\xfcn", "grün"),
        (b"Content-Type: text/plain; charset=lies", b"gr\xc3\xbcn", "grün"),
        (b"Content-Type: text/plain; charset=hex", b"gr\xc3\xbcn", "grün"),
        (
            b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64",
            b"Z3LDvG4=",
            "grün",
        ),
        (
            b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable",
            b"gr=C3=BCn=\r\n!",
            "grün!",
        ),
        (
            b"Content-Type: text/html",
            b"<style>p {}</style><p>a &amp; b<br>c<!-- no --><script>x<y</script>",
            "a & b c",
        ),
        (b"Content-Type: text/html", b"1 < 2 and <b>3</b>", "1 < 2 and 3"),
        (b"Content-Type: text/html", b"a&#" + b"1" * 9_000 + b"; b &#x41;", "a\ufffd b A"),
        (b"Content-Type: image/png", b"\x89PNG", ""),
        (b"X: y", b"-----\r\n\r\nword\r\n____\r\n", "word"),
        (b"X: y", b"zero\xe2\x80\x8bwidth\0 and\x07 bell", "zero width and bell"),
    ],
)
def test_previews(header: bytes, body: bytes, expected: str) -> None:
    assert preview(header + b"\r\n\r\n" + body) == expected


def test_a_preview_is_cut_at_200_characters() -> None:
    assert preview(b"\r\n" + b"word " * 1_000) == ("word " * 40).rstrip()


def test_words_behind_a_long_style_sheet_are_found() -> None:
    style = b"<html><head><style>" + b"p { margin: 0 } " * 400 + b"</style></head><body>"
    assert preview(b"Content-Type: text/html\r\n\r\n" + style + b"<p>News</p>") == "News"


def test_plain_text_is_preferred_and_attachments_are_not_shown() -> None:
    data = (
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
        b"--b\r\nContent-Disposition: attachment\r\n\r\nfile\r\n"
        b"--b\r\nContent-Type: text/html\r\n\r\n<p>html</p>\r\n--b\r\n\r\nplain\r\n--b--"
    )
    assert preview(data) == "plain"


@pytest.mark.parametrize(
    ("subject", "base"),
    [
        ("hello", "hello"),
        ("Re: hello", "hello"),
        ("RE: Fwd: fw: re[2]: hello (fwd) (FWD)", "hello"),
        ("[list] Re: [list] hello", "hello"),
        ("Re [list]: hello", "hello"),
        ("[fwd: Re: hello]", "hello"),
        ("[list]", "[list]"),
        ("Re: [list]", "[list]"),
        ("[a] [b]", "[b]"),
        ("note: hello", "note: hello"),
        ("  a \t b  ", "a b"),
        ("Re:", ""),
        ("", ""),
    ],
)
def test_base_subjects(subject: str, base: str) -> None:
    assert base_subject(subject) == base


def test_no_character_of_the_preview_is_cut_in_two_where_the_first_look_ends() -> None:
    for indent in range(4):
        body = b"x" * indent + b"\r\n" + "Zwölf große Größen\r\n".encode() * 40
        assert "Ã" not in summarize(b"Subject: a\r\n\r\n" + body).preview


def test_what_is_remembered_of_addresses_and_types_is_as_if_it_were_not() -> None:
    message = (
        b"From: Ada <ada@a.test>\r\nContent-Type: text/plain; charset=utf-8\r\nContent-MD5:\r\n\r\nhello\r\n"
    )
    assert summarize(message) == summarize(message)
    assert b'"Ada" NIL "ada" "a.test"' in summarize(message).envelope
    assert (
        b'"text" "plain" ("charset" "utf-8") NIL NIL "7bit" 7 1 "" NIL NIL NIL'
        in summarize(message).bodystructure
    )
