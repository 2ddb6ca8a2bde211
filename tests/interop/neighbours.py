"""The other side of an exchange of mail: a name server, and a mail server that is found by it."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Protocol


class Program(Protocol):
    """A real server, as the tests run it."""

    def start(self) -> None: ...

    def stop(self) -> None: ...


class Neighbour(Program, Protocol):
    """A real mail server."""

    def remove(self) -> None: ...


@contextmanager
def started(dns: Program, theirs: Neighbour) -> Iterator[None]:
    """Both run inside; what the mail server had on the disk goes with it."""
    with ExitStack() as cleanup:
        cleanup.callback(theirs.remove)
        dns.start()
        cleanup.callback(dns.stop)
        theirs.start()
        cleanup.callback(theirs.stop)
        yield
