"""`postroad dev`: a whole server to try out, with no settings, rights or DNS."""

import re
import smtplib
import ssl
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from imaplib import IMAP4
from pathlib import Path

from tests.interop.processes import Daemon, until

PROGRAM = Path(sys.executable).with_name("postroad")


@contextmanager
def dev(directory: Path) -> Iterator[Daemon]:
    """Run it in a directory, as someone at a shell prompt there."""
    directory.mkdir()
    started = Daemon([PROGRAM, "dev"], directory / "said", cwd=directory)
    try:
        started.until(lambda: "demo" in started.said(), "the banner")
        yield started
    finally:
        assert started.stop() == 0, started.said()
        assert "Traceback" not in started.said()


def port(said: str, usual: int) -> int:
    """The port in the banner that stands where this one usually does: it, or the next free one."""
    numbers = {int(number) for number in re.findall(r"localhost:(\d+)", said)}
    return min(number for number in numbers if usual <= number < usual + 80)


def use(said: str) -> None:
    """Submit as bob, read as ada."""
    trusting = ssl._create_unverified_context()  # its certificate is its own, made a moment ago
    with smtplib.SMTP("127.0.0.1", port(said, 1587)) as smtp:
        smtp.starttls(context=trusting)
        smtp.login("bob@demo.test", "demo")
        smtp.sendmail("bob@demo.test", ["ada@demo.test"], "From: bob@demo.test\r\nSubject: hi\r\n\r\nHi.\r\n")
    with IMAP4("127.0.0.1", port(said, 1143)) as imap:
        imap.starttls(trusting)
        imap.login("ada@demo.test", "demo")
        until(lambda: imap.select()[1][0] != b"0", "the message")


def test_two_of_them_run_side_by_side(tmp_path: Path) -> None:
    with dev(tmp_path / "one") as one:
        use(one.said())
        with dev(tmp_path / "two") as two:
            assert port(two.said(), 1143) != port(one.said(), 1143)
            use(two.said())
