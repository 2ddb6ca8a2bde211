"""A trail told in plain sentences: what happened, who said so, and how it ended.

The same words serve `postroad trace` and, later, pages and the API. Nothing
here knows how they are shown; times are left to the reader's clock.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from postroad.config.values import about_duration, about_size
from postroad.trail.note import Fact, Note, Trail


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that happened."""

    label: str
    """One or two words: `received`, `try 2`."""
    text: str
    at: float


@dataclass(frozen=True, slots=True)
class Story:
    """A whole trail."""

    headline: str
    lines: tuple[Line, ...]
    conclusion: str


def tell(trail: Trail) -> Story:
    """Put a trail into words."""
    lines: list[Line] = []
    tries = 0
    for at, note in trail.notes:
        if note.kind == "attempt":
            tries += 1
        for label, text in _TELLERS.get(note.kind, _plainly)(note):
            lines.append(Line(label.format(tries=tries), text, at))
    return Story(_headline(trail), tuple(lines), _conclusion(trail))


def _headline(trail: Trail) -> str:
    recipients = trail.recipients
    to = ", ".join(recipients[:2]) + (f" and {len(recipients) - 2} more" if len(recipients) > 2 else "")
    subject = f'   "{trail.subject}"' if trail.subject else ""
    took = trail.notes[-1][0] - trail.at if trail.notes else 0.0
    took_text = f"   {about_duration(took)}" if took >= 0.1 else ""
    return f"{trail.sender or '<>'} → {to or 'nobody'}{subject}{took_text}"


def _received(note: Note) -> Iterator[tuple[str, str]]:
    facts = note.facts
    login = facts.get("login")
    helo, name, address = (str(facts.get(key, "")) for key in ("helo", "name", "address"))
    known = name or helo
    # A client without a name says its address (RFC 5321 §4.1.3): once is enough.
    where = " ".join(part for part in (known if known != f"[{address}]" else "", address) if part)
    words = [f"by {login}" if login else "", f"from {where}" if where else "from this machine"]
    words.append(_tls(facts))
    if "size" in facts:
        words.append(about_size(_number(facts["size"])))
    yield "submitted" if login else "received", ", ".join(word for word in words if word)
    also = facts.get("also")
    for sentence in also if isinstance(also, list) else []:
        yield "", sentence


def _refused(note: Note) -> Iterator[tuple[str, str]]:
    for label, text in _received(note):
        yield ("from" if label == "received" else label), text.removeprefix("from ")
    refusals = note.facts.get("refusals")
    for refusal in refusals if isinstance(refusals, list) else []:
        yield "refused", refusal


def _filed(note: Note) -> Iterator[tuple[str, str]]:
    facts = note.facts
    account, recipient = str(facts.get("account", "")), str(facts.get("recipient", ""))
    by_way = f", as {recipient}" if recipient and recipient != account else ""
    yield "filed", f"{account}{by_way}, in {facts.get('mailbox', 'INBOX')}, UID {facts.get('uid', '?')}"


def _forwarded(note: Note) -> Iterator[tuple[str, str]]:
    yield "forwarded", f"{note.facts.get('alias', '')} leads to {_list(note.facts.get('to'))}"


def _queued(note: Note) -> Iterator[tuple[str, str]]:
    yield "queued", f"as {note.facts.get('queue', '?')}, for {_list(note.facts.get('recipients'))}"


def _plainly(note: Note) -> Iterator[tuple[str, str]]:
    """A kind that has no sentence of its own."""
    yield note.kind, ", ".join(f"{name} {_list(value)}" for name, value in note.facts.items())


def _conclusion(trail: Trail) -> str:
    if trail.kind == "refused":
        return "nothing was taken; the other side was told why"
    filed = [note for _, note in trail.notes if note.kind == "filed"]
    words = []
    if filed:
        words.append(f"in {len(filed)} mailbox{'es' if len(filed) > 1 else ''} here")
    if any(note.kind == "queued" for _, note in trail.notes):
        words.append(_way_out(trail))
    return "; ".join(words)


def _way_out(trail: Trail) -> str:
    return "on its way to other servers"


def _tls(facts: dict[str, Fact]) -> str:
    tls = str(facts.get("tls", ""))
    # "TLSv1.3 TLS_AES_256_GCM_SHA384": the version says it to a person.
    return tls.split(" ")[0].replace("TLSv", "TLS ") if tls else "in clear" if facts.get("address") else ""


def _list(value: Fact | None) -> str:
    if isinstance(value, list):
        return ", ".join(value)
    return "" if value is None else str(value)


def _number(value: Fact) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


_TELLERS: Final[dict[str, Callable[[Note], Iterator[tuple[str, str]]]]] = {
    "received": _received,
    "refused": _refused,
    "filed": _filed,
    "forwarded": _forwarded,
    "queued": _queued,
}
