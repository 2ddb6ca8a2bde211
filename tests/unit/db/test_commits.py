"""What has been answered holds until somebody commits something, in whichever process."""

import subprocess
import sys
from pathlib import Path

import pytest

from postroad.db.commits import Answers
from postroad.db.connect import connect
from postroad.db.database import Database
from postroad.db.offline import prepare_data
from tests.unit.db.test_group import play

_COUNT = "SELECT count(*) FROM domain"
_ADD = "INSERT INTO domain (name, created) VALUES ('a.test', 0)"
_ELSEWHERE = (
    "import sys, pathlib; from postroad.db.connect import connect;"
    f"connect(pathlib.Path(sys.argv[1]), writable=True).execute({_ADD!r})"
)


def test_a_commit_of_another_process_ends_what_was_answered(tmp_path: Path) -> None:
    async def work(database: Database) -> None:
        assert database.row(_COUNT) == (0,)
        subprocess.run([sys.executable, "-c", _ELSEWHERE, str(tmp_path)], check=True)
        assert database.row(_COUNT) == (1,)

    play(tmp_path, work)


def test_a_commit_of_ones_own_ends_it_as_well(tmp_path: Path) -> None:
    async def work(database: Database) -> None:
        assert database.row(_COUNT) == (0,)
        await database.write(lambda tx: tx.run(_ADD))
        assert database.row(_COUNT) == (1,)

    play(tmp_path, work)


def test_what_is_not_committed_is_nobodys_business(tmp_path: Path) -> None:
    prepare_data(tmp_path)
    writer = connect(tmp_path, writable=True)
    answers = Answers(tmp_path)
    answers.now()["a question"] = "an answer"
    writer.execute("BEGIN IMMEDIATE")
    writer.execute(_ADD)
    assert answers.now() == {"a question": "an answer"}
    writer.execute("ROLLBACK")
    assert answers.now() == {"a question": "an answer"}
    writer.execute(_ADD)
    assert answers.now() == {}
    answers.close()
    writer.close()


@pytest.mark.parametrize("mode", ["PASSIVE", "TRUNCATE"])
def test_a_checkpoint_leads_to_no_wrong_answer(tmp_path: Path, mode: str) -> None:
    prepare_data(tmp_path)
    writer, reader = connect(tmp_path, writable=True), connect(tmp_path, writable=False)
    reader.execute(_COUNT).fetchone()
    answers = Answers(tmp_path)
    for count in range(3):
        answers.now()["a question"] = count
        writer.execute(_ADD.replace("a.test", f"a{count}.test"))
        assert answers.now() == {}
        writer.pragma(f"wal_checkpoint({mode})")
    answers.close()
    reader.close()
    writer.close()


def test_a_question_is_asked_once(tmp_path: Path) -> None:
    async def work(database: Database) -> None:
        first = database.row("SELECT name FROM domain UNION SELECT 'some words' LIMIT 1")
        assert database.row("SELECT name FROM domain UNION SELECT 'some words' LIMIT 1") is first

    play(tmp_path, work)


def test_where_the_memory_is_not_found_nothing_is_remembered(tmp_path: Path) -> None:
    answers = Answers(tmp_path)  # nobody has opened an index there
    answers.now()["a question"] = "an answer"
    assert answers.now() == {}
