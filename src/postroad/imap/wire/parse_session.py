"""The grammar of the commands about the session itself (RFC 3501 §6.1 and §6.2)."""

from binascii import Error as Base64Error
from binascii import a2b_base64
from typing import Final

from postroad.imap.wire.reader import BadSyntax, Reader
from postroad.imap.wire.session_commands import Authenticate, Compress, Enable, Id, Login

_ID_FIELDS: Final = 30
"""RFC 2971 §3.3: no more than 30 pairs, names of 30 octets, values of 1024."""
_ID_NAME: Final = 30
_ID_VALUE: Final = 1024


def parse_id(tag: bytes, reader: Reader) -> Id:
    """Read the argument of ID."""
    reader.space()
    if not reader.skip(b"("):
        if reader.nstring() is not None:
            raise BadSyntax(b"expected NIL or a list")
        reader.end()
        return Id(tag)
    # RFC 2971 §7 has no space inside of the parentheses; aioimaplib 2.0.3 sends `ID ( "name" "x" )`.
    reader.skip(b" ")
    fields: list[tuple[str, str | None]] = []
    while not reader.skip(b")") and not reader.skip(b" )"):
        if fields:
            reader.space()
        name = reader.string()
        reader.space()
        value = reader.nstring()
        if len(fields) == _ID_FIELDS or len(name) > _ID_NAME or len(value or b"") > _ID_VALUE:
            raise BadSyntax(b"that is too much identification")
        fields.append((_text(name), None if value is None else _text(value)))
    reader.end()
    return Id(tag, tuple(fields))


def parse_login(tag: bytes, reader: Reader) -> Login:
    """Read the arguments of LOGIN."""
    reader.space()
    user = reader.astring()
    reader.space()
    password = reader.astring()
    reader.end()
    return Login(tag, _text(user), _text(password))


def parse_authenticate(tag: bytes, reader: Reader) -> Authenticate:
    """Read the arguments of AUTHENTICATE, with an initial response (RFC 4959 §3)."""
    reader.space()
    mechanism = reader.word().decode("ascii")
    if reader.at == len(reader.data):
        return Authenticate(tag, mechanism)
    reader.space()
    encoded = reader.data[reader.at :]
    initial = b"" if encoded == b"=" else decode_base64(encoded)
    if initial is None or not encoded:
        raise BadSyntax(b"the initial response is no base64")
    return Authenticate(tag, mechanism, initial)


def decode_base64(encoded: bytes) -> bytes | None:
    """Return what is in base64, or None where it is none (RFC 4648 §4, no line breaks)."""
    try:
        return a2b_base64(encoded, strict_mode=True)
    except Base64Error:
        return None


def parse_enable(tag: bytes, reader: Reader) -> Enable:
    """Read the arguments of ENABLE (RFC 5161 §3.1)."""
    names = []
    while True:
        reader.space()
        names.append(reader.word().decode("ascii"))
        if reader.at == len(reader.data):
            return Enable(tag, tuple(names))


def parse_compress(tag: bytes, reader: Reader) -> Compress:
    """Read the argument of COMPRESS: there is one algorithm (RFC 4978 §5)."""
    reader.space()
    if reader.word() != b"DEFLATE":
        raise BadSyntax(b"there is no such algorithm")
    reader.end()
    return Compress(tag)


def _text(octets: bytes) -> str:
    return octets.decode("utf-8", "replace")
