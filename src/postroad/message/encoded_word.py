"""Text in header fields: encoded words, both ways (RFC 2047, RFC 2231 §5)."""

import binascii
import re
from typing import Final

from postroad.message.charset import decode_text
from postroad.message.transfer import decode_base64

_WORD: Final = re.compile(rb"=\?([^?*\s]{1,64})(?:\*[^?\s]{0,64})?\?([bBqQ])\?([^?]*+)\?=")
_SPACE: Final = re.compile(r"[\x00-\x20\x7f]+")
_PLAIN: Final = re.compile(r"[ -~]*")
# RFC 2047 §5 (3): what may stand for itself in a phrase, the strictest place.
_Q_SAFE: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!*+-/")
_WORD_ROOM: Final = 75 - len("=?utf-8?q??=")


def decode_header(value: bytes) -> str:
    """Decode an unstructured value to one line of text; it never raises.

    Runs of white space and control characters become one space.
    """
    if value.find(b"=?") < 0:  # `in` takes twice as long: it tries first whether it is given a number
        text = decode_text(value)
    else:
        text = _decode_words(value)
    return squeezed(text)


def squeezed(text: str) -> str:
    """Return text with runs of white space and control characters as one space each."""
    if text.isprintable() and "  " not in text:  # most is, and that is quickly seen
        return text.strip(" ")
    return _SPACE.sub(" ", text).strip(" ")


def _decode_words(value: bytes) -> str:
    pieces: list[str] = []
    charset: bytes = b""  # of the octets in hand; empty when there are none
    octets: list[bytes] = []
    at = 0
    for match in _WORD.finditer(value):
        between = value[at : match.start()]
        at = match.end()
        label = match[1].lower()
        # RFC 2047 §6.2: space between two encoded words is not shown. A character
        # cut in two by careless senders is made whole by decoding both at once.
        apart = bool(between.strip()) or not charset
        if octets and (apart or label != charset):
            pieces.append(decode_text(b"".join(octets), charset.decode("latin-1")))
            octets = []
        if apart:
            pieces.append(decode_text(between))
        charset = label
        if match[2] in b"bB":
            octets.append(decode_base64(match[3]))
        else:
            octets.append(binascii.a2b_qp(match[3], header=True))
    if octets:
        pieces.append(decode_text(b"".join(octets), charset.decode("latin-1")))
    pieces.append(decode_text(value[at:]))
    return "".join(pieces)


def encode_words(text: str, taken: int = 0) -> bytes:
    """Encode text for an unstructured field or a phrase (RFC 2047 §2, §5).

    Plain ASCII stays as it is; anything else, line ends and what looks like an
    encoded word included, becomes encoded words of at most 75 characters.
    `taken` is what already stands on the line of the first one.
    """
    if _PLAIN.fullmatch(text) and "=?" not in text:
        return text.encode("ascii")
    words: list[bytes] = []
    room = 0
    for character in text:
        octets = character.encode("utf-8", "replace")
        code = b"".join(
            b"_" if octet == 0x20 else bytes((octet,)) if octet in _Q_SAFE else b"=%02X" % octet
            for octet in octets
        )
        if len(code) > room:
            room = _WORD_ROOM if words else max(_WORD_ROOM - taken, len(code))
            words.append(b"")
        words[-1] += code
        room -= len(code)
    return b" ".join(b"=?utf-8?q?" + word + b"?=" for word in words)
