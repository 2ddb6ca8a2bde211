"""A trail told in plain sentences: what happened, who said so, and how it ended.

The same words serve `postroad trace` and, later, pages and the API. How a
moment is written is for the caller to say, who knows the reader's time zone.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

from postroad.config.values import about_duration, about_size
from postroad.trail.note import Fact, Note, Trail
from postroad.trail.sender_auth import tell_check

When: TypeAlias = Callable[[float], str]


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
    """Where the message is now; empty when nothing is known of that."""


def tell(trail: Trail, when: When) -> Story:
    """Put a trail into words; `when` writes a moment."""
    teller = _Teller(trail, when)
    lines = [Line(label, text, at) for at, note in trail.notes for label, text in teller.lines(at, note)]
    return Story(_headline(trail), tuple(lines), teller.conclusion())


def _headline(trail: Trail) -> str:
    if trail.notes and trail.notes[0][1].kind == "turned away":
        return f"{_text(trail.notes[0][1], 'address')} came and was turned away"
    recipients = trail.recipients
    to = ", ".join(recipients[:2]) + (f" and {len(recipients) - 2} more" if len(recipients) > 2 else "")
    subject = f'   "{trail.subject}"' if trail.subject else ""
    took = trail.notes[-1][0] - trail.at if trail.notes else 0.0
    took_text = f"   {about_duration(took)}" if took >= 0.1 else ""
    return f"{trail.sender or '<>'} → {to or 'nobody'}{subject}{took_text}"


@dataclass(frozen=True, slots=True)
class _State:
    """How a recipient elsewhere stands."""

    result: str
    """queued, put off, delivered, deferred, failed, expired, held or cancelled."""
    at: float
    next: float | None = None


class _Teller:
    """Goes through the notes of one trail in order and remembers what the end needs."""

    def __init__(self, trail: Trail, when: When) -> None:
        self._trail = trail
        self._when = when
        self._tries: dict[str, int] = {}
        self._states: dict[str, _State] = {}
        self._filed: set[str] = set()
        self._told: set[str] = set()

    def lines(self, at: float, note: Note) -> Iterator[tuple[str, str]]:
        """Labels and sentences for one note."""
        match note.kind:
            case "received":
                yield from _received(note)
            case "refused":
                yield from _refused(note)
            case "turned away":
                yield from ((note.kind, sentence) for sentence in _list(note, "refusals"))
            case "spf" | "dkim" | "arc" | "dmarc" | "policy":
                yield from tell_check(note)
            case "filed":
                yield self._file(note)
            case "signed":
                yield "signed", f"as {_text(note, 'domain')}, with {_text(note, 'keys')}"
            case "sealed":
                yield "sealed", f"as {_text(note, 'domain')}, for what {_text(note, 'alias')} sends on"
            case "unanswered":
                who, domain = _text(note, "sender"), _text(note, "domain")
                yield "notices", f"none to {who}: nothing shows that the message is from {domain}"
            case "forwarded":
                yield "forwarded", f"{_text(note, 'alias')} leads to {_text(note, 'to')}"
            case "queued":
                yield self._queue(at, note)
            case "attempt":
                yield self._attempt(at, note)
            case "notice":
                yield self._notice(note)
            case "held" | "released" | "cancelled" | "rescheduled" | "redirected":
                yield self._decision(at, note)
            case _:
                # A kind that has no sentence of its own.
                yield note.kind, ", ".join(f"{name} {_text(note, name)}" for name in note.facts)

    def conclusion(self) -> str:
        """Where the message is now."""
        if self._trail.kind == "refused":
            return "nothing was taken; the other side was told why"
        words = []
        if self._filed:
            names = sorted(self._filed)
            words.append(
                f"in the mailbox of {names[0]}" if len(names) == 1 else f"in {len(names)} mailboxes here"
            )
        words += self._ways_out()
        return "; ".join(words)

    def _file(self, note: Note) -> tuple[str, str]:
        account, recipient = _text(note, "account"), _text(note, "recipient")
        self._filed.add(account)
        self._states.pop(recipient, None)  # it was held until now
        by_way = f", as {recipient}" if recipient and recipient != account else ""
        return "filed", f"{account}{by_way}, in {_text(note, 'mailbox')}, UID {_text(note, 'uid')}"

    def _queue(self, at: float, note: Note) -> tuple[str, str]:
        until = _number(note.facts["until"]) if "until" in note.facts else None
        for recipient in _names(note):
            self._states[recipient] = _State("queued" if until is None else "put off", at, until)
        sender = f", from {_text(note, 'sender')}" if "sender" in note.facts else ""
        held = "" if until is None else f", to go at {self._when(until)} as its sender wishes"
        return "queued", f"as {_text(note, 'queue')}, for {_text(note, 'recipients')}{sender}{held}"

    def _attempt(self, at: float, note: Note) -> tuple[str, str]:
        facts, names = note.facts, _names(note)
        if self._was_cancelled(note):
            return "returned", f"{_text(note, 'reply')}, for {', '.join(names)}"
        number = max((self._tries.get(name, 0) for name in names), default=0) + 1
        result = "expired" if facts.get("expired") else _text(note, "result")
        following = _number(facts["next"]) if "next" in facts else None
        for name in names:
            self._tries[name] = number
            self._states[name] = _State(result, at, following)
        host = _text(note, "host") or _text(note, "address")
        words = [f"{host}  {_text(note, 'reply')}" if host else _text(note, "reply")]
        policy = f"{_text(note, 'policy')} met" if "policy" in facts else ""
        told = (_tls(note), policy, _text(note, "certificate"), _text(note, "change"))
        words += [word for word in told if word]
        if following is not None:
            words.append(f"next try at {self._when(following)}")
        if result == "expired":
            words.append("given up")
        text = ", ".join(words)
        if len(self._trail.recipients) > 1:
            text = f"for {', '.join(names)}: {text}"
        return f"try {number}", text

    def _was_cancelled(self, note: Note) -> bool:
        """Whether it is the end of what an operator cancelled, and no attempt at all."""
        states = [self._states[name].result for name in _names(note) if name in self._states]
        return "host" not in note.facts and bool(states) and all(state == "cancelled" for state in states)

    def _decision(self, at: float, note: Note) -> tuple[str, str]:
        """What an operator did with it in the queue."""
        for name in _names(note):
            result = "queued" if note.kind in ("released", "rescheduled") else note.kind
            following = _number(note.facts["at"]) if "at" in note.facts else None
            self._states[name] = _State(result, at, following)
        to = f", to {_text(note, 'to')}" if "to" in note.facts else ""
        when = f", next try at {self._when(_number(note.facts['at']))}" if "at" in note.facts else ""
        return note.kind, f"by {_text(note, 'who')}, for {_text(note, 'recipients')}{to}{when}"

    def _notice(self, note: Note) -> tuple[str, str]:
        to, trail, problem = _text(note, "to"), _text(note, "trail"), _text(note, "problem")
        about = f"that it has {_PERFECT.get(_text(note, 'about'), _text(note, 'about'))}"
        if problem:
            return "notice", f"{to} could not be told {about}: {problem}"
        self._told.add(to)
        return "notice", f"{to} was told {about}" + (f" ({trail})" if trail else "")

    def _ways_out(self) -> list[str]:
        """A sentence for each way in which recipients elsewhere stand."""
        groups: dict[str, list[_State]] = {}
        for state in self._states.values():
            groups.setdefault(state.result, []).append(state)
        alone = len(self._states) == 1
        words = []
        for result, states in groups.items():
            who = "" if alone else f"{len(states)} "
            last = self._when(max(state.at for state in states))
            told = f"; {', '.join(sorted(self._told))} was told" if self._told else ""
            match result:
                case "delivered":
                    theirs = "their server" if alone else "their servers"
                    words.append(f"{who}accepted by {theirs} at {last}; after that it is in their hands")
                case "failed" | "expired":
                    why = "failed for good" if result == "failed" else "given up"
                    words.append(f"{who}{why} at {last}{told}")
                case "deferred" | "put off":
                    times = [state.next for state in states if state.next is not None]
                    what = "next try" if result == "deferred" else "to go"
                    following = f", {what} at {self._when(min(times))}" if times else ""
                    words.append(f"{who}waiting in the queue{following}")
                case "held":
                    words.append(f"{who}held in the queue until it is released")
                case "redirected":
                    words.append(f"{who}redirected at {last}")
                case "cancelled":
                    words.append(f"{who}cancelled at {last}{told}")
                case _:
                    words.append(f"{who}waiting in the queue")
        return words


def _received(note: Note) -> Iterator[tuple[str, str]]:
    login, address = _text(note, "login"), _text(note, "address")
    known = _text(note, "name") or _text(note, "helo")
    # A client without a name says its address (RFC 5321 §4.1.3): once is enough.
    where = " ".join(part for part in (known if known != f"[{address}]" else "", address) if part)
    words = [
        f"by {login}" if login else "",
        f"from {where}" if where else "from this machine",
        _tls(note) or ("in clear" if address else ""),
        about_size(_number(note.facts["size"])) if "size" in note.facts else "",
        f"priority {_text(note, 'priority')}" if "priority" in note.facts else "",
    ]
    yield "submitted" if login else "received", ", ".join(word for word in words if word)
    for sentence in _list(note, "also"):
        yield "", sentence


def _refused(note: Note) -> Iterator[tuple[str, str]]:
    for label, text in _received(note):
        yield ("from" if label == "received" else label), text.removeprefix("from ")
    for refusal in _list(note, "refusals"):
        yield "refused", refusal


def _names(note: Note) -> list[str]:
    return _list(note, "recipients")


def _list(note: Note, name: str) -> list[str]:
    value = note.facts.get(name)
    return value if isinstance(value, list) else []


def _tls(note: Note) -> str:
    # "TLSv1.3 TLS_AES_256_GCM_SHA384": the version says it to a person.
    return _text(note, "tls").split(" ")[0].replace("TLSv", "TLS ")


def _text(note: Note, name: str) -> str:
    value = note.facts.get(name)
    if isinstance(value, list):
        return ", ".join(value)
    return "" if value is None else str(value)


def _number(value: Fact) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


_PERFECT: Final = {"failed": "failed", "delayed": "been delayed", "delivered": "been delivered"}
