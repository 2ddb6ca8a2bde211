"""Whose turn it is to be reported to."""

from pathlib import Path
from typing import Literal

import pytest

from postroad.db.transaction import Reader, Transaction
from postroad.delivery.report_mail import AT_ONCE, finished_days
from tests.unit.directory.world import Book


@pytest.mark.parametrize("table", ["tls_result", "dmarc_result"])
def test_domains_that_stay_do_not_stand_before_others(
    tmp_path: Path, table: Literal["tls_result", "dmarc_result"]
) -> None:
    """More of them than go at once: each has its turn, whatever its name, and today has none."""
    book = Book(tmp_path)
    domains = {f"{number:03}.test" for number in range(AT_ONCE + 5)}

    def fill(tx: Transaction) -> None:
        for domain in domains:
            for day in ("2026-01-30", "2026-01-31"):
                tx.run(f"INSERT INTO {table} VALUES (?, ?, '', '', 1)", domain, day)

    def look(reader: Reader) -> list[list[tuple[str, str]]]:
        return [finished_days(reader, table, "2026-01-31") for _ in range(40)]

    book.write(fill)
    turns = book.read(look)
    assert {len(turn) for turn in turns} == {AT_ONCE}
    assert {one for turn in turns for one in turn} == {(domain, "2026-01-30") for domain in domains}
