"""Postfix from Debian's package, in directories of its own."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from bench.servers.side import LOCAL, RELAYED
from bench.tree import Tree
from tests.interop import postfix_settings
from tests.interop.addresses import free_ports
from tests.interop.processes import Daemon, answers, program, run

# Its own defaults but for the way to Dovecot and what a benchmark from one
# address runs into. Clients of `mynetworks` are not counted by anvil.
_MAIN: Final = """
inet_interfaces = {local}
myhostname = mx.{domain}
mynetworks = 127.0.0.0/8
message_size_limit = 52428800
default_process_limit = 200
virtual_mailbox_limit = 0
virtual_mailbox_domains = {domain}
virtual_mailbox_maps = texthash:{directory}/etc/mailboxes
virtual_alias_maps = inline:{{ {relayed}@{domain}={sink} }}
virtual_transport = lmtp:unix:{lmtp}
transport_maps = inline:{{ {sink_domain}=smtp:[{sink_address}]:25 }}
smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination
"""


def lay_out(directory: Path, *, domain: str, users: Sequence[str], lmtp: Path, sink: str, at: str) -> int:
    """Write its settings; give the port that it will listen at.

    Mail for the alias RELAYED goes to `sink`, whose server is at the address `at`.
    """
    (port,) = free_ports(1)
    for name in ("etc", "queue", "data"):
        (directory / name).mkdir()
    add_users(directory, domain, users)
    main = _MAIN.format(
        directory=directory,
        local=LOCAL,
        domain=domain,
        relayed=RELAYED,
        sink=sink,
        sink_domain=sink.partition("@")[2],
        sink_address=at,
        lmtp=lmtp,
    )
    postfix_settings.write(directory, main, listen=f"{LOCAL}:{port}")
    run("chown", "postfix:postfix", str(directory / "data"))
    return port


def add_users(directory: Path, domain: str, users: Sequence[str]) -> None:
    """Let there be these mailboxes; those of its processes that run do not know of them."""
    with (directory / "etc/mailboxes").open("a") as file:
        file.writelines(f"{user}@{domain} yes\n" for user in users)


def start(directory: Path, port: int, tree: Tree) -> Daemon:
    """Start what was laid out and wait until it answers."""
    command = [*tree.wrapper, program("postfix"), "-c", str(directory / "etc"), "start-fg"]
    daemon = Daemon(command, directory / "start.log")
    daemon.until(lambda: answers(LOCAL, port), "Postfix to answer")
    return daemon


def stop(daemon: Daemon, directory: Path) -> None:
    """Stop it."""
    daemon.stop([program("postfix"), "-c", str(directory / "etc"), "stop"])
