"""How the index is opened."""

from pathlib import Path

import apsw

from postroad.db.connect import connect
from postroad.db.offline import prepare_data
from postroad.store.entries import SELECT_RANGE


def test_a_statement_is_compiled_once_whatever_it_is_asked_for(tmp_path: Path) -> None:
    prepare_data(tmp_path)
    connection = connect(tmp_path, writable=False)
    compiled = list[int]()

    def note(action: int, *_: object) -> int:
        compiled.append(action)
        return apsw.SQLITE_OK

    connection.authorizer = note  # SQLite asks it for whatever it compiles
    connection.execute(SELECT_RANGE, (1, 1, 1, 1)).fetchall()
    assert compiled
    compiled.clear()
    for uid in range(2, 5):
        connection.execute(SELECT_RANGE, (1, 1, uid, uid)).fetchall()
    assert compiled == []
    connection.close()
