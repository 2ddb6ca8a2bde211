"""What mail is made of, for tests that put it together blindly."""

from pathlib import Path
from typing import Final

_VECTORS: Final = Path(__file__).parents[2] / "vectors" / "mime"

CORPUS_PATHS: Final = [*sorted(_VECTORS.rglob("*.msg")), *sorted(_VECTORS.rglob("*.eml"))]
CORPUS: Final = [path.read_bytes() for path in CORPUS_PATHS]
"""Messages that somebody really wrote."""

FRAGMENTS: Final = [
    *(b"\r\n", b"\n", b"\r", b" ", b"\t", b"\0", b"\xff", b"\xc3\xa4", b":", b";", b",", b'"', b"\\", b"("),
    *(b")", b"<", b">", b"@", b"=", b"'", b"*", b"%", b"--", b"--b", b"--b--", b"--b1", b"\r\n--b\r\n"),
    *(b"\r\n--b--\r\n", b"\r\n\r\n", b"From: ", b"To: ", b"Subject: ", b"Date: ", b"Message-ID: "),
    *(b"References: ", b"a@b.test", b"Content-Type: ", b"text/plain", b"text/html", b"message/rfc822"),
    *(b"multipart/mixed", b"multipart/digest", b"; boundary=b", b"; boundary=b1", b"; charset=utf-8"),
    *(b"; name*0*=utf-8''", b"; name*1=", b"%C3%A4", b"Content-Transfer-Encoding: ", b"base64"),
    *(
        b"quoted-printable",
        b"Content-Disposition: attachment",
        b"=?utf-8?q?",
        b"=?utf-8?b?",
        b"?=",
        b"=C3=A4",
    ),
    *(
        b"w6Q=",
        b"Tue, 1 Jul 2003 10:52:37 +0200",
        b"group: ",
        b"<style>",
        b"<!--",
        b"<p>",
        b"&amp;",
        b"word ",
    ),
    *(b"Re: ", b"[list] ", b"(fwd)"),
]
"""Put together blindly they meet every corner of the parsers."""
