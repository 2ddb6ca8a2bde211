"""Sentences about where a message is from: what SPF, DKIM and DMARC said."""

from collections.abc import Iterator

from postroad.trail.note import Note


def tell_check(note: Note) -> Iterator[tuple[str, str]]:
    """Put a note of `spf`, `dkim`, `arc`, `dmarc` or `policy` into words."""
    match note.kind:
        case "spf":
            yield "SPF", _spf(note)
        case "dkim":
            yield "DKIM", _dkim(note)
        case "arc":
            words = "the chain of seals holds" if _text(note, "verdict") == "pass" else "the chain is broken"
            yield "ARC", f"{words}: {_text(note, 'reason')}"
        case "dmarc":
            yield "DMARC", _dmarc(note)
        case _:
            yield "policy", _text(note, "why")


def _spf(note: Note) -> str:
    domain, client, problem = _text(note, "domain"), _text(note, "client"), _text(note, "problem")
    by = f" ({' → '.join(_texts(note, 'matched'))})" if _texts(note, "matched") else ""
    match _text(note, "verdict"):
        case "pass":
            return f"{domain} lets {client} send its mail{by}"
        case "fail":
            return f"{domain} does not let {client} send its mail{by}"
        case "softfail":
            return f"{domain} would rather not have {client} send its mail{by}"
        case "neutral":
            return f"{domain} says neither yes nor no to {client}{by}"
        case "temperror":
            return f"the policy of {domain} could not be asked for: {problem}"
        case "permerror":
            return f"the policy of {domain} is broken: {problem}"
        case _:
            return problem or "no policy"


def _dkim(note: Note) -> str:
    domain, reason = _text(note, "domain") or "somebody", _text(note, "reason")
    key = f" (key {_text(note, 'selector')})" if _text(note, "selector") else ""
    match _text(note, "verdict"):
        case "none":
            return "not signed"
        case "pass":
            return f"signed by {domain}{key}: {reason}"
        case "temperror":
            return f"a signature of {domain}{key} could not be checked: {reason}"
        case _:
            return f"a signature of {domain}{key} does not hold: {reason}"


def _dmarc(note: Note) -> str:
    domain, policy, problem = _text(note, "domain"), _text(note, "policy"), _text(note, "problem")
    holder = _text(note, "holder")
    by = f" (by {holder})" if holder else ""
    match _text(note, "verdict"):
        case "pass":
            return f"{domain} vouches for the message, by {' and '.join(_texts(note, 'aligned'))}"
        case "fail":
            return f"{domain} does not vouch for the message; its policy{by} is {policy}"
        case "temperror":
            return f"whether {domain} vouches for the message cannot be said: {problem}"
        case "permerror":
            return problem
        case _:
            return f"{domain}: {problem}" if domain else problem


def _text(note: Note, name: str) -> str:
    value = note.facts.get(name)
    return "" if value is None else str(value)


def _texts(note: Note, name: str) -> list[str]:
    value = note.facts.get(name)
    return value if isinstance(value, list) else []
