"""`make bench-curves`: how cost grows, from one of a thing to very many."""

import argparse
import json
import os
import random
import signal
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

from bench import mail, page
from bench.clients import TAG, command, envelope, imap_client, imap_login, imap_open, smtp_client
from bench.dialogue import Ask, Client, Dialogue, ask, run
from bench.fill import fill
from bench.pairs import OURS
from bench.queue import put_off, release
from bench.replies import Codes, Tagged
from bench.sample import Scale, measured
from bench.servers.running import servers
from bench.servers.side import Side
from bench.sink import Sink, running_sink
from bench.work.idle import begin_idle
from bench.work.imap_reading import logins
from bench.work.relay import relaying
from bench.work.smtp import deliver

_KIB: Final = 1024
_NAMES: Final = {OURS: "postroad", "mdbox": "Postfix + Dovecot"}
_RANDOM: Final = 42
_SETTLE: Final = 1.0
_DESTINATION: Final = "away.test"
_DRAIN_SECONDS: Final = 60.0
_IDLE: Final = (100, 250, 500, 1000, 2500, 5000)


@dataclass(slots=True)
class Panel:
    """One set of axes: lines by name, each of points (x, y)."""

    title: str
    x: str
    y: str
    lines: dict[str, list[tuple[float, float]]] = field(default_factory=dict)

    def add(self, line: str, x: float, y: float) -> None:
        """Add a point."""
        self.lines.setdefault(line, []).append((x, y))


@dataclass(slots=True)
class Curve:
    """One picture."""

    name: str
    title: str
    panels: list[Panel]


def _compared(sides: Mapping[str, Side]) -> list[tuple[str, Side]]:
    return [(label, sides[name]) for name, label in _NAMES.items() if name in sides]


def _scaled(scale: Scale, *numbers: int) -> list[int]:
    """Scale the places where a curve is measured; what falls together is measured once."""
    return sorted({scale(number) for number in numbers})


def sessions(sides: Mapping[str, Side], scale: Scale) -> Curve:
    """SMTP in at 1 to 100 sessions at a time."""
    rate = Panel("Messages of 10 KiB, until visible", "sessions", "messages/s")
    cost = Panel("CPU time of the servers", "sessions", "ms/message")
    for number in (1, 2, 5, 10, 20, 50, 100):
        for label, side in _compared(sides):
            count = scale((150 if number < 5 else 500) * (2 if side.store else 1), number)
            done = deliver(side, number, count, 10 * _KIB).sample
            rate.add(label, number, done.count / done.seconds)
            cost.add(label, number, 1000 * done.cpu / done.count)
    return Curve("sessions", "Sessions that send at the same time", [rate, cost])


def mailboxes(sides: Mapping[str, Side], scale: Scale) -> Curve:
    """Mailboxes of 1 to 100,000 messages: what depends on their size, and what should not."""
    panels = {
        b"SELECT": Panel("SELECT", "messages", "ms"),
        b"FETCH": Panel("FETCH 1:* (FLAGS)", "messages", "ms"),
        b"APPEND": Panel("APPEND of 1 KiB", "messages", "ms"),
        b"SEARCH": Panel("SEARCH SUBJECT", "messages", "ms"),
    }
    message = mail.message(0, _KIB)
    append = b"APPEND %%b {%d+}\r\n%b" % (len(message), message.replace(b"%", b"%%"))
    for number in _scaled(scale, 1, 10, 100, 1000, 10_000, 100_000):
        name = f"Size{number}"
        for label, side in _compared(sides):
            fill(side, "large", name, number, _KIB)
            client = imap_client(side, "large")
            for verb, words in (
                (b"SELECT", b"SELECT " + name.encode()),
                (b"FETCH", b"FETCH 1:* (FLAGS)"),
                (b"SEARCH", b"SEARCH SUBJECT rare"),
                (b"APPEND", append % name.encode()),
            ):
                panels[verb].add(label, number, _median_ms(client, words))
            client.close()
    return Curve("mailboxes", "Messages in a mailbox", list(panels.values()))


def _median_ms(client: Client, words: bytes, rounds: int = 7) -> float:
    command(client, words)
    waits = []
    for _ in range(rounds):
        start = time.perf_counter()
        command(client, words)
        waits.append(time.perf_counter() - start)
    return 1000 * statistics.median(waits)


def accounts(sides: Mapping[str, Side], scale: Scale) -> Curve:
    """1 to 10,000 accounts, the load spread over all of them."""
    rate = Panel("Messages of 10 KiB, accepted", "accounts", "messages/s")
    login = Panel("IMAP log in and out", "accounts", "log-ins/s")
    made = 0
    for number in (1, 10, 100, 1000, 10_000):
        for label, side in _compared(sides):
            side.add_users([f"a{n}" for n in range(made, number)])
            chance = random.Random(_RANDOM)
            rate.add(label, number, _spread_mail(side, number, scale(400, 10), chance))
            login.add(label, number, _spread_logins(side, number, scale(200, 10), chance))
        made = number
    return Curve("accounts", "Accounts", [rate, login])


