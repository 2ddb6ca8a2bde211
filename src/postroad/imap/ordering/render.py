"""Threads in the words of the THREAD response (RFC 5256 §5 thread-data)."""

from collections.abc import Sequence

from postroad.imap.ordering.conversations import Threads
from postroad.imap.ordering.sliced import SLICE, Sliced


def render_threads(threads: Threads, told: Sequence[int]) -> Sliced[bytes]:
    """Write the threads, however deep they are; `told` is what the client calls each message."""
    pieces: list[str] = []
    closes = -1
    """On the stack of what is still to be written: a parenthesis that closes."""
    stack = list(reversed(threads.roots))
    done = 0
    while stack:
        node = stack.pop()
        done += 1
        if not done % SLICE:
            yield
        if node == closes:
            pieces.append(")")
            continue
        pieces.append("(")
        stack.append(closes)
        below = threads.children.get(node)
        if node < threads.count:
            pieces.append(str(told[node]))
            while below is not None and len(below) == 1:
                [node] = below
                pieces.append(f" {told[node]}")
                below = threads.children.get(node)
                done += 1
                if not done % SLICE:
                    yield
            if below is not None:
                pieces.append(" ")
        if below is not None:
            stack += reversed(below)
    return "".join(pieces).encode("ascii")
