"""`make bench` and `make bench-peers`: measure postroad, alone or in turns with Postfix and Dovecot."""

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from fnmatch import fnmatch
from pathlib import Path

from rich.console import Console

from bench import page, report
from bench.pairs import Row, run_work
from bench.sample import Scale, Work
from bench.servers.running import servers
from bench.sink import Sink, running_sink
from bench.work import idle, imap_reading, imap_writing, pop3, relay, smtp


def all_works(sink: Sink | None) -> list[Work]:
    """Every row of the table, in its order; without a sink nothing is relayed."""
    return [
        *smtp.works(),
        *(relay.works(sink) if sink is not None else ()),
        *imap_reading.works(),
        *imap_writing.works(),
        *pop3.works(),
        *idle.works(),
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what was asked for and print the table."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--alone", action="store_true", help="measure postroad alone")
    parser.add_argument("--only", action="append", metavar="NAME", help="only this row; may have * in it")
    parser.add_argument("--pairs", type=int, default=5, help="turns of each (%(default)s)")
    parser.add_argument("--scale", type=float, default=1.0, help="how much is done (%(default)s)")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put the table into docs/performance.md")
    parser.add_argument("--list", action="store_true", help="list the rows and end")
    options = parser.parse_args(arguments)
    if os.geteuid() != 0 and not options.alone:
        print("Postfix and Dovecot change users and need port 25: run this as root.", file=sys.stderr)
        return 77
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is stopped
    console = Console(width=180 if not sys.stdout.isatty() else None)
    with running_sink() if os.geteuid() == 0 else nullcontext() as sink:
        chosen = [
            work
            for work in all_works(sink)
            if not options.only or any(fnmatch(work.name, glob) for glob in options.only)
        ]
        if options.list:
            for work in chosen:
                print(f"{work.name:24} {work.title}")
            return 0
        with servers(sink, alone=options.alone) as sides:
            rows: list[Row] = []
            for work in chosen:
                row = run_work(
                    work,
                    sides,
                    pairs=options.pairs,
                    scale=Scale(options.scale),
                    say=lambda text: print(text, file=sys.stderr),
                )
                rows.append(row)
                console.print(report.terminal([row]))
    if options.write is not None:
        how = "" if options.scale == 1 else f' BENCH="--scale {options.scale}"'
        page.write(options.write, rows, f"make bench-peers{how}")
    if len(rows) > 1:
        console.print(report.terminal(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
