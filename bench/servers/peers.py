"""Postfix in front of Dovecot: one pair of servers, one side for each way of keeping mail."""

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from bench.servers import dovecot, postfix
from bench.servers.side import USERS, Ports, Side
from bench.tree import Tree
from tests.interop.certificates import Certificates

DOMAIN: Final = "theirs.test"
_NAMES: Final = {
    "mdbox": "Postfix + Dovecot mdbox",
    "maildir": "Postfix + Dovecot maildir",
    "synced": "Dovecot mdbox, mail_fsync = always",
}


class Peers:
    """Both servers, laid out and running."""

    def __init__(self, directory: Path, certificates: Certificates, sink: str, sink_address: str) -> None:
        self._directory = directory
        self.tree = Tree("theirs")
        for name in ("dovecot", "postfix"):
            (directory / name).mkdir()
        users = [f"{form}-{user}" for form in dovecot.FORMATS for user in USERS]
        self._ports = dovecot.lay_out(directory / "dovecot", certificates, DOMAIN, USERS)
        self._smtp = postfix.lay_out(
            directory / "postfix",
            domain=DOMAIN,
            users=users,
            lmtp=directory / "dovecot/lmtp",
            sink=sink,
            at=sink_address,
        )

    @property
    def ports(self) -> Ports:
        """Where they listen."""
        return Ports(self._smtp, *self._ports)

    def start(self) -> None:
        """Start both."""
        self._dovecot = dovecot.start(self._directory / "dovecot", self._ports, self.tree)
        self.tree.started(self._dovecot.daemon.pid)
        self._start_postfix()

    def _start_postfix(self) -> None:
        self._postfix = postfix.start(self._directory / "postfix", self._smtp, self.tree)
        self.tree.started(self._postfix.pid)

    def stop(self) -> None:
        """Stop both."""
        postfix.stop(self._postfix, self._directory / "postfix")
        self._dovecot.daemon.stop()

    def killed(self) -> None:
        """Collect both when somebody has killed all their processes; `start` may follow."""
        self._dovecot.daemon.wait()
        self._postfix.wait()

    def restart(self) -> None:
        """Start Dovecot anew; Postfix keeps nothing of a mailbox."""
        self._dovecot.daemon.stop()
        self._dovecot = dovecot.start(self._directory / "dovecot", self._ports, self.tree)
        self.tree.started(self._dovecot.daemon.pid)

    def add_users(self, users: Sequence[str]) -> None:
        """Make more accounts in every format."""
        dovecot.add_users(self._directory / "dovecot", DOMAIN, users)
        names = [f"{form}-{user}" for form in dovecot.FORMATS for user in users]
        postfix.add_users(self._directory / "postfix", DOMAIN, names)
        postfix.stop(self._postfix, self._directory / "postfix")  # a reload takes effect some time later
        self._start_postfix()

    def forget(self, account: str, mailbox: str) -> None:
        """Drop the cache of header fields that Dovecot keeps on disk for a mailbox."""
        home = self._directory / "dovecot/mail" / account
        for cache in home.rglob("dovecot.index.cache"):
            if mailbox in str(cache):
                cache.unlink()


@contextmanager
def peers(certificates: Certificates, sink: str, sink_address: str) -> Iterator[dict[str, Side]]:
    """Run them; a side for each of `dovecot.FORMATS`.

    Their daemons run as users of their own, so the directory is one that anybody may enter.
    """
    directory = Path(tempfile.mkdtemp(prefix="postroad-bench-peers-"))
    directory.chmod(0o755)
    try:
        running = Peers(directory, certificates, sink, sink_address)
        with running.tree:
            running.start()
            try:
                yield {form: _side(running, form, directory, certificates) for form in dovecot.FORMATS}
            finally:
                running.stop()
    finally:
        shutil.rmtree(directory)


def _side(running: Peers, form: str, directory: Path, certificates: Certificates) -> Side:
    return Side(
        name=_NAMES[form],
        domain=DOMAIN,
        prefix=f"{form}-",
        ports=running.ports,
        tree=running.tree,
        certificates=certificates,
        restart=running.restart,
        add_users=running.add_users,
        forget=lambda user, mailbox: running.forget(f"{form}-{user}", mailbox),
        maildirs=directory / "dovecot/mail" if form == "maildir" else None,
    )
