"""postroad, as an operator would run it."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

from bench.servers.side import LOCAL, PASSWORD, RELAYED, USERS, Ports, Side
from bench.tree import Tree
from postroad.db.transaction import Transaction
from postroad.directory import accounts, credentials
from postroad.directory.credentials import LEAST_COST, Hasher
from postroad.store.offline import open_offline
from tests.interop.addresses import free_ports
from tests.interop.certificates import Certificates
from tests.interop.postroad_server import Postroad

DOMAIN: Final = "ours.test"

# Everything comes from one address here, as nothing does in life; the other side hashes a password once, too.
_LIMITS: Final = """
[auth]
scram = "off"

[limits]
connections = 20000
connections_per_address = 20000
unauthenticated_per_address = 20000
connection_rate = 10000000
imap_sessions_per_user = 20000
imap_sessions_per_user_address = 20000
junk_commands = 1000000
"""
_IN_CLEAR: Final = """
[[listener]]
role = "{role}"
address = "{local}:{port}"
tls = "none"
passwords_in_clear = true
"""


@contextmanager
def ours(
    directory: Path, certificates: Certificates, sink: str, resolver: str, workers: int = 2
) -> Iterator[Side]:
    """Run it; what comes for the alias RELAYED goes on to `sink`, an address."""
    imap, pop3 = free_ports(2)
    more = "".join(
        _IN_CLEAR.format(role=role, local=LOCAL, port=port) for role, port in (("imap", imap), ("pop3", pop3))
    )
    with Tree("ours") as tree:
        server = Postroad(
            *(directory, certificates),
            resolver=resolver,
            workers=workers,
            wrapper=tree.wrapper,
            more=more + _LIMITS,
        )

        def restart() -> None:
            server.stop()
            server.start()
            tree.started(server.pid)

        server.start()
        try:
            tree.started(server.pid)
            server.cli("domain", "add", DOMAIN)
            server.cli("alias", "add", f"{RELAYED}@{DOMAIN}", sink)
            add_users(directory / "data", USERS)
            ports = Ports(server.ports.smtp, imap, server.ports.imaps, pop3, server.ports.pop3s)
            side = Side("postroad", DOMAIN, "", ports, tree, certificates, restart)
            data = directory / "data"
            yield replace(side, add_users=partial(add_users, data), store=data)
        finally:
            server.stop()


def add_users(data: Path, users: Iterable[str]) -> None:
    """Make accounts, all with one password, hashed cheaply as it is for the other side."""
    hashed = Hasher(LEAST_COST).hash(PASSWORD)

    def work(tx: Transaction) -> None:
        for user in users:
            accounts.add_account(tx, f"{user}@{DOMAIN}", who="bench")
            credentials.set_password(tx, f"{user}@{DOMAIN}", hashed, who="bench")

    with open_offline(data) as database:
        database.write(work)
