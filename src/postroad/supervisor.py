"""The process that starts, watches and stops the workers.

It binds every socket, gives up root, makes the data directory ready and then
only waits for signals. It has one thread and no event loop, so that a fork is
safe at any time, and the sockets stay open in it while a worker is replaced:
connections that arrive in between wait in the kernel.
"""

import gc
import os
import signal
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from postroad.config.settings import Settings, split_address
from postroad.db.ballast import Ballast
from postroad.dns.servers import believed
from postroad.net.balance import ways_between
from postroad.net.sockets import BoundListener, CannotListen, adopt, bind, explain, inherited, open_sockets
from postroad.obs import multiprocess
from postroad.obs.log import configure, log
from postroad.obs.notify import notify
from postroad.prepare_start import Instance, become, prepare
from postroad.worker_process import run as worker_process

GRACE_SECONDS: Final = 9.5
"""From SIGTERM until workers are killed that have not ended: they cut their sessions off before that."""
BACKOFF_MOST: Final = 30.0
_HEALTHY_AFTER: Final = 10.0
_SIGNALS: Final = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD}


@dataclass(slots=True)
class _Slot:
    """One worker's place: the process in it, if any, and when to try again."""

    index: int
    pid: int = 0
    started: float = 0.0
    failures: int = 0
    retry_at: float = 0.0


@dataclass(slots=True)
class Supervisor:
    """Runs the workers of one data directory until told to stop."""

    settings: Settings
    bound: Sequence[BoundListener]
    run_worker: Callable[[int, int, int], int]
    """Called in the child with its index, the ready pipe and the lifeline; gives the exit code."""
    announce: Callable[[Sequence[BoundListener]], None] | None = None
    slots: list[_Slot] = field(default_factory=list)
    _stopping: bool = False
    _pipes: tuple[int, int, int, int] = (-1, -1, -1, -1)

    def run(self) -> int:
        """Start everything, wait for signals, stop everything; give the exit code."""
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
        ready, self_ready = os.pipe()
        lifeline, hold = os.pipe()
        self._pipes = (ready, self_ready, lifeline, hold)
        self.slots = [_Slot(index) for index in range(self.settings.worker_count)]
        for slot in self.slots:
            self._start(slot)
        code = self._wait_until_ready(ready) if all(slot.pid for slot in self.slots) else 1
        if code is not None:
            self._stop()
            return code
        notify("READY=1", f"STATUS={len(self.slots)} workers serve")
        if self.announce is not None:
            self.announce(self.bound)
        while True:
            match self._wait():
                case signal.SIGTERM | signal.SIGINT:
                    notify("STOPPING=1")
                    self._stop()
                    return 0
                case signal.SIGHUP:
                    notify("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")
                    self._tell(signal.SIGHUP)
                    notify("READY=1")
                case _:
                    self._reap()

    def _start(self, slot: _Slot) -> None:
        slot.started = time.monotonic()
        try:
            slot.pid = os.fork()
        except OSError as error:  # no memory or too many processes; the other workers go on
            slot.failures += 1
            slot.retry_at = time.monotonic() + self._wait_after(slot.failures)
            log.error("supervisor.not_started", worker=slot.index, error=str(error))
            return
        if slot.pid:
            log.info("supervisor.started", worker=slot.index, pid=slot.pid)
            return
        code = 70
        try:
            ready, self_ready, lifeline, hold = self._pipes
            os.close(ready)
            os.close(hold)  # only the supervisor holds it: its end is how a worker learns that we are gone
            signal.signal(signal.SIGHUP, signal.SIG_IGN)  # until the worker listens to it, it must not end it
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
            code = self.run_worker(slot.index, self_ready, lifeline)
        except BaseException as error:
            log.exception("worker.failed", worker=slot.index, error=repr(error))
        finally:
            os._exit(code)

    def _wait_until_ready(self, ready: int) -> int | None:
        """Each worker writes one octet once it accepts connections.

        Gives the exit code where there is no more to wait for: 0 when told to stop, 1 when one has ended.
        """
        waiting = len(self.slots)
        os.set_blocking(ready, False)
        while waiting:
            try:
                waiting -= len(os.read(ready, waiting))
            except BlockingIOError:
                pass
            if not waiting:
                return None
            match signal.sigtimedwait(_SIGNALS, 0.02):
                case None:
                    continue
                case caught if caught.si_signo == signal.SIGCHLD:
                    if self._reap(restart=False):
                        return 1  # what fails at the start would fail again
                case caught if caught.si_signo != signal.SIGHUP:
                    notify("STOPPING=1")
                    return 0
        return None

    def _wait(self) -> int:
        """The next signal; SIGCHLD also when a worker is due to be tried again."""
        due = [slot.retry_at for slot in self.slots if not slot.pid]
        if not due:
            return signal.sigwaitinfo(_SIGNALS).si_signo
        caught = signal.sigtimedwait(_SIGNALS, max(0.0, min(due) - time.monotonic()))
        return signal.SIGCHLD if caught is None else caught.si_signo

    def _reap(self, *, restart: bool = True) -> bool:
        """Collect workers that ended and fill empty places; tell whether any had ended."""
        ended = False
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                break
            if not pid:
                break
            ended = True
            multiprocess.forget(pid)
            for slot in self.slots:
                if slot.pid == pid:
                    self._vacate(slot, os.waitstatus_to_exitcode(status))
        now = time.monotonic()
        for slot in self.slots:
            if restart and not slot.pid and slot.retry_at <= now:
                self._start(slot)
        return ended

    def _vacate(self, slot: _Slot, code: int) -> None:
        if self._stopping:
            slot.pid = 0
            return
        lived = time.monotonic() - slot.started
        slot.failures = 0 if lived > _HEALTHY_AFTER else slot.failures + 1
        # The first time at once: one crash must cost nobody a connection.
        wait = self._wait_after(slot.failures) if slot.failures > 1 else 0.0
        log.error("supervisor.worker_ended", worker=slot.index, pid=slot.pid, code=code, again_in=wait)
        slot.pid = 0
        slot.retry_at = time.monotonic() + wait

    @staticmethod
    def _wait_after(failures: int) -> float:
        return min(BACKOFF_MOST, 0.25 * 2.0 ** min(failures, 10))

    def _tell(self, number: int) -> None:
        for slot in self.slots:
            if slot.pid:
                os.kill(slot.pid, number)

    def _stop(self) -> None:
        self._stopping = True
        for listener in self.bound:
            listener.close()
        self._tell(signal.SIGTERM)
        deadline = time.monotonic() + GRACE_SECONDS
        while any(slot.pid for slot in self.slots):
            left = deadline - time.monotonic()
            if left <= 0:
                self._tell(signal.SIGKILL)
                deadline += 5.0
            signal.sigtimedwait({signal.SIGCHLD}, max(0.05, min(left, 1.0)))
            self._reap(restart=False)


