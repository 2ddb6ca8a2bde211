"""Schema versions: numbered folders of SQL, each applied, and taken back, in one transaction.

    schema/0002/kept.sql             what version 2 adds to version 1
    schema/0002/down/kept.sql        how to take that back without losing mail
    schema/0002/down/kept.lost.sql   what version 1 cannot hold: rows of (what, how many)

From version 2 on every script has its way back beside it.
"""

from importlib import resources
from importlib.resources.abc import Traversable
from typing import Final

import apsw

LATEST: Final = 3
FIRST: Final = 1


class WrongSchema(Exception):
    """This postroad cannot work with the database as it is."""


class NewerSchema(WrongSchema):
    """The database was written by a newer postroad than this one."""


class OlderSchema(WrongSchema):
    """The database has yet to be upgraded; `facts` is that without the advice."""

    def __init__(self, found: int) -> None:
        self.facts = f"the data directory has schema {found}, this postroad works with schema {LATEST}"
        super().__init__(
            f"{self.facts}: starting the server with this postroad upgrades it, "
            "and so does postroad store upgrade"
        )


def schema_of(connection: apsw.Connection) -> int:
    """The version that the database has; 0 when there is nothing in it yet."""
    return int(connection.pragma("user_version") or 0)


def expect_latest(connection: apsw.Connection) -> None:
    """Make sure that this program may work with the database; tools upgrade nothing by the way.

    Raises:
        NewerSchema, OlderSchema: with a sentence for the operator.
    """
    found = schema_of(connection)
    refuse_newer(found)
    if found < LATEST:
        raise OlderSchema(found)


def refuse_newer(found: int) -> None:
    """Raise NewerSchema for a version that this program does not know."""
    if found > LATEST:
        raise NewerSchema(
            f"the data directory has schema {found}, this postroad knows schemas up to {LATEST}: "
            "run the newer postroad again, or let it go back first with postroad store downgrade"
        )


def migrate(connection: apsw.Connection) -> int:
    """Bring the database to the latest schema; give the version it had.

    Raises:
        NewerSchema: with a sentence for the operator.
    """
    with connection:
        connection.execute("BEGIN IMMEDIATE") if not connection.in_transaction else None
        found = schema_of(connection)
        refuse_newer(found)
        for version in range(found + 1, LATEST + 1):
            for script in _scripts(_folder(version)):
                connection.execute(script.read_text())
            connection.pragma("user_version", version)
    return found


def go_back(connection: apsw.Connection, version: int) -> None:
    """Take the database back to an earlier version, in one transaction.

    Raises:
        WrongSchema: it does not lie between the first version and the one the database has.
    """
    with connection:
        found = schema_of(connection)
        check_way_back(found, version)
        for leaving in range(found, version, -1):
            for script in reversed(_scripts(_folder(leaving) / "down")):
                connection.execute(script.read_text())
            connection.pragma("user_version", leaving - 1)


def check_way_back(found: int, version: int) -> None:
    """Raise WrongSchema unless `version` is an earlier one than `found`."""
    refuse_newer(found)
    if not FIRST <= version < found:
        raise WrongSchema(
            f"the data directory has schema {found}: there is no way back to {version}"
            if found > FIRST
            else f"the data directory has schema {FIRST}: there was none before it"
        )


def losses(connection: apsw.Connection, version: int) -> list[tuple[str, int]]:
    """What an earlier version cannot hold, in words, and how much of it there is.

    Raises:
        WrongSchema: see `go_back`.
    """
    found = schema_of(connection)
    check_way_back(found, version)
    lost: list[tuple[str, int]] = []
    for leaving in range(found, version, -1):
        for question in _files(_folder(leaving) / "down", ".lost.sql"):
            lost += [(what, count) for what, count in connection.execute(question.read_text()) if count]
    return lost


def _folder(version: int) -> Traversable:
    return resources.files("postroad.db") / "schema" / f"{version:04d}"


def _scripts(folder: Traversable) -> list[Traversable]:
    return [file for file in _files(folder, ".sql") if not file.name.endswith(".lost.sql")]


def _files(folder: Traversable, ending: str) -> list[Traversable]:
    return sorted((f for f in folder.iterdir() if f.name.endswith(ending)), key=lambda file: file.name)
