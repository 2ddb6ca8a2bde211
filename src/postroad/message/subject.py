"""The base subject, by which threads and sorting know a conversation (RFC 5256 §2.1)."""

import re
from typing import Final

_MAX_SUBJECT: Final = 1_000

_BLOB: Final = re.compile(r"\[[^\[\]]*+\]\s*+")
# The leader: blobs, re: or fwd: with perhaps a blob in between.
_REPLY: Final = re.compile(r"(?:\[[^\[\]]*+\]\s*+)*(?:re|fwd?)\s*+(?:\[[^\[\]]*+\]\s*+)?:\s*+", re.IGNORECASE)
_FORWARD: Final = re.compile(r"\[fwd:(.*)\]", re.IGNORECASE | re.DOTALL)


def base_subject(subject: str) -> str:
    """Take reply and forward marks and list tags off a decoded subject.

    The letters keep their case: who compares, folds.
    """
    text = " ".join(subject[:_MAX_SUBJECT].split())
    if not text.startswith("[") and ":" not in text and not text.endswith(")"):
        return text
    while True:
        text = _strip_marks(_strip_trailer(text))
        forwarded = _FORWARD.fullmatch(text)
        if forwarded is None:
            return text
        text = forwarded[1].strip()


def _strip_trailer(text: str) -> str:
    end = len(text)
    while end >= 5 and text[end - 5 : end].lower() == "(fwd)":
        end = len(text[: end - 5].rstrip())
    return text[:end]


def _strip_marks(text: str) -> str:
    at, end = 0, len(text)
    while True:
        reply = _REPLY.match(text, at)
        if reply is not None:
            at = reply.end()
            continue
        blob = _BLOB.match(text, at)
        if blob is None or blob.end() == end:  # a tag that is all there is, is the subject
            return text[at:]
        at = blob.end()
