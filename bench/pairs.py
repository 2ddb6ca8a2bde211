"""The same load on both in turns, A B A B …: a ratio of neighbours forgives a noisy machine."""

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from bench.clients import imap_client, offers
from bench.sample import Sample, Scale, Target, Work
from bench.servers.side import Side

OURS = "ours"


@dataclass(slots=True)
class Row:
    """What came of one row of the table: a sample of each side for each round."""

    work: Work
    samples: dict[str, list[Sample]] = field(default_factory=dict)
    missing: str = ""
    """Why there is nothing, if there is not."""

    def figure(self, side: str) -> float:
        """The median figure of a side."""
        return statistics.median(sample.value for sample in self.samples[side])

    def cpu_ms(self, side: str) -> float:
        """The median CPU time of a side for each operation."""
        return 1000 * statistics.median(sample.cpu / sample.count for sample in self.samples[side])

    def mebibytes(self, side: str) -> float:
        """The median memory of a side, in MiB."""
        return statistics.median(sample.memory for sample in self.samples[side]) / 2**20

    def own_share(self, side: str) -> float:
        """How much of one core the load generator took beside this side, at the median."""
        return statistics.median(sample.own / sample.seconds for sample in self.samples[side])

    def ratios(self, peer: str) -> list[float]:
        """How many times better ours was, pair by pair."""
        pairs = zip(self.samples[OURS], self.samples[peer], strict=False)
        if self.work.unit.more_is_better:
            return [mine.value / theirs.value for mine, theirs in pairs]
        return [theirs.value / mine.value for mine, theirs in pairs]

    def ratio(self, peer: str) -> float:
        """The median of the ratios."""
        return statistics.median(self.ratios(peer))

    def mox_ratio(self) -> float:
        """How many times better ours is here than mox was elsewhere: a note, not a measurement."""
        assert self.work.mox is not None
        figure = self.figure(OURS)
        return figure / self.work.mox if self.work.unit.more_is_better else self.work.mox / figure

    def peers(self) -> list[str]:
        """The sides that it was compared with."""
        return [side for side in self.samples if side != OURS]

    def reaches(self, target: Target) -> bool:
        """Whether ours is as good as this, against the best of the peers."""
        if self.missing:
            return False
        figure = self.figure(OURS)
        enough = target.times is None or all(self.ratio(peer) >= target.times for peer in self.peers())
        if target.times is not None and self.work.judged_by_mox:
            enough = enough and self.mox_ratio() >= target.times
        little = target.most is None or figure <= target.most
        cheap = target.cpu_ms is None or self.cpu_ms(OURS) <= target.cpu_ms
        return enough and little and cheap


def run_work(
    work: Work, sides: Mapping[str, Side], *, pairs: int, scale: Scale, say: Callable[[str], None]
) -> Row:
    """Do one row: prepare each side, then take turns."""
    row = Row(work)
    names = [OURS, *(name for name in work.against if name in sides)]
    if work.needs and not _offers(sides[OURS], work.needs):
        row.missing = f"postroad does not offer {work.needs.decode()} yet"
        return row
    for name in names:
        say(f"{work.name}: preparing {sides[name].name}")
        work.prepare(sides[name], scale)
    rounds = min(pairs, work.pairs or pairs)
    for turn in range(rounds):
        for name in names:
            say(f"{work.name}: {turn + 1} of {rounds}, {sides[name].name}")
            row.samples.setdefault(name, []).append(work.measure(sides[name], scale))
    return row


def _offers(side: Side, capability: bytes) -> bool:
    client = imap_client(side, "u0")
    found = offers(client, capability)
    client.close()
    return found


def all_samples(rows: Sequence[Row]) -> list[Sample]:
    """Every sample, for what is said about all of them."""
    return [sample for row in rows for samples in row.samples.values() for sample in samples]
