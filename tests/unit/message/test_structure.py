"""ENVELOPE and BODYSTRUCTURE as RFC 3501 wants them on the wire."""

import pytest

from postroad.message.header import HeaderBlock
from postroad.message.part import parse_parts
from postroad.message.structure import render_envelope, render_string, render_structure
from tests.unit.message.reading import check_body, check_envelope, read_list


def envelope(header: bytes) -> bytes:
    return render_envelope(HeaderBlock.parse(header + b"\r\n"))


def structure(data: bytes) -> bytes:
    body, extended = render_structure(data, parse_parts(data))
    assert check_body(read_list(body), extended=False) == check_body(read_list(extended), extended=True)
    return extended


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (b"", b'""'),
        (b"plain", b'"plain"'),
        (b'say "\\"', b'"say \\"\\\\\\""'),
        (b"two\r\nlines\ttab", b'"two lines\ttab"'),
        (b"\0nul\0", b'"nul"'),
        (b"gr\xfcn\0\r\n", b"{5}\r\ngr\xfcn "),
    ],
)
def test_strings(value: bytes, written: bytes) -> None:
    assert render_string(value) == written


def test_the_envelope_of_the_standard() -> None:
    # The example of RFC 3501 §8.
    assert envelope(
        b"Date: Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\r\n"
        b"From: Terry Gray <gray@cac.washington.edu>\r\n"
        b"Subject: IMAP4rev1 WG mtg summary and minutes\r\n"
        b"To: imap@cac.washington.edu\r\n"
        b"Cc: minutes@CNRI.Reston.VA.US, John Klensin <KLENSIN@MIT.EDU>\r\n"
        b"Message-Id: <B27397-0100000@cac.washington.edu>\r\n"
    ) == (
        b'("Wed, 17 Jul 1996 02:23:25 -0700 (PDT)" "IMAP4rev1 WG mtg summary and minutes" '
        b'(("Terry Gray" NIL "gray" "cac.washington.edu")) (("Terry Gray" NIL "gray" "cac.washington.edu")) '
        b'(("Terry Gray" NIL "gray" "cac.washington.edu")) ((NIL NIL "imap" "cac.washington.edu")) '
        b'((NIL NIL "minutes" "CNRI.Reston.VA.US")("John Klensin" NIL "KLENSIN" "MIT.EDU")) NIL NIL '
        b'"<B27397-0100000@cac.washington.edu>")'
    )


def test_sender_and_reply_to_are_from_unless_they_say_something() -> None:
    assert envelope(b"From: a@a.test\r\nSender:\r\nReply-To: b@b.test\r\n") == (
        b'(NIL NIL ((NIL NIL "a" "a.test")) ((NIL NIL "a" "a.test")) ((NIL NIL "b" "b.test"))'
        b" NIL NIL NIL NIL NIL)"
    )


def test_repeated_recipients_are_one_list() -> None:
    # RFC 5322 §4.5.3; of other fields the first counts.
    said = envelope(
        b"From: a@a.test\r\nTo: b@b.test\r\nCc: x@x.test\r\nTo: C <c@c.test>\r\n"
        b"Received: 1\r\nReceived: 2\r\nFrom: z@z.test\r\n"
    )
    author = b'((NIL NIL "a" "a.test"))'
    to = b'((NIL NIL "b" "b.test")("C" NIL "c" "c.test"))'
    cc = b'((NIL NIL "x" "x.test"))'
    assert said == b"(NIL NIL " + b" ".join([author, author, author, to, cc]) + b" NIL NIL NIL)"


def test_groups_in_the_envelope() -> None:
    assert b'((NIL NIL "team" NIL)(NIL NIL "a" "a.test")(NIL NIL NIL NIL))' in envelope(
        b"To: team: a@a.test;\r\n"
    )


def test_an_address_without_a_host_is_no_group() -> None:
    assert b'((NIL NIL "ada" ""))' in envelope(b"To: ada\r\n")


def test_hostile_headers_leave_the_envelope_legal() -> None:
    check_envelope(read_list(envelope(b'Subject: \xff\0"\\)(\r\nFrom: ")\xc3(" <\r@\0>, (((, "\r\n')))