def run(
    settings: Settings,
    *,
    announce: Callable[[Sequence[BoundListener]], None] | None = None,
    seek_ports: bool = False,
    before_start: Callable[[Settings], None] | None = None,
    tell: Callable[[str], None] = lambda _sentence: None,
) -> int:
    """Serve until SIGTERM or SIGINT; give the exit code.

    `before_start` runs when the data directory is ready and no worker is yet
    (demo accounts of `postroad dev`). `tell` is told what had to be mended.

    Raises:
        ConfigError, CannotListen, CannotMend, NewerSchema, AlreadyRunning: before anything was started.
    """
    configure(settings.log.level, settings.log.format)
    os.umask(0o077)
    settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    opened = inherited()
    count = settings.worker_count
    bound = [
        adopt(listener, opened, count) or bind(listener, count, seek=seek_ports)
        for listener in settings.listeners
    ]
    if settings.user:
        become(settings.user, settings.data)
    elif os.geteuid() == 0 and settings.source is not None:  # whoever only tries it out need not be told
        log.warning("supervisor.root", advice="set `user` in the settings file; workers should not be root")
    Ballast(settings.data).drop_if_scant()
    with Instance(settings.data) as instance:
        certificate = prepare(settings, was_killed=instance.was_killed, tell=tell)
        if before_start is not None:
            before_start(settings)

        def run_worker(index: int, ready: int, lifeline: int) -> int:
            return worker_process(settings, certificate, bound, metrics, handed, index, ready, lifeline)

        metrics = _metrics_sockets(settings)
        handed = ways_between(count)
        _load_what_is_on(settings)
        # What is loaded now stays shared with the workers. The command line has had nothing looked through
        # for rubbish until here: of 65,000 objects it is 230, and to find them takes a twentieth of a start.
        gc.freeze()
        gc.enable()
        try:
            return Supervisor(settings, bound, run_worker, announce).run()
        finally:
            multiprocess.end()


def _load_what_is_on(settings: Settings) -> None:
    """Import what most servers do without: before the workers are forked it is paid and held once."""
    if settings.metrics.address:
        import postroad.web.metrics
    if settings.openid.configured:
        import postroad.directory.tokens
    if believed(settings.dns.servers, settings.dns.dnssec) is not None:
        import postroad.dns.validating  # noqa: F401


def _metrics_sockets(settings: Settings) -> Sequence[socket.socket]:
    if not settings.metrics.address:
        return ()
    host, port = split_address(settings.metrics.address)
    try:
        return open_sockets(host, port, settings.worker_count)
    except OSError as error:
        raise CannotListen(f"metrics on {settings.metrics.address}: {explain(error)}") from error
