"""Reading Authentication-Results of others (RFC 8601 §2.2): one pass, no recursion, nothing raises."""

import re
from typing import Final

from msgspec import Struct

from postroad.mailauth.authres.values import AuthResults, Property, Result
from postroad.message.comment import comment_end

MAX_VALUE: Final = 64 * 1024
MAX_TOKENS: Final = 5_000
MAX_CLAIM: Final = 4 * 1024
"""Octets of a field with our name that are worth reading; each may be a token of its own."""
MAX_RESULTS: Final = 100
MAX_PROPERTIES: Final = 50

_TOKEN: Final = re.compile(
    rb"\"(?P<quoted>(?:[^\"\\]++|\\.)*)\"|(?P<special>[;=(])|(?P<text>[^\s\"();=]++)", re.DOTALL
)
_ESCAPE: Final = re.compile(rb"\\(.)", re.DOTALL)
_KEYWORD: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]*[A-Za-z0-9])?")


class _Token(Struct, gc=False):
    text: str
    special: bool
    quoted: bool
    spaced: bool
    """White space or a comment stood in front of it."""


def parse_authres(value: bytes) -> AuthResults | None:
    """Read the value of a field; None when it breaks the grammar."""
    tokens = _tokens(value)
    if tokens is None:
        return None
    parts = _split(tokens)
    head = parts[0]
    if not head or len(parts) < 2 or len(parts) > MAX_RESULTS + 1:
        return None
    authserv_id, rest = _joined(head, 0)
    version = 1
    if rest < len(head):
        if rest + 1 != len(head) or not _is_number(head[rest].text):
            return None
        version = int(head[rest].text)
    results: list[Result] = []
    for part in parts[1:]:
        if not part and part is parts[-1] and results:
            continue  # a semicolon at the end, as many write it
        if len(parts) == 2 and len(part) == 1 and part[0].text.lower() == "none":
            return AuthResults(authserv_id, (), version)
        result = _result(part)
        if result is None:
            return None
        results.append(result)
    return AuthResults(authserv_id, tuple(results), version) if results else None


def mentions(value: bytes, servers: frozenset[str]) -> bool:
    """Whether a field has the name of one of `servers` at all, which most need no more than a look for."""
    # What may stand within a name in a quoted string is left out.
    text = value.translate(None, b'"\\').decode("utf-8", "replace").lower()
    return any(server in text for server in servers)


def names_server(value: bytes, servers: frozenset[str]) -> bool:
    """Whether a field that mentions one of `servers` says that it judged, however it is written.

    A field that cannot be read counts: some other reader may understand it
    better (RFC 8601 §5). So does one that is longer than any server writes.
    """
    parsed = parse_authres(value) if len(value) <= MAX_CLAIM else None
    if parsed is None:
        return True
    # RFC 5451 had a version behind a slash.
    return parsed.authserv_id.partition("/")[0].lower().removesuffix(".") in servers


def _tokens(value: bytes) -> list[_Token] | None:
    tokens: list[_Token] = []
    value = value[:MAX_VALUE]
    at, spaced = 0, True
    while at < len(value):
        if value[at : at + 1].isspace():
            at, spaced = at + 1, True
            continue
        match = _TOKEN.match(value, at)
        if match is None or len(tokens) == MAX_TOKENS:
            return None
        at = match.end()
        if match["special"] == b"(":
            at = comment_end(value, at) + 1
            if at > len(value):
                return None
            spaced = True
            continue
        quoted = match["quoted"]
        octets = match[0] if quoted is None else _ESCAPE.sub(rb"\1", quoted)
        text = octets.decode("utf-8", "replace")
        tokens.append(_Token(text, match["special"] is not None, quoted is not None, spaced))
        spaced = False
    return tokens


def _split(tokens: list[_Token]) -> list[list[_Token]]:
    parts: list[list[_Token]] = [[]]
    for token in tokens:
        if token.special and token.text == ";":
            parts.append([])
        else:
            parts[-1].append(token)
    return parts


def _joined(tokens: list[_Token], at: int) -> tuple[str, int]:
    """The text from `at` to the next space; `=` may be in it (base64). Give it and what is behind."""
    text = tokens[at].text
    at += 1
    while at < len(tokens) and not tokens[at].spaced:
        text += tokens[at].text
        at += 1
    return text, at


def _result(tokens: list[_Token]) -> Result | None:
    """methodspec, reasonspec and propspecs of one resinfo."""
    found = _assignment(tokens, 0)
    if found is None:
        return None
    left, result, at = found
    method, slash, version = (word.strip() for word in left.partition("/"))
    if (
        not _KEYWORD.fullmatch(method)
        or not _KEYWORD.fullmatch(result)
        or (slash and not _is_number(version))
    ):
        return None
    reason = ""
    properties: list[Property] = []
    while at < len(tokens):
        found = _assignment(tokens, at)
        if found is None or len(properties) >= MAX_PROPERTIES:
            return None
        left, value, at = found
        ptype, dot, name = left.partition(".")
        if left.lower() == "reason" and not properties:
            reason = value
        elif dot and _KEYWORD.fullmatch(ptype) and _KEYWORD.fullmatch(name):
            properties.append(Property(ptype.lower(), name.lower(), value))
        elif _KEYWORD.fullmatch(left):
            continue  # no property, but written by many: "action=none", "x-bits=2048", a late reason
        else:
            return None
    number = int(version) if slash else 1
    return Result(method.lower(), result.lower(), tuple(properties), reason, "", number)


def _assignment(tokens: list[_Token], at: int) -> tuple[str, str, int] | None:
    """`left = value`: the left side may have spaces around its dot or slash."""
    left = ""
    while at < len(tokens) and not tokens[at].special:
        if tokens[at].quoted:
            return None
        left += tokens[at].text
        at += 1
    if at + 1 >= len(tokens) or tokens[at].text != "=" or tokens[at].quoted:
        return None
    value, at = _joined(tokens, at + 1)
    return left, value, at


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10
