"""A second, strict reader of what IMAP sends (RFC 3501 §9), to check what was rendered."""

import re
from typing import TypeAlias

Value: TypeAlias = "bytes | int | list[Value] | None"

_ATOM = re.compile(rb"NIL|[0-9]+")
_QUOTED = re.compile(rb'"((?:[^"\\\r\n\0\x80-\xff]|\\["\\])*)"')
_LITERAL = re.compile(rb"\{([0-9]+)\}\r\n")


def read_list(octets: bytes) -> list[Value]:
    """Read one parenthesized list that has to be the whole of the octets."""
    stack: list[list[Value]] = [[]]
    at = 0
    while at < len(octets):
        char = octets[at : at + 1]
        if char == b"(":
            stack.append([])
            at += 1
        elif char == b")":
            done = stack.pop()
            stack[-1].append(done)
            at += 1
        elif char == b" ":
            assert octets[at + 1 : at + 2] not in (b" ", b")", b""), octets[at:]
            at += 1
        elif match := _QUOTED.match(octets, at):
            stack[-1].append(re.sub(rb"\\(.)", rb"\1", match[1]))
            at = match.end()
        elif match := _LITERAL.match(octets, at):
            at = match.end() + int(match[1])
            literal = octets[match.end() : at]
            assert len(literal) == int(match[1])
            assert b"\0" not in literal
            stack[-1].append(literal)
        elif match := _ATOM.match(octets, at):
            stack[-1].append(None if match[0] == b"NIL" else int(match[0]))
            at = match.end()
        else:
            raise AssertionError(f"not IMAP: {octets[at : at + 40]!r}")
    assert len(stack) == 1
    assert len(stack[0]) == 1
    whole = stack[0][0]
    assert isinstance(whole, list)
    return whole


def check_envelope(value: Value) -> None:
    """Hold an envelope against the grammar: ten members, six of them address lists."""
    assert isinstance(value, list)
    assert len(value) == 10
    for index, member in enumerate(value):
        if not 2 <= index <= 7:
            assert member is None or isinstance(member, bytes)
        elif member is not None:
            assert isinstance(member, list)
            assert member
            for address in member:
                assert isinstance(address, list)
                assert len(address) == 4


def check_body(value: Value, *, extended: bool) -> int:
    """Hold a body structure against the grammar and return how many leaves it has."""
    assert isinstance(value, list)
    if isinstance(value[0], list):
        children = [member for member in value if isinstance(member, list)]
        subtype = next(index for index, member in enumerate(value) if not isinstance(member, list))
        assert isinstance(value[subtype], bytes)
        assert len(value) - subtype - 1 == (4 if extended else 0)
        return sum(check_body(child, extended=extended) for child in children[:subtype])
    kind, subtype_name, _, _, _, encoding, octets = value[:7]
    assert isinstance(kind, bytes)
    assert isinstance(subtype_name, bytes)
    assert isinstance(encoding, bytes)
    assert isinstance(octets, int)
    rest = value[7:]
    leaves = 1
    if kind == b"text":
        assert isinstance(rest.pop(0), int)
    elif (kind, subtype_name) == (b"message", b"rfc822"):
        check_envelope(rest.pop(0))
        leaves = check_body(rest.pop(0), extended=extended)
        assert isinstance(rest.pop(0), int)
    assert len(rest) == (4 if extended else 0)
    return leaves
