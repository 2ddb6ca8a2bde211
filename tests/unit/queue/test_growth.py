"""What one message in the queue costs does not grow with what waits beside it."""

from typing import Any

import apsw

from postroad.config.settings import Queue
from postroad.db.transaction import Transaction
from postroad.queue.leases import end_lease, lease, next_for, renew, touch
from postroad.queue.spool import next_due, remove_recipients
from tests.unit.queue.conftest import Desk
from tests.unit.queue.queued import put

WAITING = 2000
MOST_STEPS = 400
"""Instructions of SQLite's machine; a walk over all that waits takes several for each."""


def one_life(tx: Transaction) -> None:
    """A message comes in; another is taken, delivered, and the next one taken."""
    settings = Queue()
    put(tx, "late@there.test")
    (work,) = lease(tx, "w0", settings=settings, room=1, working=[])
    renew(tx, [work.lease_id])
    remove_recipients(tx, work.item, [0])
    end_lease(tx, work.lease_id)
    touch(tx, work.destination, settings)
    assert next_for(tx, "w0", "there.test", [work.lease_id], settings, ailing=False)
    next_due(tx)


def test_no_statement_walks_over_what_waits(desk: Desk) -> None:
    steps: dict[str, int] = {}

    def note(event: dict[str, Any]) -> None:
        steps[event["sql"]] = max(
            steps.get(event["sql"], 0), event["stmt_status"]["SQLITE_STMTSTATUS_VM_STEP"]
        )

    def traced(tx: Transaction) -> None:
        tx._connection.trace_v2(apsw.SQLITE_TRACE_PROFILE, note)
        one_life(tx)
        tx._connection.trace_v2(0)

    desk.do(lambda tx: [put(tx, f"r{n}@there.test") for n in range(WAITING)])
    desk.now += 1
    desk.do(traced)
    assert len(steps) > 15
    assert {sql: count for sql, count in steps.items() if count > MOST_STEPS} == {}
