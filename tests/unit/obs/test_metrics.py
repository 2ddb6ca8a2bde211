"""What is counted in memory says the same as what is told at once."""

from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.samples import Sample

from postroad.obs.metrics import Spread

_BOUNDS = (1.0, 2.0, 5.0)


def _samples(histogram: Histogram) -> list[tuple[str, dict[str, str], float]]:
    samples: list[Sample] = [sample for family in histogram.collect() for sample in family.samples]
    return [(s.name, s.labels, s.value) for s in samples if not s.name.endswith("_created")]


def test_a_spread_tells_its_histogram_what_it_has_observed() -> None:
    told, spread_over = (Histogram("h", "h", buckets=_BOUNDS, registry=CollectorRegistry()) for _ in range(2))
    spread = Spread(spread_over, _BOUNDS)
    for value in (0.5, 1.0, 1.5, 5.0, 7.0, 7.0):
        told.observe(value)
        spread.observe(value)
    assert _samples(spread_over) != _samples(told)
    spread.settle()
    assert _samples(spread_over) == _samples(told)
    spread.settle()
    assert _samples(spread_over) == _samples(told)
