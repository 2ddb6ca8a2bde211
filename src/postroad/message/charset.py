"""From octets to text, whatever the label says (RFC 2045 §5.2, RFC 2046 §4.1.2).

Labels come from strangers, so they are looked up in a table: the codec
registry of Python imports modules by name, remembers every miss for ever and
knows codecs that are no charsets at all.
"""

import re
from codecs import BOM_UTF16_BE, BOM_UTF32_BE, getincrementaldecoder
from collections.abc import Iterator
from encodings.aliases import aliases
from typing import Final

# These are registered as codecs, but decode no text, or not in linear time.
_NO_CHARSET: Final = frozenset(
    {
        *("base64_codec", "bz2_codec", "hex_codec", "quopri_codec", "rot_13", "uu_codec", "zlib_codec"),
        *("mbcs", "oem", "idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined"),
        *("charmap", "tactis"),
    }
)
# What senders write and what they mean: the supersets that mail programs use.
_MEANT: Final = {
    "us_ascii": "ascii",
    "ansi_x3.4_1968": "ascii",
    "iso_8859_1": "cp1252",
    "iso8859_1": "cp1252",
    "latin1": "cp1252",
    "latin_1": "cp1252",
    "l1": "cp1252",
    "iso_8859_9": "cp1254",
    "iso_8859_8_i": "iso8859_8",
    "iso_8859_8_e": "iso8859_8",
    "iso_8859_6_i": "iso8859_6",
    "iso_8859_6_e": "iso8859_6",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "x_gbk": "gb18030",
    "gb_2312_80": "gb18030",
    "hz_gb_2312": "hz",
    "big5": "big5hkscs",
    "cn_big5": "big5hkscs",
    "x_big5": "big5hkscs",
    "euc_kr": "cp949",
    "ks_c_5601": "cp949",
    "ks_c_5601_1987": "cp949",
    "x_windows_949": "cp949",
    "shift_jis": "cp932",
    "sjis": "cp932",
    "x_sjis": "cp932",
    "windows_31j": "cp932",
    "x_euc_jp": "euc_jp",
    "iso_2022_jp": "iso2022_jp_ext",
    "tis_620": "cp874",
    "iso_8859_11": "cp874",
    "windows_874": "cp874",
    "utf8": "utf_8",
    "utf_8": "utf_8",
    "x_utf_8": "utf_8",
    "unicode": "utf_16",
    "unicode_1_1_utf_7": "utf_7",
    "x_unicode_2_0_utf_7": "utf_7",
    "macintosh": "mac_roman",
    "x_mac_roman": "mac_roman",
    "x_mac_cyrillic": "mac_cyrillic",
    "koi8_r": "koi8_r",
    "koi8_u": "koi8_u",
}
_CODECS: Final = (
    {codec: codec for codec in aliases.values() if codec not in _NO_CHARSET}
    | {alias: codec for alias, codec in aliases.items() if codec not in _NO_CHARSET}
    | _MEANT
)
_QUESTION_MARKS: Final = bytes(range(128)) + b"?" * 128
_PIECE: Final = 16 * 1024
# A line end ends every shift and escape (RFC 2152, RFC 1468), so pieces of whole lines need nothing of one
# another. Python's incremental decoder of UTF-7 begins anew at each unfinished shift with every piece, that
# of ISO-2022 gives up at an unfinished escape.
_AT_REST_BY_LINE: Final = ("utf_7", "iso2022_jp")
# Python's incremental decoders insist on the mark that says where the high octet stands.
_ORDERED: Final = {"utf_16": BOM_UTF16_BE, "utf_32": BOM_UTF32_BE}
_SEPARATOR: Final = re.compile(r"[^a-z0-9.]+")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


def find_codec(label: str) -> str | None:
    """Return the Python codec for a charset label, or None if it is unknown."""
    if len(label) > 64:
        return None
    name = _SEPARATOR.sub("_", label.lower()).strip("_")
    codec = _CODECS.get(name)
    if codec is None and name.startswith(("windows_", "cp_")):
        codec = _CODECS.get("cp" + name.rpartition("_")[2])
    return codec


def decode_text(octets: bytes, label: str | None = None) -> str:
    """Decode octets as their label says, or as they look; it never raises.

    A label that is missing, unknown or plain ASCII says little: then it is
    UTF-8 if it can be, and Windows-1252 otherwise.
    """
    if octets.isascii() and (label is None or label.lower() in {"utf-8", "us-ascii", "iso-8859-1"}):
        return octets.decode("ascii")
    codec = find_codec(label) if label else None
    if codec is None or codec == "ascii":
        try:
            return octets.decode("utf-8")
        except UnicodeDecodeError:
            return _decode(octets, "cp1252")
    try:
        text = _decode(octets, codec)
    except (UnicodeError, ValueError):
        return octets.decode("latin-1")
    # UTF-7 and UTF-16 may leave half a pair, which no UTF-8 writer would take.
    return _SURROGATE.sub("\ufffd", text)


def _decode(octets: bytes, codec: str) -> str:
    """Decode piece by piece: what stands for nothing costs up to half a microsecond an octet.

    Until the end of a piece no other thread runs.
    """
    if len(octets) <= _PIECE:
        return octets.decode(codec, "replace")
    if codec.startswith(_AT_REST_BY_LINE):
        return "".join([piece.decode(codec, "replace") for piece in _lines(octets)])
    mark = _ORDERED.get(codec)
    if mark is not None:  # without one in the order of this machine, as of few octets
        codec += "_be" if octets.startswith(mark) else "_le"
    decoder = getincrementaldecoder(codec)("replace")
    ends = range(_PIECE, len(octets) + _PIECE, _PIECE)
    text = "".join([decoder.decode(octets[end - _PIECE : end], end >= len(octets)) for end in ends])
    return text if mark is None else text.removeprefix("\ufeff")


def _lines(octets: bytes) -> Iterator[bytes]:
    """Cut behind line ends, or anywhere where there are none."""
    start = 0
    while start < len(octets):
        end = start + _PIECE
        if end < len(octets):
            end = octets.rfind(b"\n", start, end) + 1 or end
        yield octets[start:end]
        start = end


def without_8bit(octets: bytes) -> bytes:
    """Return octets with a question mark for each that is not ASCII."""
    return octets.translate(_QUESTION_MARKS)


def is_utf8(octets: bytes) -> bool:
    """Whether octets are UTF-8 to the last one; ASCII is."""
    try:
        octets.decode()
    except UnicodeDecodeError:
        return False
    return True
