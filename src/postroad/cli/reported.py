"""What reports of other servers about our domains have in common, whatever they report."""

from postroad.db.transaction import Reader, Row
from postroad.directory.domains import domain as find_domain
from postroad.model.counted import counted


def rows_since(reader: Reader, table: str, columns: str, name: str | None, since: float) -> list[Row]:
    """Columns of what came since then, of one domain or of all, by name.

    Raises:
        NoSuchDomain: it is none of ours.
    """
    where, params = "at >= ?", list[str | float]([since])
    if name is not None:
        where += " AND domain = ?"
        params.append(find_domain(reader, name).name)
    sql = f"SELECT {columns} FROM {table} WHERE {where} ORDER BY domain"  # noqa: S608 - constants of callers
    return reader.rows(sql, *params)


def left_out(count: int, what: str) -> str:
    """A sentence about what nobody vouches for, behind the conclusion; nothing where there is none."""
    return f" Reports about {counted(count, what)} are left out: nobody vouches for them." if count else ""
