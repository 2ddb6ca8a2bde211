"""Binding listening sockets: one per worker, so that the kernel spreads connections."""

import errno
import os
import socket
import stat
from dataclasses import dataclass
from typing import Final

from postroad.config.settings import Listener

BACKLOG: Final = 1024
PORTS_TRIED: Final = 100
KEEPALIVE_IDLE: Final = 300
"""Seconds of silence after which the system asks whether a peer is still there."""
KEEPALIVE_EVERY: Final = 30
"""Seconds for each answer, of which so many may be missing:"""
KEEPALIVE_COUNT: Final = 6


class CannotListen(Exception):
    """An address cannot be listened on; the message says which and why."""


@dataclass(frozen=True, slots=True)
class BoundListener:
    """A listener with the port that it really has, and a socket for each worker."""

    listener: Listener
    host: str
    port: int
    sockets: tuple[socket.socket, ...]

    @property
    def moved(self) -> bool:
        """Whether another port than the configured one had to be taken."""
        return self.listener.port not in (0, self.port)

    def close(self, *, but: int = -1) -> None:
        """Accept nothing more in this process; a worker keeps the one of its own number.

        A socket that another process has still open goes on listening, with nobody to
        accept: who connects waits, and no other server can have the port.
        """
        for index, opened in enumerate(self.sockets):
            if index != but:
                opened.close()


def bind(listener: Listener, workers: int, *, seek: bool = False) -> BoundListener:
    """Bind `workers` sockets to one address; with `seek` a taken port gives way to the next free one.

    Raises:
        CannotListen: with a sentence for the operator.
    """
    if listener.is_unix:
        return _bind_unix(listener, workers)
    port = listener.port
    for candidate in range(port, port + (PORTS_TRIED if seek and port else 1)):
        try:
            sockets = open_sockets(listener.host, candidate, workers)
        except OSError as error:
            if error.errno != errno.EADDRINUSE or not seek:
                where = f"{listener.role} on {listener.address}"
                raise CannotListen(f"{where}: {explain(error)}") from error
        else:
            return BoundListener(listener, listener.host, sockets[0].getsockname()[1], sockets)
    raise CannotListen(f"no free port from {port} on for {listener.role}")


def _bind_unix(listener: Listener, workers: int) -> BoundListener:
    """Listen at a path; all workers accept from one socket. Who may reach it is for its directory to say."""
    path = listener.host
    opened = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    try:
        if _is_left_over(path):
            os.unlink(path)
        opened.setblocking(False)
        opened.bind(path)
        os.chmod(path, 0o666)  # noqa: S103 - as a port of loopback is open to all of the machine
        opened.listen(BACKLOG)
    except OSError as error:
        opened.close()
        raise CannotListen(f"{listener.role} on {listener.address}: {explain(error)}") from error
    sockets = (opened, *(opened.dup() for _ in range(workers - 1)))
    return BoundListener(listener, path, 0, sockets)


def _is_left_over(path: str) -> bool:
    """Whether a socket is there that nobody listens at any more."""
    try:
        if not stat.S_ISSOCK(os.stat(path).st_mode):
            return False
    except FileNotFoundError:
        return False
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            return True
    return False


def open_sockets(host: str, port: int, workers: int) -> tuple[socket.socket, ...]:
    """Listen once for each worker at the same address; port 0 lets the system choose one for all.

    Raises:
        OSError: with the reason of the system.
    """
    first = _open(host, port, alone=True)
    port = first.getsockname()[1]
    sockets = [first]
    try:
        sockets += [_open(host, port, alone=False) for _ in range(workers - 1)]
        for opened in sockets:
            opened.listen(BACKLOG)
    except OSError:
        for opened in sockets:
            opened.close()
        raise
    return tuple(sockets)


def _open(host: str, port: int, *, alone: bool) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    if alone and port:
        # SO_REUSEPORT lets two servers of one user share a port without a word: look first.
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    # Named, TCP is what asyncio looks for before it turns Nagle's delay off for what is accepted here.
    opened = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_CLOEXEC, socket.IPPROTO_TCP)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if family == socket.AF_INET6:
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        opened.setblocking(False)
        _notice_who_vanishes(opened)
        opened.bind((host, port))
    except OSError:
        opened.close()
        raise
    return opened


def _notice_who_vanishes(listening: socket.socket) -> None:
    """Let what is accepted here end when its peer is gone without a word; accepted sockets inherit this.

    A phone that has lost its network would else keep its IMAP sessions for 30
    minutes, and its maildrop locked for ten (RFC 1122 §4.2.3.6: an option, off unless asked for).
    """
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, KEEPALIVE_IDLE)
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, KEEPALIVE_EVERY)
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, KEEPALIVE_COUNT)
    # Nobody is asked while something we have sent waits to be confirmed: that has the same time (tcp(7), ms).
    patience = KEEPALIVE_IDLE + KEEPALIVE_EVERY * KEEPALIVE_COUNT
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, patience * 1000)


def explain(error: OSError) -> str:
    """Say in words why an address cannot be listened on."""
    match error.errno:
        case errno.EADDRINUSE:
            return "another program listens there already"
        case errno.EACCES:
            return "ports below 1024 need root or CAP_NET_BIND_SERVICE"
        case errno.EADDRNOTAVAIL:
            return "this machine has no such address"
        case _:
            return os.strerror(error.errno or 0)


def inherited() -> list[socket.socket]:
    """Sockets that systemd opened for us (sd_listen_fds(3)); each is used by all workers."""
    if os.environ.get("LISTEN_PID") != str(os.getpid()):
        return []
    count = int(os.environ.get("LISTEN_FDS", "0"))
    opened = [socket.socket(fileno=fd) for fd in range(3, 3 + count)]
    for one in opened:
        one.setblocking(False)
        if one.family != socket.AF_UNIX:
            _notice_who_vanishes(one)
        os.set_inheritable(one.fileno(), False)
    return opened


def adopt(listener: Listener, opened: list[socket.socket], workers: int) -> BoundListener | None:
    """Find the inherited socket of a listener by its port."""
    for one in opened:
        name = one.getsockname()
        host, port = (name, 0) if one.family == socket.AF_UNIX else name[:2]
        if (host == listener.host) if listener.is_unix else (host != name and port == listener.port):
            return BoundListener(listener, host, port, tuple(one.dup() for _ in range(workers)))
    return None
