"""Clients that cost little: dialogues as generators, one or many at a time in one process.

A dialogue yields what it wants to say and the reply that it waits for. One
alone is run on a blocking socket, many in one epoll loop. Everything that is
sent is made before the clock starts.
"""

import select
import socket
import ssl
import time
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from bench.replies import Reply, Unexpected

PATIENCE: Final = 120.0
"""Seconds without any progress after which a server counts as hung."""
_PIECE: Final = 64 * 1024
"""Octets to receive at a time; for more, malloc would ask the kernel each time."""


@dataclass(frozen=True, slots=True)
class Ask:
    """Say something and wait for a reply."""

    data: bytes
    reply: Reply


@dataclass(frozen=True, slots=True)
class Open:
    """Connect anew and wait for the greeting."""

    address: tuple[str, int]
    tls: ssl.SSLContext | None
    reply: Reply


Dialogue: TypeAlias = Generator[Ask | Open, None, None]


class Client:
    """One connection, or none yet."""

    def __init__(self) -> None:
        self._socket: socket.socket | None = None
        self._shaking = False
        self._outgoing: memoryview = memoryview(b"")
        self._reply: Reply | None = None

    def close(self) -> None:
        """Hang up."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    @property
    def is_open(self) -> bool:
        """Whether there is a connection."""
        return self._socket is not None

    def fileno(self) -> int:
        """The descriptor of the open connection."""
        return self.socket.fileno()

    @property
    def socket(self) -> socket.socket:
        """The open connection."""
        assert self._socket is not None, "a dialogue begins with Open"
        return self._socket

    def take(self, step: Ask | Open) -> None:
        """Begin a step."""
        self._reply = step.reply
        if isinstance(step, Ask):
            self._outgoing = memoryview(step.data)
            return
        self.close()
        opened = socket.create_connection(step.address, PATIENCE)
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._shaking = step.tls is not None
        if step.tls is not None:
            opened = step.tls.wrap_socket(opened, server_hostname="localhost", do_handshake_on_connect=False)
        self._socket = opened

    def finish(self) -> None:
        """Do the whole step, waiting."""
        opened, reply = self.socket, self._reply
        assert reply is not None
        if self._shaking:
            assert isinstance(opened, ssl.SSLSocket)
            opened.do_handshake()
            self._shaking = False
        if self._outgoing:
            opened.sendall(self._outgoing)
            self._outgoing = memoryview(b"")
        while not reply.feed(_some(opened.recv(_PIECE))):
            pass

    def advance(self) -> int:
        """Do what can be done without waiting; 0 when the step is over, else what to wait for."""
        opened, reply = self.socket, self._reply
        assert reply is not None
        try:
            if self._shaking:
                assert isinstance(opened, ssl.SSLSocket)
                opened.do_handshake()
                self._shaking = False
            while self._outgoing:
                self._outgoing = self._outgoing[opened.send(self._outgoing) :]
            while not reply.feed(_some(opened.recv(_PIECE))):
                pass
        except (BlockingIOError, ssl.SSLWantReadError):
            return select.EPOLLIN | (select.EPOLLOUT if self._outgoing else 0)
        except ssl.SSLWantWriteError:
            return select.EPOLLOUT
        return 0


def _some(piece: bytes) -> bytes:
    if not piece:
        raise Unexpected("the server hung up")
    return piece


def run(clients: Sequence[Client], dialogues: Sequence[Dialogue]) -> None:
    """Run each dialogue to its end over its client's connection.

    Raises:
        Unexpected: a reply was wrong.
    """
    if len(dialogues) == 1:
        _run_one(clients[0], dialogues[0])
    else:
        _run_many(zip(clients, dialogues, strict=True))


def ask(client: Client, *steps: Ask | Open) -> None:
    """Run a few steps on one connection."""
    _run_one(client, (step for step in steps))


def _run_one(client: Client, dialogue: Dialogue) -> None:
    if client.is_open:
        client.socket.settimeout(PATIENCE)
    for step in dialogue:
        client.take(step)
        client.finish()


class _Turn:
    """A dialogue under way, and what the loop watches its connection for."""

    def __init__(self, client: Client, dialogue: Dialogue) -> None:
        self.client = client
        self._dialogue = dialogue
        self._watched = 0

    def go_on(self, epoll: select.epoll) -> bool:
        """Take steps until one has to wait; False once the dialogue is over."""
        for step in self._dialogue:
            self.client.take(step)
            if isinstance(step, Open):
                self.client.socket.setblocking(False)
                self._watched = 0  # closing the old connection took it off the list
            if wanted := self.client.advance():
                self.watch(epoll, wanted)
                return True
        if self._watched:
            epoll.unregister(self.client.fileno())
        return False

    def watch(self, epoll: select.epoll, wanted: int) -> None:
        """Be woken for these events from now on."""
        if not self._watched:
            epoll.register(self.client.fileno(), wanted)
        elif self._watched != wanted:
            epoll.modify(self.client.fileno(), wanted)
        self._watched = wanted


def _run_many(pairs: Iterable[tuple[Client, Dialogue]]) -> None:
    turns: dict[int, _Turn] = {}
    with select.epoll() as epoll:
        for client, dialogue in pairs:
            if client.is_open:
                client.socket.setblocking(False)
            turn = _Turn(client, dialogue)
            if turn.go_on(epoll):
                turns[client.fileno()] = turn
        deadline = time.monotonic() + PATIENCE
        while turns:
            events = epoll.poll(1.0)
            if events:
                deadline = time.monotonic() + PATIENCE
            elif time.monotonic() > deadline:
                raise Unexpected(f"nothing more from {len(turns)} connections")
            for number, _ in events:
                turn = turns[number]
                if wanted := turn.client.advance():
                    turn.watch(epoll, wanted)
                    continue
                del turns[number]
                if turn.go_on(epoll):
                    turns[turn.client.fileno()] = turn