def test_a_plain_message() -> None:
    assert structure(b"Content-Type: text/plain; charset=utf-8\r\n\r\none\r\n") == (
        b'("text" "plain" ("charset" "utf-8") NIL NIL "7bit" 5 1 NIL NIL NIL NIL)'
    )


def test_without_mime_fields_it_is_ascii_text() -> None:
    assert structure(b"\r\n") == b'("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 0 0 NIL NIL NIL NIL)'


def test_a_multipart_with_an_attachment() -> None:
    data = (
        b"Content-Type: multipart/mixed; boundary=b\r\nContent-Language: de\r\n\r\n--b\r\n\r\nhi\r\n--b\r\n"
        b"Content-Type: application/pdf; name=a.pdf\r\nContent-Transfer-Encoding: base64\r\n"
        b"Content-ID: <1@x>\r\n"
        b"Content-Disposition: attachment; filename*=utf-8''%C3%A4.pdf\r\n"
        b"Content-Language: de, en\r\n\r\nAAAA\r\n--b--\r\n"
    )
    assert structure(data) == (
        b'(("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 2 0 NIL NIL NIL NIL)'
        b'("application" "pdf" ("name" "a.pdf") "<1@x>" NIL "base64" 4 NIL '
        b'("attachment" ("filename*" "utf-8\'\'%C3%A4.pdf")) ("de" "en") NIL)'
        b' "mixed" ("boundary" "b") NIL "de" NIL)'
    )


def test_a_message_inside() -> None:
    data = b"Content-Type: message/rfc822\r\n\r\nSubject: in\r\nFrom: a@a.test\r\n\r\none\r\ntwo\r\n"
    sender = b'((NIL NIL "a" "a.test"))'
    assert structure(data) == (
        b'("message" "rfc822" NIL NIL NIL "7bit" 41 (NIL "in" '
        + b" ".join([sender] * 3)
        + b" NIL NIL NIL NIL NIL) "
        b'("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 10 2 NIL NIL NIL NIL) 5 NIL NIL NIL NIL)'
    )


def test_a_message_in_utf8_inside() -> None:
    data = "Content-Type: message/global\r\n\r\nSubject: ü\r\n\r\none\r\n".encode()
    root = parse_parts(data)
    assert root.embedded is not None
    assert render_structure(data, root) == (
        b'("message" "global" NIL NIL NIL "7bit" 20)',
        b'("message" "global" NIL NIL NIL "7bit" 20 NIL NIL NIL NIL)',
    )
    body, bodystructure = render_structure(data, root, international=True)
    envelope = b"(NIL {2}\r\n\xc3\xbc NIL NIL NIL NIL NIL NIL NIL NIL)"
    inner = b'("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 5 1'
    assert body == b'("message" "global" NIL NIL NIL "7bit" 20 ' + envelope + b" " + inner + b") 3)"
    end = b" NIL NIL NIL NIL)"
    assert bodystructure == body[: -len(b") 3)")] + end + b" 3" + end


def test_one_that_is_encoded_is_a_file_for_who_would_read_it() -> None:
    # RFC 6532 §3.5 lets it be.
    data = b"Content-Type: message/global\r\nContent-Transfer-Encoding: base64\r\n\r\nAAAA"
    root = parse_parts(data)
    assert render_structure(data, root)[0] == b'("message" "global" NIL NIL NIL "base64" 4)'
    assert render_structure(data, root, international=True)[0].startswith(b'("application" "octet-stream" ')


def test_an_encoded_message_is_shown_as_a_file() -> None:
    data = b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\nAAAA"
    assert structure(data).startswith(b'("application" "octet-stream" ')


def test_the_structure_of_a_bomb_is_small() -> None:
    header = (
        b"Content-Type: text/plain; "
        + b"; ".join(b'p%d="%b"' % (n, b"x" * 600) for n in range(90))
        + b"\r\n\r\n"
    )
    data = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"".join(
        b"--b\r\n" + header for _ in range(1_500)
    )
    assert len(structure(data)) < 1 << 20
