"""Hashes of one message's body, worked out once for all signatures that want them (RFC 6376 §3.7)."""

import hashlib
from collections.abc import Iterable
from typing import NamedTuple

from postroad.mailauth.dkim.canonical import Canonical, canonical_body
from postroad.model.octets import Octets


class Wanted(NamedTuple):
    """What a signature says to hash: the canonical form, all of it or its first `length` octets."""

    way: Canonical
    length: int | None


class BodyHashes:
    """SHA-256 of a body in its canonical forms.

    One pass for each form serves any number of signatures and lengths. That is
    the only work here that grows with the message: for a large one call
    `compute` in a thread before anything else is asked.
    """

    __slots__ = ("_canonical_sizes", "_data", "_digests", "_start")

    def __init__(self, data: Octets, start: int) -> None:
        """`start` is where the body begins in the message, `HeaderBlock.body_start`."""
        self._data = data
        self._start = start
        self._digests: dict[Wanted, bytes] = {}
        self._canonical_sizes: dict[Canonical, int] = {}

    @property
    def size(self) -> int:
        """Octets of the body as it stands."""
        return len(self._data) - self._start

    def compute(self, wanted: Iterable[Wanted]) -> None:
        """Work out what is not known yet; costs one pass for each canonical form."""
        lengths: dict[Canonical, set[int]] = {}
        for one in wanted:
            if one not in self._digests:
                lengths.setdefault(one.way, set()).update(() if one.length is None else (one.length,))
        for way, stops in lengths.items():
            self._pass(way, sorted(stops))

    def digest(self, wanted: Wanted) -> bytes:
        """The SHA-256 that a signature has to show in `bh=`."""
        self.compute([wanted])
        return self._digests[wanted]

    def canonical_size(self, way: Canonical) -> int:
        """Octets of the body in canonical form: what `l=` counts."""
        self.compute([Wanted(way, None)])
        return self._canonical_sizes[way]

    def _pass(self, way: Canonical, stops: list[int]) -> None:
        digest = hashlib.sha256()
        size = 0
        at = 0
        for piece in canonical_body(way, self._data, self._start):
            begin = 0
            while at < len(stops) and stops[at] <= size + len(piece):
                digest.update(piece[begin : stops[at] - size])
                begin = stops[at] - size
                self._digests[Wanted(way, stops[at])] = digest.digest()
                at += 1
            digest.update(piece[begin:] if begin else piece)
            size += len(piece)
        whole = digest.digest()
        for stop in stops[at:]:
            self._digests[Wanted(way, stop)] = whole  # l= beyond the end; the caller compares the sizes
        self._digests[Wanted(way, None)] = whole
        self._canonical_sizes[way] = size
