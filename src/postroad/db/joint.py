"""Work that is done once for all who bring a piece of it to a group of commits."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar

from postroad.db.transaction import JointWork, Transaction, Work

P = TypeVar("P")
T = TypeVar("T")


class Share(NamedTuple):
    """What one brings to a work that is done for many."""

    work: JointWork[Any, Any]
    piece: Any


class Unit(NamedTuple):
    """What is run at once, and who waits for it."""

    work: Callable[..., Any]
    pieces: list[Any]
    """For a joint work; else there are none."""
    waiters: list[asyncio.Future[Any]]


def units_of(jobs: Sequence[tuple[Work[Any] | Share, asyncio.Future[Any]]]) -> list[Unit]:
    """What is to be run, one after the other: each work by itself, a joint one where its first piece is."""
    units: list[Unit] = []
    joint: dict[JointWork[Any, Any], Unit] = {}
    for work, waiter in jobs:
        if not isinstance(work, Share):
            units.append(Unit(work, [], [waiter]))
        elif (unit := joint.get(work.work)) is not None:
            unit.pieces.append(work.piece)
            unit.waiters.append(waiter)
        else:
            unit = joint[work.work] = Unit(work.work, [work.piece], [waiter])
            units.append(unit)
    return units


def one(work: JointWork[P, T], piece: P, tx: Transaction) -> T:
    """Do a joint work for one piece alone."""
    return work(tx, [piece])[0]
