"""The threads of RFC 5256 §3 and of draft-ietf-morg-inthread §4."""

from array import array
from collections.abc import Iterator, Sequence

from postroad.imap.ordering.forest import Forest, Node, Trees
from postroad.imap.ordering.sliced import SLICE, Sliced, sliced, sort_sliced
from postroad.imap.wire.ordering import ThreadAlgorithm
from postroad.message.collation import collated
from postroad.message.message_id import normal_id
from postroad.message.subject import analyse_subject


class Threads:
    """Roots and children as numbers: a message by its place, a dummy by a number beyond."""

    def __init__(self, roots: list[int], children: dict[int, list[int]], count: int) -> None:
        """There are `count` messages."""
        self.roots = roots
        self.children = children
        self.count = count


class Conversations:
    """Messages that are to be threaded: add them in mailbox order, then ask for the threads."""

    def __init__(self, algorithm: ThreadAlgorithm, most: int) -> None:
        """Look at `most` Message-IDs and no more."""
        self._algorithm = algorithm
        self._forest = Forest(most)
        self._sent = array("q")
        self._arrivals = array("q")
        self._subjects: dict[str, int] = {"": 0}
        self._subject = array("I")
        self._is_reply = bytearray()

    def add(self, own: str, ancestors: Sequence[str], subject: str, sent: int, arrival: int) -> None:
        """Add the next message: its Message-ID, whom it answers, its subject and its two dates.

        Raises:
            TooTangled
        """
        self._sent.append(sent)
        self._arrivals.append(arrival)
        if self._algorithm is not ThreadAlgorithm.ORDEREDSUBJECT:
            self._forest.add(normal_id(own), ancestors)
        if self._algorithm is not ThreadAlgorithm.REFS:
            base = analyse_subject(subject)
            self._subject.append(self._subjects.setdefault(collated(base.text), len(self._subjects)))
            self._is_reply.append(base.is_reply)

    def threads(self) -> Sliced[Threads]:
        """Return the threads, sorted."""
        if self._algorithm is ThreadAlgorithm.ORDEREDSUBJECT:
            return (yield from self._by_subject())
        trees = yield from self._forest.prune()
        threads = yield from self._numbered(trees)
        if self._algorithm is ThreadAlgorithm.REFS:
            yield from self._sort_children(threads)
            yield from self._latest_last(threads)
            return threads
        yield from self._sort_children(threads)
        yield from self._sort_roots(threads)  # step 4
        yield from self._gather_subjects(threads)  # step 5
        yield from self._sort_children(threads)  # step 6
        yield from self._sort_roots(threads)
        return threads

    def _by_subject(self) -> Sliced[Threads]:
        """ORDEREDSUBJECT: who is first of a subject, and below it all others."""
        texts = yield from sort_sliced(list(self._subjects))
        rank = {self._subjects[text]: place for place, text in enumerate(texts)}
        rows: list[tuple[int, int, int]] = []
        for message, (subject, sent) in enumerate(zip(self._subject, self._sent, strict=True)):
            rows.append((rank[subject], sent, message))
            if not message % SLICE:
                yield
        threads = Threads([], {}, len(self._sent))
        last = -1
        for done, (subject, _, message) in enumerate((yield from sort_sliced(rows))):
            if subject != last:
                threads.roots.append(message)
                last = subject
            else:
                threads.children.setdefault(threads.roots[-1], []).append(message)
            if not done % SLICE:
                yield
        yield from self._sort_roots(threads)
        return threads

    def _numbered(self, trees: Trees) -> Sliced[Threads]:
        """The trees with messages by their place."""
        message, count = self._forest.message, len(self._sent)
        renamed = array("i")
        for some in sliced(range(len(message))):
            renamed.extend([message[n] if message[n] >= 0 else count + n for n in some])
            yield
        children: dict[int, list[int]] = {}
        for done, (node, below) in enumerate(trees.children.items()):
            children[renamed[node]] = [renamed[child] for child in below]
            if not done % SLICE:
                yield
        return Threads([renamed[root] for root in trees.roots], children, count)

    def _first(self, threads: Threads, node: Node) -> int:
        """The message itself, or the first child of a dummy."""
        return node if node < threads.count else threads.children[node][0]

    def _sort_children(self, threads: Threads) -> Sliced[None]:
        sent = self._sent
        for done, below in enumerate(threads.children.values()):
            if len(below) > SLICE:
                below[:] = [row[1] for row in (yield from sort_sliced([(sent[n], n) for n in below]))]
            elif len(below) > 1:
                below.sort(key=lambda n: (sent[n], n))
            if not done % SLICE:
                yield

    def _sort_roots(self, threads: Threads) -> Sliced[None]:
        rows: list[tuple[int, int, int]] = []
        for root, first in self._firsts(threads):
            rows.append((self._sent[first], first, root))
            if not len(rows) % SLICE:
                yield
        threads.roots = [row[-1] for row in (yield from sort_sliced(rows))]

    def _firsts(self, threads: Threads) -> Iterator[tuple[Node, int]]:
        return ((root, self._first(threads, root)) for root in threads.roots)

    def _latest_last(self, threads: Threads) -> Sliced[None]:
        """REFS: by the latest arrival in each thread, which replaces step 4."""
        rows: list[tuple[int, int, int]] = []
        for done, (root, first) in enumerate(self._firsts(threads)):
            latest = -1 << 63
            below = [root]
            while below:
                node = below.pop()
                below += threads.children.get(node, ())
                if node < threads.count:
                    latest = max(latest, self._arrivals[node])
            rows.append((latest, first, root))
            if not done % SLICE:
                yield
        threads.roots = [row[-1] for row in (yield from sort_sliced(rows))]

    def _gather_subjects(self, threads: Threads) -> Sliced[None]:
        """Step 5: make one thread of those with the same subject."""
        heads = yield from self._heads(threads)
        next_dummy = threads.count + len(self._forest.message)
        children, count = threads.children, threads.count
        gone: set[int] = set()
        for done, root in enumerate([*threads.roots]):
            if not done % SLICE:
                yield
            subject = self._subject[self._first(threads, root)]
            head = heads.get(subject, root)
            if head == root:
                continue
            gone.add(root)
            if root >= count:
                children[head] += children.pop(root)
            elif head >= count or (self._is_reply[root] and not self._is_reply[head]):
                children.setdefault(head, []).append(root)
            else:
                gone.add(head)
                heads[subject] = next_dummy
                children[next_dummy] = [head, root]
                threads.roots.append(next_dummy)
                next_dummy += 1
        threads.roots = [root for root in threads.roots if root not in gone]

    def _heads(self, threads: Threads) -> Sliced[dict[int, int]]:
        """The subject table (steps 5A and 5B): which root stands for each subject that is not empty."""
        heads: dict[int, int] = {}
        for done, (root, first) in enumerate(self._firsts(threads)):
            subject = self._subject[first]
            head = heads.get(subject) if subject else root
            if head is None:
                heads[subject] = root
            elif head < threads.count and head != root:
                is_better = (
                    self._is_reply[head] and not self._is_reply[first] if root < threads.count else True
                )
                if is_better:
                    heads[subject] = root
            if not done % SLICE:
                yield
        return heads
