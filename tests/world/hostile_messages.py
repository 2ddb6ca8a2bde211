"""Messages that were made to do harm: bombs, floods, confusion (SAFETY C21).

`size` scales what is repeated: CI takes small ones, the soak large ones.
"""

from collections.abc import Callable
from typing import Final

HEAD: Final = b"From: <eve@elsewhere.test>\r\nTo: <ada@demo.test>\r\nDate: Tue, 1 Jul 2003 10:52:37 +0200\r\n"
MIXED: Final = HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"


def _plain(field: bytes, body: bytes = b"body\r\n") -> bytes:
    return HEAD + field + b"\r\n\r\n" + body


def _nested(kind: bytes, depth: int) -> bytes:
    """Multiparts in multiparts, each with a boundary of its own, all of them closed."""
    inside = b"Content-Type: text/plain\r\n\r\ninmost\r\n"
    for level in range(depth):
        mark = b"b%d" % level
        inside = b"Content-Type: multipart/%b; boundary=%b\r\n\r\n--%b\r\n%b\r\n--%b--\r\n" % (
            kind,
            mark,
            mark,
            inside,
            mark,
        )
    return HEAD + inside


def _one_boundary(depth: int) -> bytes:
    return HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n" * depth + b"\r\n--b--\r\n"


def _forwarded(depth: int) -> bytes:
    return HEAD + b"Content-Type: message/rfc822\r\n\r\nSubject: f\r\n" * depth + b"\r\nend\r\n"


