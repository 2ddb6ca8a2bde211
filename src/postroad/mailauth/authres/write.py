"""Writing an Authentication-Results field (RFC 8601 §2.2).

Whatever strangers said (addresses, names, selectors) ends up in these lines,
so each value is written as the grammar has it or inside of quotes, and what
could end a line does not get in.
"""

import re
from typing import Final

from postroad.mailauth.authres.values import AuthResults, Property, Result

WIDTH: Final = 78
_WORDS: Final = 300
"""Characters of one quoted value or comment: a line has room for 998 octets (RFC 5322 §2.1.1)."""
# Sets say which ASCII is not in them, for all else is: one that reaches to U+10FFFF takes 5 ms to compile.
_TOKEN: Final = re.compile(r"[^\x00-\x20\"(),/:;<=>?@\[\\\]\x7f]+")
_DOT_STRING: Final = r"[^\x00-\x20\"(),:;<>@\[\\\]\x7f]+"
_QUOTED: Final = r'"(?:[^\x00-\x1f"\\\x7f]|\\[ -~])*"'
_MAILBOX: Final = re.compile(rf"(?:{_DOT_STRING}|{_QUOTED})?@[^\x00-,/:-@\[-^`{{-\x7f]+")
_UNPRINTABLE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def field(results: AuthResults) -> bytes:
    """The whole field with its line end."""
    return b"Authentication-Results: " + payload(results).encode() + b"\r\n"


def payload(results: AuthResults, before: str = "") -> str:
    """What stands behind the colon, folded; `before` is put in front (ARC's `i=1; `)."""
    version = f" {results.version}" if results.version != 1 else ""
    head = f"{before}{_value(results.authserv_id)}{version};"
    if not results.results:
        return f"{head} none"
    return head + ";".join(_result(result) for result in results.results)


def _result(result: Result) -> str:
    version = f"/{result.version}" if result.version != 1 else ""
    words = [f"{result.method}{version}={result.result}"]
    if result.comment:
        words.append(f"({_comment(result.comment)})")
    if result.reason:
        words.append(f"reason={_quoted(result.reason)}")
    words += [_property(one) for one in result.properties]
    lines = ["\r\n\t"]
    for word in words:
        if len(lines[-1]) > 3 and len(lines[-1]) + len(word) > WIDTH:
            lines.append("\r\n\t ")
        lines[-1] += word if lines[-1].endswith(("\t", "\t ")) else f" {word}"
    return "".join(lines)


def _property(one: Property) -> str:
    return f"{one.ptype}.{one.name}={_value(one.value)}"


def _value(text: str) -> str:
    plain = len(text) <= _WORDS and (_TOKEN.fullmatch(text) or _MAILBOX.fullmatch(text))
    return text if plain else _quoted(text)


def _quoted(text: str) -> str:
    escaped = _UNPRINTABLE.sub("?", text[:_WORDS]).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _comment(text: str) -> str:
    return re.sub(r"[()\\]", "?", _UNPRINTABLE.sub("?", text[:_WORDS]))
