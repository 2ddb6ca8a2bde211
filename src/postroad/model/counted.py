"""How many of a thing there are, as people write it."""


def counted(count: int, noun: str) -> str:
    """Return `1 message`, `2 messages`: a count with its noun, whose plural ends in s."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