def _folded(name: bytes, value: bytes, size: int) -> bytes:
    """A field of many lines, each below 998 octets."""
    lines = size // len(value)
    return name + b": " + b"\r\n ".join([value] * min(lines, 60_000 // (len(value) + 3)))


def _body(text: bytes, size: int, more: bytes = b"") -> bytes:
    return HEAD + b"MIME-Version: 1.0\r\n" + more + b"\r\n" + text * (size // len(text)) + b"\r\n"


Maker = Callable[[int], bytes]

MAKERS: Final[dict[str, Maker]] = {
    # structure
    "nested mixed": lambda n: _nested(b"mixed", min(n // 100, 1000)),
    "nested alternative": lambda n: _nested(b"alternative", 60),
    "nested digest": lambda n: _nested(b"digest", 200),
    "one boundary, many levels": lambda n: _one_boundary(min(n // 60, 5000)),
    "forwarded in forwarded": lambda n: _forwarded(min(n // 60, 5000)),
    "many parts": lambda n: MIXED + b"--b\r\n\r\nx\r\n" * (n // 12) + b"--b--\r\n",
    "many empty parts": lambda n: MIXED + b"--b\r\n" * (n // 5) + b"--b--\r\n",
    "many look-alikes": lambda n: MIXED + b"--bx\r\n" * (n // 6) + b"--b\r\n\r\nx\r\n--b--\r\n",
    "hyphens": lambda n: MIXED + b"-" * 900 + b"\r\n" + b"--\r\n" * (n // 4),
    "parts behind the end": lambda n: MIXED + b"--b--\r\n" + b"--b\r\n\r\nx\r\n" * 50,
    "no part": lambda n: MIXED + b"text without a delimiter\r\n",
    "no boundary": lambda n: _plain(b"Content-Type: multipart/mixed", b"--\r\n\r\nx\r\n----\r\n"),
    "empty boundary": lambda n: _plain(
        b'Content-Type: multipart/mixed; boundary=""', b"--\r\n\r\nx\r\n----\r\n"
    ),
    "boundary of spaces": lambda n: _plain(
        b'Content-Type: multipart/mixed; boundary="   "', b"--   \r\n\r\nx\r\n"
    ),
    "long boundary": lambda n: _plain(
        b"Content-Type: multipart/mixed;\r\n boundary=" + b"y" * 900, b"--" + b"y" * 900 + b"\r\n\r\nx\r\n"
    ),
    "two boundaries": lambda n: _plain(
        b"Content-Type: multipart/mixed; boundary=a; boundary=b",
        b"--a\r\n\r\nA\r\n--b\r\n\r\nB\r\n--a--\r\n--b--\r\n",
    ),
    "boundary with a line end": lambda n: _plain(
        b"Content-Type: multipart/mixed; boundary*=utf-8''b%0D%0AX", b"--b\r\nX\r\n\r\nx\r\n"
    ),
    "boundary that is a prefix": lambda n: _plain(
        b"Content-Type: multipart/mixed; boundary=b",
        b"--b\r\nContent-Type: multipart/mixed; boundary=bb\r\n\r\n--bb\r\n\r\n1\r\n--bb--\r\n--b--\r\n",
    ),
    "crossed boundaries": lambda n: (
        MIXED
        + b"--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n\r\n1\r\n"
        + b"--b\r\n\r\n2\r\n--c--\r\n--b--\r\n"
    ),
    "two content types": lambda n: _plain(
        b"Content-Type: text/plain\r\nContent-Type: multipart/mixed; boundary=b", b"--b\r\n\r\nx\r\n--b--\r\n"
    ),
    "encoded multipart": lambda n: _plain(
        b"Content-Type: multipart/mixed; boundary=b\r\nContent-Transfer-Encoding: base64", b"LS1iDQoNCng=\r\n"
    ),
    "encoded message": lambda n: _plain(
        b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64", b"U3ViamVjdDogeA0KDQp4\r\n"
    ),
    "message that is external": lambda n: _plain(
        b"Content-Type: message/external-body; access-type=local-file; name=/etc/passwd", b"\r\n\r\n"
    ),
    "message in parts": lambda n: _plain(b"Content-Type: message/partial; id=x; number=1; total=9999999999"),
    # header fields
    "many fields": lambda n: HEAD + b"X: y\r\n" * min(n // 6, 900) + b"\r\nbody\r\n",
    "too many fields": lambda n: HEAD + b"X: y\r\n" * 1100 + b"\r\nbody\r\n",
    "long field": lambda n: _plain(_folded(b"Subject", b"x" * 900, n)),
    "too long a header": lambda n: _plain(b"\r\n".join([_folded(b"X", b"x" * 900, 1 << 16)] * 6)),
    "folds of spaces": lambda n: _plain(_folded(b"Subject", b" " * 70 + b"x", n)),
    "many recipients": lambda n: _plain(_folded(b"To", b"a@b.test,", n)),
    "commas": lambda n: _plain(_folded(b"To", b"," * 900, n)),
    "open brackets": lambda n: _plain(_folded(b"From", b"<" * 900, n)),
    "open comments": lambda n: _plain(_folded(b"From", b"(" * 900, n)),
    "closed comments": lambda n: _plain(_folded(b"From", b")" * 900, n)),
    "open quotes": lambda n: _plain(_folded(b"From", b'"\\' * 450, n)),
    "routes": lambda n: _plain(_folded(b"From", b"<@a,@b:" * 120, n)),
    "groups": lambda n: _plain(_folded(b"To", b"g:;" * 300, n)),
    "ats": lambda n: _plain(_folded(b"From", b"a@" * 450, n)),
    "dots": lambda n: _plain(_folded(b"From", b"." * 900, n)),
    "two Froms": lambda n: _plain(b"From: <ada@demo.test>\r\nFrom: <bob@demo.test>"),
    "no From": lambda n: b"Subject: x\r\n\r\nbody\r\n",
    "NUL in a word": lambda n: _plain(b"Subject: =?utf-8?q?a=00b?= =?utf-8?b?AA==?="),
    "line ends in a word": lambda n: _plain(b"Subject: =?utf-8?q?a=0D=0ABcc:_x=40y.test=0D=0A=0D=0Ab?="),
    "encoded words": lambda n: _plain(_folded(b"Subject", b"=?utf-8?q?=C3=A4?= " * 45, n)),
    "half encoded words": lambda n: _plain(_folded(b"Subject", b"=?" * 450, n)),
    "words of odd charsets": lambda n: _plain(
        b"Subject: =?utf-7?q?+AAo-?= =?idna?q?xn--a?=\r\n"
        b" =?unicode_escape?q?=5Cx0a?= =?zlib?b?eJw=?= =?\xff?q?x?="
    ),
    "surrogates": lambda n: _plain(b"Subject: =?utf-16?b?2AA=?= =?utf-8?q?=ED=A0=80?= =?utf-7?q?+2AA-?="),
    "quotes and literals": lambda n: _plain(b'Subject: {99999999}\r\n "\\" ( ) {5+} NIL \\Seen * 1 FETCH'),
    "eight bits": lambda n: _plain(b"Subject: " + bytes(range(128, 256))),
    "controls": lambda n: _plain(
        b"Subject: " + bytes(octet for octet in range(1, 32) if octet not in (10, 13))
    ),
    "long references": lambda n: _plain(_folded(b"References", b"<a@b.test>" * 80, n)),
    "open message ids": lambda n: _plain(_folded(b"References", b"<" * 900, n)),
    "hostile date": lambda n: b"From: <eve@elsewhere.test>\r\nDate: " + b"9" * 900 + b"\r\n\r\nx\r\n",
    "date of spaces": lambda n: (
        b"From: <eve@elsewhere.test>\r\n" + _folded(b"Date", b" " * 70 + b"1", n) + b"\r\n\r\n"
    ),
    "re: re: re:": lambda n: _plain(_folded(b"Subject", b"Re: [x] " * 100, n)),
    "brackets in the subject": lambda n: _plain(_folded(b"Subject", b"[" * 900, n)),
    # parameters
    "many parameters": lambda n: _plain(
        _folded(b"Content-Type", b"text/plain; " + b"; ".join([b"a=b"] * 150), n)
    ),
    "many sections": lambda n: _plain(
        b"Content-Disposition: attachment;\r\n "
        + b";\r\n ".join(b"name*%d=x" % number for number in range(800))
    ),
    "sections in no order": lambda n: _plain(
        b"Content-Type: text/plain; n*999=a; n*0=b; n*0=c; n*-1=d; n*=e; n*x=f"
    ),
    "open parameter": lambda n: _plain(b'Content-Type: text/plain; name="' + b"\\" * 900),
    "file name that is a path": lambda n: _plain(
        b'Content-Disposition: attachment; filename="../../../../etc/passwd"; name="C:\\\\con"'
    ),
    "file name with line ends": lambda n: _plain(
        b"Content-Disposition: attachment; filename*=utf-8''a%0D%0AX-Injected:%201%00%1B%5B2J"
    ),
    "type without end": lambda n: _plain(b"Content-Type: " + b"x" * 900),
    "type of slashes": lambda n: _plain(b"Content-Type: " + b"/" * 900),
    "many languages": lambda n: _plain(_folded(b"Content-Language", b"de,en," * 100, n)),
    "encodings": lambda n: _plain(b"Content-Transfer-Encoding: x-" + b"y" * 900),
    # bodies
    "base64 of equals": lambda n: _body(b"=" * 76 + b"\r\n", n, b"Content-Transfer-Encoding: base64\r\n"),
    "base64 of nonsense": lambda n: _body(b"!=?" * 25 + b"\r\n", n, b"Content-Transfer-Encoding: base64\r\n"),
    "quoted-printable of equals": lambda n: _body(
        b"=" * 76 + b"\r\n", n, b"Content-Transfer-Encoding: quoted-printable\r\n"
    ),
    "soft line ends": lambda n: _body(b"=\r\n", n, b"Content-Transfer-Encoding: quoted-printable\r\n"),
    "long lines": lambda n: _body(b"x" * 60_000 + b"\r\n", max(n, 60_000)),
    "empty lines": lambda n: _body(b"\r\n", n),
    "dots at line starts": lambda n: _body(b".\r\n..\r\n", n),
    "separators of mbox": lambda n: _body(b"From x\r\n>From y\r\n", n),
    "open tags": lambda n: _body(b"<" * 76 + b"\r\n", n, b"Content-Type: text/html\r\n"),
    "tags in tags": lambda n: _body(b"<a <b>&amp <!-- <style>\r\n", n, b"Content-Type: text/html\r\n"),
    "entities": lambda n: _body(b"&#x110000;&#0;&lt" * 4 + b"\r\n", n, b"Content-Type: text/html\r\n"),
    "utf-7": lambda n: _body(b"+" * 76 + b"\r\n", n, b"Content-Type: text/plain; charset=utf-7\r\n"),
    "hz": lambda n: _body(b"~{" * 38 + b"\r\n", n, b"Content-Type: text/plain; charset=hz\r\n"),
    "iso-2022": lambda n: _body(
        b"\x1b$B" * 25 + b"\r\n", n, b"Content-Type: text/plain; charset=iso-2022-jp\r\n"
    ),
    "what folds to eighteen": lambda n: _body(
        "\ufdfa".encode() * 24 + b"\r\n", n, b"Content-Type: text/plain; charset=utf-8\r\n"
    ),
    "marks upon marks": lambda n: _body(
        "a\u0315\u0300".encode() * 15 + b"\r\n", n, b"Content-Type: text/plain; charset=utf-8\r\n"
    ),
    # what is no message
    "nothing": lambda n: b"",
    "one line end": lambda n: b"\r\n",
    "text alone": lambda n: b"no header at all\r\nand another line\r\n",
    "colons": lambda n: b":\r\n" * 50,
    "header alone": lambda n: HEAD,
    "a mailbox": lambda n: b"From eve Mon Jan 1 00:00:00 2024\r\n" + HEAD + b"\r\nx\r\n",
    "a space first": lambda n: b" folded\r\n" + HEAD + b"\r\nx\r\n",
    "broken line between": lambda n: HEAD + b"this is no field\r\nSubject: behind\r\n\r\nx\r\n",
}
"""Each by what is wrong with it."""
