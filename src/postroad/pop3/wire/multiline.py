"""Multi-line replies: CR LF line ends, stuffed dots, a lone dot at the end (RFC 1939 §3)."""

import re
from typing import Final

END: Final = b".\r\n"

_BARE_LF: Final = re.compile(rb"(?<!\r)\n")


class Stuffer:
    """Turns a message into the body of a reply, slice by slice.

    Where the slices are cut changes nothing. A bare LF, which an IMAP APPEND
    may have brought, is sent as CR LF: clients that end lines at LF alone would
    otherwise take `LF . CR LF` for the end of the message.
    """

    __slots__ = ("_last",)

    def __init__(self) -> None:
        self._last = b"\n"

    def feed(self, data: bytes) -> bytes:
        """Return what stands for the next slice of the message."""
        if not data:
            return b""
        last, self._last = self._last, data[-1:]
        # To count one octet takes three times as long as to see how many are left without it (CPython 3.11).
        if len(data) - len(data.replace(b"\n", b"")) != data.count(b"\r\n"):
            # A first LF may belong to the CR that ended the slice before.
            kept = 1 if last == b"\r" and data.startswith(b"\n") else 0
            data = data[:kept] + _BARE_LF.sub(b"\r\n", data[kept:])
        if b"\n." in data:
            data = data.replace(b"\n.", b"\n..")
        if last == b"\n" and data.startswith(b"."):
            data = b"." + data
        return data

    def finish(self) -> bytes:
        """Return the end of the reply; the last line of the message gets an end if it has none."""
        return END if self._last == b"\n" else b"\r\n" + END


def cut_lines(data: bytes, lines: int) -> tuple[bytes, int]:
    """Return `data` up to the end of its `lines`-th line, and how many lines are still to come."""
    present = data.count(b"\n")
    if present < lines:
        return data, lines - present
    rest = data.split(b"\n", lines)[-1]
    return data[: len(data) - len(rest)], 0
