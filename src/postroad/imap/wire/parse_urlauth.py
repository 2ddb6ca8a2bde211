"""The grammar of GENURLAUTH, URLFETCH and RESETKEY (RFC 4467 §9, RFC 5524 §3)."""

from typing import Final

from postroad.imap.wire.limits import URLS
from postroad.imap.wire.reader import BadSyntax, Reader
from postroad.imap.wire.urlauth_commands import GenUrlAuth, ResetKey, UrlFetch

_WANTED: Final = frozenset((b"BODY", b"BINARY", b"BODYPARTSTRUCTURE"))


def parse_genurlauth(tag: bytes, reader: Reader) -> GenUrlAuth:
    """Read the arguments of GENURLAUTH: pairs of a URL and a mechanism."""
    urls: list[tuple[bytes, str]] = []
    while True:
        reader.space()
        url = reader.astring()
        reader.space()
        urls.append((url, reader.word().decode("ascii")))
        if _is_last(reader, len(urls)):
            return GenUrlAuth(tag, tuple(urls))


def parse_urlfetch(tag: bytes, reader: Reader) -> UrlFetch:
    """Read the arguments of URLFETCH."""
    urls: list[tuple[bytes, tuple[str, ...]]] = []
    while True:
        reader.space()
        if reader.skip(b"("):
            url = reader.astring()
            urls.append((url, _wanted(reader)))
        else:
            urls.append((reader.astring(), ()))
        if _is_last(reader, len(urls)):
            return UrlFetch(tag, tuple(urls))


def _wanted(reader: Reader) -> tuple[str, ...]:
    names: list[bytes] = []
    while not reader.skip(b")"):
        reader.space()
        names.append(reader.word())
    if not _WANTED.issuperset(names):
        raise BadSyntax(b"there is no such URLFETCH item")
    if b"BODY" in names and b"BINARY" in names:
        raise BadSyntax(b"either BODY or BINARY")  # RFC 5524 §3.1
    return tuple([name.decode("ascii") for name in dict.fromkeys(names)])


def parse_resetkey(tag: bytes, reader: Reader) -> ResetKey:
    """Read the arguments of RESETKEY."""
    if reader.at == len(reader.data):
        return ResetKey(tag)
    reader.space()
    mailbox = reader.mailbox()
    mechanisms: list[str] = []
    while reader.skip(b" "):
        mechanisms.append(reader.word().decode("ascii"))
    reader.end()
    return ResetKey(tag, mailbox, tuple(mechanisms))


def _is_last(reader: Reader, count: int) -> bool:
    if count > URLS:
        raise BadSyntax(b"too many URLs")
    return reader.at == len(reader.data)
