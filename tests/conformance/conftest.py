"""One real server with two workers for all conformance tests."""

import itertools
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.conformance.imap_client import Imap
from tests.conformance.wire import friend
from tests.interop.certificates import make_certificates
from tests.interop.postroad_server import HOST, PASSWORD, Postroad, running

_names = itertools.count(1)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postroad]:
    """postroad as an operator runs it, serving ours.test."""
    directory = tmp_path_factory.mktemp("conformance")
    certificates = make_certificates(directory, HOST, "127.0.0.1", "mx.ours.test")
    with running(Postroad(directory, certificates)) as postroad:
        yield postroad


@pytest.fixture
def connect(server: Postroad) -> Iterator[Callable[..., Imap]]:
    """Opens IMAP connections under TLS, without log-in."""
    with ExitStack() as cleanup:

        def open_connection(source: str = "") -> Imap:
            imap = Imap(server.ports.imaps, tls=server.tls_context(), source=source)
            cleanup.callback(imap.close)
            return imap

        yield open_connection


@pytest.fixture
def log_in(connect: Callable[..., Imap]) -> Callable[[], Imap]:
    """Opens sessions of ada."""
    return lambda: connect(friend()).log_in("ada@ours.test", PASSWORD)


@pytest.fixture
def imap(log_in: Callable[[], Imap]) -> Imap:
    """One session of ada."""
    return log_in()


@pytest.fixture
def box(imap: Imap) -> bytes:
    """The name of a mailbox of ada that is new and empty."""
    name = b"box%d" % next(_names)
    imap.ok(b"CREATE " + name)
    return name


@pytest.fixture
def account(server: Postroad) -> str:
    """The address of an account that nothing has happened to."""
    address = f"user{next(_names)}@ours.test"
    server.add_accounts(address)
    return address