def _spread_mail(side: Side, number: int, count: int, chance: random.Random) -> float:
    clients = [smtp_client(side) for _ in range(10)]

    def dialogue() -> Dialogue:
        for message in mail.messages(count // 10, 10 * _KIB):
            start = envelope(side.address(f"a{chance.randrange(number)}"))
            yield Ask(start, Codes(b"250", b"250", b"354"))
            yield Ask(message + b".\r\n", Codes(b"250"))

    with measured(side.tree, count // 10 * 10) as sample:
        run(clients, [dialogue() for _ in clients])
    for client in clients:
        client.close()
    return sample.count / sample.seconds


def _spread_logins(side: Side, number: int, count: int, chance: random.Random) -> float:
    clients = [Client() for _ in range(4)]

    def dialogue() -> Dialogue:
        for _ in range(count // 4):
            yield imap_open(side)
            yield Ask(imap_login(side, f"a{chance.randrange(number)}"), Tagged(TAG))
            yield Ask(b"t LOGOUT\r\n", Tagged(TAG))

    with measured(side.tree, count // 4 * 4) as sample:
        run(clients, [dialogue() for _ in clients])
    for client in clients:
        client.close()
    return sample.count / sample.seconds


def workers(scale: Scale) -> Curve:
    """1 to 4 workers of ours on the cores that there are."""
    rate = Panel("Messages of 10 KiB, 20 sessions", "workers", "messages/s")
    login = Panel("IMAP log in and out, TLS", "workers", "log-ins/s")
    memory = Panel("Memory when idle", "workers", "MiB")
    for number in (1, 2, 3, 4):
        with servers(None, alone=True, workers=number) as sides:
            side = sides[OURS]
            memory.add("postroad", number, side.tree.memory() / 2**20)
            deliver(side, 20, scale(200, 20), 10 * _KIB)
            done = deliver(side, 20, scale(1500, 20), 10 * _KIB).sample
            rate.add("postroad", number, done.count / done.seconds)
            login.add("postroad", number, logins(10, 400, tls=True)(side, scale).value)
    return Curve("workers", f"Workers, on {os.cpu_count()} cores", [rate, login, memory])


def queue(sides: Mapping[str, Side], sink: Sink, scale: Scale) -> Curve:
    """Fresh mail is relayed while up to 100,000 messages wait for the same place."""
    rate = Panel("Relay of fresh mail, 10 KiB", "messages that wait", "messages/s")
    memory = Panel("Memory of the server", "messages that wait", "MiB")
    side = sides[OURS]
    assert side.store is not None
    measure = relaying(sink)
    measure(side, Scale(0.1))
    waiting = 0
    for number in _scaled(scale, 1, 10, 100, 1000, 10_000, 100_000):
        put_off(side.store, f"far@{_DESTINATION}", number - waiting)
        waiting = number
        rate.add("postroad", number, measure(side, Scale(scale.factor / 2)).value)
        memory.add("postroad", number, side.tree.memory() / 2**20)
    drain = Panel("The queue is let go", "seconds", "messages delivered")
    drain.add("postroad", 0, 0)
    began, before = time.perf_counter(), sink.count
    release(side.store, _DESTINATION)
    while sink.count - before < waiting and time.perf_counter() - began < _DRAIN_SECONDS:
        time.sleep(0.5)
        drain.add("postroad", time.perf_counter() - began, sink.count - before)
    return Curve("queue", "Messages in the queue", [rate, memory, drain])


def idle(sides: Mapping[str, Side], scale: Scale) -> Curve:
    """Memory of up to 5,000 clients in IDLE; of the others up to 500, a process each."""
    panel = Panel("Memory of the servers", "sessions in IDLE", "MiB")
    for tls in (False, True):
        for label, side in _compared(sides):
            side.restart()
            imap_client(side, "idle", tls=tls).close()
            clients: list[Client] = []
            line = f"{label}, {'TLS' if tls else 'plain'}"
            most = 5000 if side.store else 500
            for number in (0, *_scaled(scale, *(n for n in _IDLE if n <= most))):
                while len(clients) < number:
                    client = imap_client(side, f"u{len(clients) % 100}", tls=tls)
                    command(client, b"SELECT INBOX")
                    begin_idle(client)
                    clients.append(client)
                time.sleep(_SETTLE)
                panel.add(line, number, side.tree.memory() / 2**20)
            ask(clients[-1], Ask(b"DONE\r\n", Tagged(TAG)))  # they are still served
            for client in clients:
                client.close()
    return Curve("idle", "Clients that wait for mail", [panel])


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure the curves and draw them."""
    parser = argparse.ArgumentParser(prog="python -m bench.curves", description=__doc__)
    parser.add_argument("--only", action="append", metavar="NAME", help="only this curve")
    parser.add_argument("--scale", type=float, default=1.0, help="how much is done (%(default)s)")
    parser.add_argument("--write", type=Path, metavar="DIRECTORY", help="draw them here, as SVG and JSON")
    options = parser.parse_args(arguments)
    if os.geteuid() != 0:
        print("Postfix and Dovecot change users and need port 25: run this as root.", file=sys.stderr)
        return 77
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    scale = Scale(options.scale)
    with running_sink() as sink, servers(sink) as sides:
        made: dict[str, Callable[[], Curve]] = {
            "sessions": lambda: sessions(sides, scale),
            "mailboxes": lambda: mailboxes(sides, scale),
            "accounts": lambda: accounts(sides, scale),
            "queue": lambda: queue(sides, sink, scale),
            "idle": lambda: idle(sides, scale),
            "workers": lambda: workers(scale),
        }
        for name, measure in made.items():
            if options.only and name not in options.only:
                continue
            print(f"measuring {name}", file=sys.stderr)
            curve = measure()
            text = json.dumps(asdict(curve), indent=1)
            if options.write is None:
                print(text)
                continue
            options.write.mkdir(exist_ok=True)
            (options.write / f"{name}.json").write_text(text + "\n")
    if options.write is not None:
        from bench.plot import draw  # matplotlib is asked for only by those who draw

        draw(options.write)
        how = "" if options.scale == 1 else f' BENCH="--scale {options.scale}"'
        page.replace(
            options.write.with_suffix(".md"),
            "drawn by make bench-curves",
            page.origin(f"make bench-curves{how}"),
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
