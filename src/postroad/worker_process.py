"""A worker as a process: its loop, its signals, its life line."""

import asyncio
import os
import signal
import socket
from collections.abc import Sequence
from contextlib import suppress

from postroad.config.certificate import CertificateFiles
from postroad.config.errors import ConfigError
from postroad.config.load import load
from postroad.config.settings import Settings
from postroad.dns.system import SystemResolver
from postroad.net.balance import Way
from postroad.net.clock import SystemClock
from postroad.net.heap import keep_large_pieces_apart
from postroad.net.sockets import BoundListener
from postroad.net.tls import ServerTls
from postroad.obs import multiprocess
from postroad.obs.log import log
from postroad.obs.metrics import LOOP_STALL
from postroad.worker import Worker

try:
    import uvloop
except ImportError:  # a platform without it: asyncio's own loop serves, slower
    uvloop = None  # type: ignore[assignment]  # the name is tested below


def run(
    settings: Settings,
    certificate: CertificateFiles,
    bound: Sequence[BoundListener],
    metrics: Sequence[socket.socket],
    handed: Sequence[Way],
    index: int,
    ready: int,
    lifeline: int,
) -> int:
    """Serve in this process until SIGTERM or until the supervisor is gone; give the exit code.

    One octet is written to `ready` when connections are accepted; `lifeline`
    ends when the supervisor does.
    """
    keep_large_pieces_apart()
    for listener in bound:
        listener.close(but=index)
    factory = uvloop.new_event_loop if uvloop is not None else None
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(_serve(settings, certificate, bound, metrics, handed, index, ready, lifeline))


async def _serve(
    settings: Settings,
    certificate: CertificateFiles,
    bound: Sequence[BoundListener],
    metrics: Sequence[socket.socket],
    handed: Sequence[Way],
    index: int,
    ready: int,
    lifeline: int,
) -> int:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    tls = ServerTls(certificate.certificate, certificate.key, settings.tls.client_ca)
    clock = SystemClock()
    resolver = SystemResolver(settings.dns.servers, settings.dns.timeout, clock, settings.dns.dnssec)
    worker = Worker(settings, clock=clock, tls=tls, resolver=resolver, index=index, handed=handed)
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    loop.add_signal_handler(
        signal.SIGINT, lambda: None
    )  # Ctrl-C reaches all of us; the supervisor passes it on
    loop.add_signal_handler(signal.SIGHUP, lambda: worker.reload(_fresh(settings)))
    fresh = _fresh(settings)
    if fresh is not None and (fresh.limits, fresh.queue) != (settings.limits, settings.queue):
        worker.reload(fresh)  # this worker takes the place of one that had been told to read them
    loop.add_reader(lifeline, stop.set)
    await worker.start([(b.listener, b.sockets[index]) for b in bound])
    LOOP_STALL.set(0.0)  # the first number makes the files of all metrics
    multiprocess.take_room()
    server = None
    if metrics:
        # Only now: most servers have it off, and uvicorn takes a while to import.
        from postroad.web.metrics import MetricsServer

        server = MetricsServer(metrics[index])
        await server.start()
    with suppress(BrokenPipeError):  # the supervisor was killed meanwhile, as the lifeline will tell
        os.write(ready, b"+")
    log.info("worker.ready", worker=index, pid=os.getpid())
    await stop.wait()
    loop.remove_reader(lifeline)
    await worker.stop()
    await resolver.close()
    if server is not None:
        await server.stop()
    log.info("worker.stopped", worker=index)
    return 0


def _fresh(settings: Settings) -> Settings | None:
    """The settings file as it is now; None when there is none, or when it has mistakes."""
    if settings.source is None:
        return None
    try:
        return load(settings.source)
    except ConfigError as error:
        for mistake in error.mistakes:
            log.error("settings.not_reloaded", mistake=str(mistake))
        return None
