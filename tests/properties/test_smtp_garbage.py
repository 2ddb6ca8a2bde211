"""Garbage over real sockets: whatever a peer sends, a session ends well (SAFETY C11)."""

import asyncio
import random
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tests.fuzz.fuzz_smtp import make
from tests.unit.smtp.office import Office
from tests.unit.smtp.wire import connected


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_no_dialogue_is_a_bug_of_a_session(seed: int, tmp_path: Path) -> None:
    office = Office(tmp_path)

    async def dialogues() -> None:
        for number in range(40):
            async with connected(office) as client:
                client.send(make(random.Random(f"{seed}.{number}"))[2:])
                await client.finish()

    with capture_logs() as logs:
        asyncio.run(dialogues())
    assert {line["event"] for line in logs} == {"smtp.closed"}
    assert all(spool.closed for spool in office.spools)
