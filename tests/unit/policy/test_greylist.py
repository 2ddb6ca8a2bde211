"""Greylisting over a database: spellings, bounds, what is swept."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from postroad.config.receiving import Receiving
from postroad.db.offline import OfflineDatabase, prepare_data
from postroad.policy import greylist
from postroad.policy.greylist import Triplet, Wait, come, written
from postroad.store.offline import open_offline

SETTINGS = Receiving(greylist_retry=0)  # over as soon as it is noted


@pytest.fixture
def database(tmp_path: Path) -> Iterator[OfflineDatabase]:
    prepare_data(tmp_path / "data")
    with open_offline(tmp_path / "data") as database:
        yield database


def sender(n: int, network: str = "192.0.2.0/24") -> Triplet:
    return Triplet(network, f"eve{n}@elsewhere.test", "ada@ours.test")


@pytest.mark.parametrize(
    ("what", "name"),
    [
        ("192.0.2.77", "192.0.2.0/24"),
        ("192.0.2.0/28", "192.0.2.0/24"),
        ("2001:db8::7", "2001:db8::/64"),
        ("@Example.ORG", "example.org"),
        ("bücher.test", "xn--bcher-kva.test"),
    ],
)
def test_spellings(what: str, name: str) -> None:
    assert written(what) == name


def test_a_network_fills_no_more_than_its_part(
    database: OfflineDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(greylist, "WAITING_NETWORK", 3)
    monkeypatch.setattr(greylist, "WAITING_MOST", 5)
    settings = Receiving()
    for n in range(6):
        assert isinstance(database.write(partial(come, triplet=sender(n), settings=settings)), Wait)
    assert len(database.read(lambda r: greylist.rows(r, 10))) == 3
    for n in range(2):
        there = sender(n, "198.51.100.0/24")
        assert isinstance(database.write(partial(come, triplet=there, settings=settings)), Wait)
    # All places are taken: who is new need not wait, who waits does.
    assert database.write(lambda tx: come(tx, sender(1, "203.0.113.0/24"), settings)) is None
    assert isinstance(database.write(lambda tx: come(tx, sender(0), settings)), Wait)


def test_what_is_over_is_swept(database: OfflineDatabase) -> None:
    for n in range(5):
        database.write(partial(come, triplet=sender(n), settings=SETTINGS))
    assert database.write(lambda tx: greylist.sweep(tx, most=3)) == 3
    assert database.write(greylist.sweep) == 2
    assert database.write(greylist.sweep) == 0
