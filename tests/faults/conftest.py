"""Real processes: `postroad serve` with two workers, and a certificate for it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TypeAlias

import pytest

from tests.faults.server import Server
from tests.interop.certificates import Certificates, make_certificates

Start: TypeAlias = Callable[..., Server]


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """One certificate for all servers here."""
    return make_certificates(tmp_path_factory.mktemp("certificates"), "localhost", "127.0.0.1")


@pytest.fixture
def start(tmp_path: Path, certificates: Certificates) -> Iterator[Start]:
    """Start a server; it is killed at the end if the test has not ended it."""
    with ExitStack() as cleanup:

        def started(directory: Path = tmp_path, more: str = "") -> Server:
            server = Server(directory, certificates, more=more)
            server.start()
            cleanup.callback(end, server)
            server.cli("domain", "add", "ours.test")
            server.add_accounts("ada@ours.test", "bob@ours.test")
            return server

        yield started


def end(server: Server) -> None:
    """Kill what is left of it."""
    if server.running:
        server.strike()
        server.wait_until_gone()
