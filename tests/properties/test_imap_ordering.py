"""SORT and THREAD against plain models (RFC 5256)."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroad.imap.ordering.conversations import Conversations
from postroad.imap.ordering.forest import TooTangled
from postroad.imap.ordering.render import render_threads
from postroad.imap.ordering.sliced import SLICE, Sliced, sort_sliced
from postroad.imap.wire.ordering import ThreadAlgorithm
from postroad.message.collation import collated
from postroad.message.subject import analyse_subject

T = TypeVar("T")


def done(work: Sliced[T]) -> T:
    """Do sliced work at once."""
    while True:
        try:
            next(work)
        except StopIteration as stopped:
            result: T = stopped.value
            return result


@given(st.integers(0, 3 * SLICE + 5), st.randoms(use_true_random=False))
def test_sorting_in_slices_is_sorting(count: int, random: Random) -> None:
    rows = [(random.randrange(50), number) for number in range(count)]
    random.shuffle(rows)
    assert done(sort_sliced(rows)) == sorted(rows)


# -- threads, as the RFC tells them ------------------------------------------------


@dataclass
class Mail:
    number: int
    own: str
    ancestors: Sequence[str]
    subject: str
    sent: int
    arrival: int


@dataclass(eq=False)
class Node:
    mail: Mail | None = None
    parent: "Node | None" = None
    children: list["Node"] = field(default_factory=list)

    def first(self) -> Mail:
        mail = self.mail or self.children[0].mail
        assert mail is not None
        return mail

    @property
    def key(self) -> tuple[int, int]:
        return self.first().sent, self.first().number

    @property
    def thread_subject(self) -> str:
        return collated(analyse_subject(self.first().subject).text)

    @property
    def is_reply(self) -> bool:
        return self.mail is not None and analyse_subject(self.mail.subject).is_reply

    def below(self) -> list["Node"]:
        return [self, *(node for child in self.children for node in child.below())]

    def adopt(self, child: "Node") -> None:
        if child.parent is not None:
            child.parent.children.remove(child)
        child.parent = self
        self.children.append(child)


def linked(mails: Sequence[Mail]) -> Node:
    """Steps 1 and 2: the root, with everything below it."""
    named: dict[str, Node] = {}
    nodes: list[Node] = []

    def of(name: str) -> Node:
        if name not in named:
            named[name] = Node()
            nodes.append(named[name])
        return named[name]

    for mail in mails:
        node = of(mail.own) if mail.own else Node()
        if node.mail is not None:
            node = Node()
        if node not in nodes:
            nodes.append(node)
        node.mail = mail
        chain = [of(name) for name in mail.ancestors]
        for parent, child in itertools.pairwise(chain):
            if child.parent is None and parent not in child.below():
                parent.adopt(child)
        if node.parent is not None and (not chain or node.parent is not chain[-1]):
            node.parent.children.remove(node)
            node.parent = None
        if chain and node.parent is None and chain[-1] not in node.below():
            chain[-1].adopt(node)
    root = Node()
    for node in nodes:
        if node.parent is None:
            root.adopt(node)
    return root


def pruned(node: Node, *, is_root: bool) -> None:
    """Step 3."""
    kept: list[Node] = []
    for child in node.children:
        pruned(child, is_root=False)
        if child.mail is not None or (is_root and len(child.children) > 1):
            kept.append(child)
        else:
            kept += child.children
    node.children = kept
    for child in kept:
        child.parent = node


def gathered(root: Node) -> None:
    """Step 5."""
    table: dict[str, Node] = {}
    for node in root.children:
        subject = node.thread_subject
        if not subject:
            continue
        known = table.get(subject)
        if known is None or (
            known.mail is not None and (node.mail is None or (known.is_reply and not node.is_reply))
        ):
            table[subject] = node
    for node in list(root.children):
        subject = node.thread_subject
        if not subject or table[subject] is node:
            continue
        head = table[subject]
        if head.mail is None and node.mail is None:
            for child in list(node.children):
                head.adopt(child)
            root.children.remove(node)
        elif head.mail is None or (node.is_reply and not head.is_reply):
            head.adopt(node)
        else:
            dummy = Node()
            root.adopt(dummy)
            dummy.adopt(head)
            dummy.adopt(node)
            table[subject] = dummy


def sort_below(node: Node) -> None:
    for child in node.children:
        sort_below(child)
    if node.parent is not None:
        node.children.sort(key=lambda child: child.key)


def written(node: Node) -> str:
    inside = "" if node.mail is None else str(node.mail.number + 1)
    children = [written(child) for child in node.children]
    if len(children) == 1:
        return f"({inside} {children[0][1:]}"
    return f"({inside}{' ' if inside and children else ''}{''.join(children)})"


def by_references(mails: Sequence[Mail]) -> str:
    root = linked(mails)
    pruned(root, is_root=True)
    sort_below(root)
    root.children.sort(key=lambda node: node.key)
    gathered(root)
    sort_below(root)
    root.children.sort(key=lambda node: node.key)
    return "".join(map(written, root.children))


def by_refs(mails: Sequence[Mail]) -> str:
    root = linked(mails)
    pruned(root, is_root=True)
    sort_below(root)
    latest = {
        node: max(below.mail.arrival for below in node.below() if below.mail is not None)
        for node in root.children
    }
    root.children.sort(key=lambda node: (latest[node], node.first().number))
    return "".join(map(written, root.children))


def by_subject(mails: Sequence[Mail]) -> str:
    threads: dict[str, list[Mail]] = {}
    for mail in sorted(mails, key=lambda mail: (mail.sent, mail.number)):
        threads.setdefault(collated(analyse_subject(mail.subject).text), []).append(mail)
    text = ""
    for first, *others in threads.values():
        rest = [f"({other.number + 1})" for other in others]
        text += f"({first.number + 1}{f' {rest[0][1:-1]}' if len(rest) == 1 else ''}"
        text += f" {''.join(rest)})" if len(rest) > 1 else ")"
    return text


names = st.sampled_from([f"{letter}@x" for letter in "abcdefgh"])
mails = st.lists(
    st.tuples(
        st.one_of(names, st.just("")),
        st.lists(names, max_size=5),
        st.sampled_from(["", "tea", "Re: tea", "TEA (fwd)", "milk", "[l] Milk", "re: milk", "Fwd: sugar"]),
        st.integers(0, 9),
        st.integers(0, 9),
    ),
    max_size=14,
).map(lambda rows: [Mail(number, *row) for number, row in enumerate(rows)])


def answered(algorithm: ThreadAlgorithm, mails: Sequence[Mail]) -> str:
    conversations = Conversations(algorithm, most=1000)
    for mail in mails:
        conversations.add(mail.own, mail.ancestors, mail.subject, mail.sent, mail.arrival)
    threads = done(conversations.threads())
    return done(render_threads(threads, range(1, len(mails) + 1))).decode()


@given(mails)
def test_threads_are_those_of_the_rfc(mails: list[Mail]) -> None:
    assert answered(ThreadAlgorithm.REFERENCES, mails) == by_references(mails)
    assert answered(ThreadAlgorithm.REFS, mails) == by_refs(mails)
    assert answered(ThreadAlgorithm.ORDEREDSUBJECT, mails) == by_subject(mails)


def test_long_ways_between_messages_are_given_up() -> None:
    """A chain, and below it pairs that come upside down: each link asks for the way to the root."""
    conversations = Conversations(ThreadAlgorithm.REFS, most=1_000_000)
    long = 8_000
    for number in range(long):
        conversations.add(f"{number}@x", [f"{number - 1}@x"] if number else [], "", 0, 0)

    def tangle() -> None:
        for number in range(long):
            conversations.add(f"low{number}@x", [f"high{number}@x"], "", 0, 0)
            conversations.add(f"high{number}@x", [f"{long - 1}@x"], "", 0, 0)

    with pytest.raises(TooTangled):
        tangle()


@given(st.permutations(range(40)), st.integers(1, 40))
def test_a_chain_is_a_chain_however_it_arrives(order: list[int], depth: int) -> None:
    conversations = Conversations(ThreadAlgorithm.REFERENCES, most=1000)
    for place in order:
        ancestors = [f"{n}@x" for n in range(max(0, place - depth), place)]
        conversations.add(f"{place}@x", ancestors, "", place, 0)
    told = [place + 1 for place in order]
    threads = done(conversations.threads())
    assert done(render_threads(threads, told)).decode() == f"({' '.join(map(str, range(1, 41)))})"
