"""Real processes: `postroad serve` with two workers, and a certificate for it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TypeAlias

import pytest

from postroad.db.offline import prepare_data
from postroad.directory.accounts import add_account
from postroad.directory.credentials import LEAST_COST, Hasher, set_password
from postroad.directory.domains import add_domain
from postroad.store.offline import open_offline
from tests.faults.server import Server
from tests.interop.certificates import Certificates, make_certificates
from tests.interop.postroad_server import PASSWORD

Start: TypeAlias = Callable[..., Server]


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """One certificate for all servers here."""
    return make_certificates(tmp_path_factory.mktemp("certificates"), "localhost", "127.0.0.1")


@pytest.fixture
def start(tmp_path: Path, certificates: Certificates) -> Iterator[Start]:
    """Start a server; it is killed at the end if the test has not ended it."""
    with ExitStack() as cleanup:

        def started(directory: Path = tmp_path, more: str = "", wrapper: Sequence[str] = ()) -> Server:
            server = Server(directory, certificates, more=more, wrapper=wrapper)
            if not (directory / "data").exists():
                people(directory / "data", "ada@ours.test", "bob@ours.test")
            server.start()
            cleanup.callback(end, server)
            return server

        yield started


def people(data: Path, *addresses: str) -> None:
    """Make accounts before the first start, with passwords that are cheap to check."""
    prepare_data(data)
    hashed = Hasher(LEAST_COST).hash(PASSWORD)
    with open_offline(data) as database:
        database.write(lambda tx: add_domain(tx, "ours.test", who="test"))
        for address in addresses:
            database.write(partial(add_account, address=address, who="test"))
            database.write(partial(set_password, address=address, hashed=hashed, who="test"))


def end(server: Server) -> None:
    """Kill what is left of it."""
    if server.running:
        server.strike()
        server.wait_until_gone()
