"""Change the schema of a data directory, and die in the middle of it.

    python -m tests.upgrades.die up|down DATA N

The Nth write, sync or renaming is the last thing that happens: SIGKILL comes
instead of it. With N = 0 nothing happens to us, and how many there were is printed.
"""

import os
import signal
import sys
from pathlib import Path

from postroad.db.upgrade import take_back, upgrade
from tests.faults.faulty_disk import FaultyDisk, faulty_disk


class DeadlyDisk(FaultyDisk):
    """Kills who writes to it, instead of failing."""

    def __init__(self, last: int) -> None:
        super().__init__()
        self._last = last

    def check(self) -> None:
        self.cuts_short()

    def cuts_short(self) -> bool:
        self.count += 1
        if self.count == self._last:
            os.kill(os.getpid(), signal.SIGKILL)
        return False


def main(way: str, data: Path, last: int) -> None:
    """Do it, or die."""
    with faulty_disk(DeadlyDisk(last)) as disk:
        if way == "up":
            upgrade(data)
        else:
            take_back(data, 1)
        print(disk.count)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
