"""Who answers whom: the first three steps of THREAD=REFERENCES (RFC 5256 §3)."""

from array import array
from collections.abc import Sequence
from typing import Final, NamedTuple, TypeAlias

from postroad.imap.ordering.sliced import SLICE, Sliced

Node: TypeAlias = int
"""A message, or a dummy for a Message-ID that only others name."""
STEPS: Final = 20_000_000
"""Steps up from child to parent, over all messages: some seconds. Nobody's mail needs as many."""


class TooTangled(Exception):
    """More identifiers, or longer ways between them, than a THREAD looks at."""


class Trees(NamedTuple):
    """What is left once dummies are pruned; siblings stand in no order."""

    roots: list[Node]
    children: dict[Node, list[Node]]
    """Of those that have some. Only a root may be a dummy, and has two children or more."""
    order: list[Node]
    """Every node, dummies that are gone too, before all that are below it."""


class Forest:
    """Messages and dummies, linked as they are added, in mailbox order."""

    def __init__(self, most: int) -> None:
        """Look at `most` identifiers and no more."""
        self.message = array("i")
        """Which message each node is; -1 for a dummy."""
        self._parent = array("i")
        self._child_count = array("I")
        self._named: dict[str, Node] = {}
        self._most = most
        self._messages = 0
        self._steps = 0

    def add(self, own: str, ancestors: Sequence[str]) -> None:
        """Add the next message: step 1 of the algorithm.

        Raises:
            TooTangled
        """
        node = self._of_message(own)
        parent = -1
        for name in ancestors:
            ancestor = self._of(name)
            if parent >= 0 and self._parent[ancestor] < 0:
                self._link(parent, ancestor)
            parent = ancestor
        # Step 1B: what the message says itself counts for more than what others say of it.
        old = self._parent[node]
        if old >= 0 and old != parent:
            self._child_count[old] -= 1
            self._parent[node] = -1
        if parent >= 0 and self._parent[node] < 0:
            self._link(parent, node)

    def _of_message(self, own: str) -> Node:
        number = self._messages
        self._messages += 1
        known = self._named.get(own) if own else None
        if known is not None and self.message[known] < 0:
            self.message[known] = number
            return known
        node = self._new(number)
        # Of several messages with one Message-ID the first has it (step 1A).
        if own and known is None:
            self._named[own] = node
        return node

    def _of(self, name: str) -> Node:
        node = self._named.get(name)
        if node is None:
            node = self._named[name] = self._new(-1)
        return node

    def _new(self, message: int) -> Node:
        node = len(self.message)
        if node >= self._most:
            raise TooTangled
        self.message.append(message)
        self._parent.append(-1)
        self._child_count.append(0)
        return node

    def _link(self, parent: Node, child: Node) -> None:
        """Link two, unless that made a loop; the child is a root so far."""
        if parent == child:
            return
        if self._child_count[child]:  # a leaf has nobody below it
            above, steps = parent, 0
            while (next_above := self._parent[above]) >= 0:
                above = next_above
                steps += 1
            self._steps += steps
            if self._steps > STEPS:
                raise TooTangled
            if above == child:
                return
        self._parent[child] = parent
        self._child_count[parent] += 1

    def prune(self) -> Sliced[Trees]:
        """Gather the roots and take dummies out: steps 2 and 3."""
        linked: dict[Node, list[Node]] = {}
        tops: list[Node] = []
        for node, parent in enumerate(self._parent):
            if parent < 0:
                tops.append(node)
            else:
                linked.setdefault(parent, []).append(node)
            if not node % SLICE:
                yield
        order = yield from _downwards(tops, linked)
        children: dict[Node, list[Node]] = {}
        for done, node in enumerate(reversed(order)):
            if node in linked and (kept := self._promoted(linked.pop(node), children)):
                children[node] = kept
            if not done % SLICE:
                yield
        roots: list[Node] = []
        for done, top in enumerate(tops):
            if not done % SLICE:
                yield
            below = children.get(top, [])
            if self.message[top] >= 0 or len(below) > 1:
                roots.append(top)
            elif below:
                roots += below  # an only child may take the place of a dummy at the root
                del children[top]
        return Trees(roots, children, order)

    def _promoted(self, below: list[Node], children: dict[Node, list[Node]]) -> list[Node]:
        """Put the children of dummies in the place of these."""
        if all(self.message[node] >= 0 for node in below):
            return below
        kept = [node for node in below if self.message[node] >= 0]
        for node in below:
            if self.message[node] < 0:
                promoted = children.pop(node, [])
                if len(promoted) > len(
                    kept
                ):  # or a row of dummies would copy the same children over and over
                    kept, promoted = promoted, kept
                kept += promoted
        return kept


def _downwards(tops: list[Node], linked: dict[Node, list[Node]]) -> Sliced[list[Node]]:
    """Return all nodes, each before those below it."""
    order = list(tops)
    for done, node in enumerate(order):  # which grows while it is walked
        if node in linked:
            order += linked[node]
        if not done % SLICE:
            yield
    return order
