"""The base subject, by which threads and sorting know a conversation (RFC 5256 §2.1)."""

import re
from typing import Final, NamedTuple

_MAX_SUBJECT: Final = 1_000

_SPACE: Final = re.compile(r"[\t\r\n ]+")
_BLOB: Final = re.compile(r"\[[^\[\]]*+\] *+")
# The leader: blobs, re: or fwd: with perhaps a blob in between.
_REPLY: Final = re.compile(r"(?:\[[^\[\]]*+\] *+)*(?:re|fwd?) *+(?:\[[^\[\]]*+\] *+)?: *+", re.IGNORECASE)
_FORWARD: Final = re.compile(r"\[fwd:(.*)\]", re.IGNORECASE | re.DOTALL)


class BaseSubject(NamedTuple):
    """What a conversation is about, and whether this message goes on with it."""

    text: str
    """The letters keep their case: who compares, collates."""
    is_reply: bool
    """Some mark of a reply or forward was taken off, a list tag alone is none (RFC 5256 §3)."""


def base_subject(subject: str) -> str:
    """Take reply and forward marks and list tags off a decoded subject; the letters keep their case."""
    return analyse_subject(subject).text


def analyse_subject(subject: str) -> BaseSubject:
    """Do the same and tell whether it was the subject of a reply or forward."""
    text = subject[:_MAX_SUBJECT]
    if not text.isprintable() or "  " in text:
        text = _SPACE.sub(" ", text)
    text = text.strip(" ")
    if not text.startswith("[") and ":" not in text and not text.endswith(")"):
        return BaseSubject(text, False)
    is_reply = False
    while True:
        text, trailed = _strip_trailer(text)
        text, led = _strip_marks(text)
        is_reply = is_reply or trailed or led
        forwarded = _FORWARD.fullmatch(text)
        if forwarded is None:
            return BaseSubject(text, is_reply)
        text = forwarded[1].strip(" ")
        is_reply = True


def _strip_trailer(text: str) -> tuple[str, bool]:
    end = len(text)
    while end >= 5 and text[end - 5 : end].lower() == "(fwd)":
        end = len(text[: end - 5].rstrip(" "))
    return text[:end], end < len(text)


def _strip_marks(text: str) -> tuple[str, bool]:
    at, end = 0, len(text)
    led = False
    while True:
        reply = _REPLY.match(text, at)
        if reply is not None:
            at = reply.end()
            led = True
            continue
        blob = _BLOB.match(text, at)
        if blob is None or blob.end() == end:  # a tag that is all there is, is the subject
            return text[at:], led
        at = blob.end()
