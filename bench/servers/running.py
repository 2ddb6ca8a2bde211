"""All servers of a measurement, started in order and stopped in the opposite one."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from bench.pairs import OURS
from bench.servers.ours import ours
from bench.servers.peers import peers
from bench.servers.side import LOCAL, Side
from bench.sink import Sink
from tests.interop.certificates import make_certificates
from tests.interop.dns_server import DnsServer

_FAR: Final = "far@away.test"
"""Where relayed mail goes: to the sink."""


@contextmanager
def servers(sink: Sink | None, *, alone: bool = False, workers: int = 2) -> Iterator[Mapping[str, Side]]:
    """Run everything that is compared, on certificates and in a DNS of its own."""
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="postroad-bench-")))
        (directory / "ours").mkdir()
        certificates = make_certificates(directory, "localhost")
        resolver = LOCAL
        if sink is not None:
            dns = DnsServer(directory)
            dns.add("away MX 10 mx.away", f"mx.away A {sink.address}")
            dns.start()
            stack.callback(dns.stop)
            resolver = dns.address
        mine = stack.enter_context(ours(directory / "ours", certificates, _FAR, resolver, workers))
        if alone or sink is None:
            yield {OURS: mine}
        else:
            yield {OURS: mine, **stack.enter_context(peers(certificates, _FAR, sink.address))}
