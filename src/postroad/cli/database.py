"""The database of the server that a command is about, whether it runs or not."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from postroad.cli.here import Here, become_owner, user_name
from postroad.cli.output import Exit, Problem
from postroad.db.connect import DATABASE_NAME
from postroad.db.migrate import OlderSchema
from postroad.db.offline import OfflineDatabase, prepare_data
from postroad.db.transaction import Reader, Work
from postroad.directory import snapshot
from postroad.prepare_start import running_pid
from postroad.store.offline import open_offline

T = TypeVar("T")


@contextmanager
def open_store(here: Here) -> Iterator[OfflineDatabase]:
    """Open the database; as root, become the owner of the data directory first.

    Raises:
        Problem: there is none yet, it may not be read, or an older server is at work on it.
        WrongSchema: it is for another postroad than this one.
    """
    data = here.settings().data
    try:
        become_owner(data)
        if not (data / DATABASE_NAME).exists():
            if here.settings().source is None:
                raise FileNotFoundError(data)
            prepare_data(data)  # a settings file names it: domains may be added before the first start
        with open_offline(data) as database:
            yield database
    except OlderSchema as error:
        if running_pid(data) is None:
            raise
        raise Problem(
            f"{error.facts}, and a server of an older postroad runs on it",
            "restart it with this postroad, which upgrades it",
            status=Exit.CONFIG,
        ) from None
    except FileNotFoundError:
        raise Problem(
            f"{data} holds no mail store yet", f"start the server once: postroad serve --data {data}"
        ) from None
    except PermissionError:
        owner = user_name(data.stat().st_uid)
        raise Problem(f"{user_name()} may not read {data}", f"run this as {owner} or root") from None


def ask(here: Here, question: Callable[[Reader], T]) -> T:
    """Answer one question from the database."""
    with open_store(here) as database:
        return database.read(question)


def change_directory(here: Here, work: Work[T]) -> T:
    """Run a verb of the directory; every worker knows at once, and `directory.json` is up to date."""
    data = here.settings().data
    with open_store(here) as database:
        result = database.write(work)
        database.read(lambda reader: snapshot.save(reader, data))
    return result
