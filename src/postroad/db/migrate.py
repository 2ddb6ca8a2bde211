"""Schema versions: numbered folders of SQL, each applied in one transaction."""

from importlib import resources
from typing import Final

import apsw

LATEST: Final = 1


class NewerSchema(Exception):
    """The database was written by a newer postroad than this one."""


def migrate(connection: apsw.Connection) -> int:
    """Bring the database to the latest schema; give the version it had.

    Raises:
        NewerSchema: with a sentence for the operator.
    """
    with connection:
        connection.execute("BEGIN IMMEDIATE") if not connection.in_transaction else None
        found = int(connection.pragma("user_version") or 0)
        if found > LATEST:
            raise NewerSchema(
                f"the data directory has schema {found}, this postroad knows schemas up to {LATEST}: "
                "run the newer postroad again, or restore a backup made before the upgrade"
            )
        for version in range(found + 1, LATEST + 1):
            for script in _scripts(version):
                connection.execute(script)
            connection.pragma("user_version", version)
    return found


def _scripts(version: int) -> list[str]:
    folder = resources.files("postroad.db") / "schema" / f"{version:04d}"
    return [file.read_text() for file in sorted(folder.iterdir(), key=lambda f: f.name)]
