"""Dovecot from Debian's packages, in directories of its own."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.servers.side import LOCAL, PASSWORD
from bench.tree import Tree
from tests.interop.addresses import free_ports
from tests.interop.certificates import Certificates
from tests.interop.processes import Daemon, answers, program

OWNER: Final = 5000
"""The user and group that all mail belongs to; needs no name."""
FORMATS: Final = {
    "mdbox": "userdb_mail=mdbox:~/mdbox",
    "maildir": "userdb_mail=maildir:~/Maildir",
    # What an acknowledged change of flags needs in order to be on the disk.
    "synced": "userdb_mail=mdbox:~/mdbox userdb_mail_fsync=always",
}

# Its own defaults but for: log-in processes that serve many connections (its
# faster mode), a cache of log-ins (postroad has one too) and higher limits.
_CONFIG: Final = """
base_dir = {directory}/run
state_dir = {directory}/state
log_path = {directory}/dovecot.log
protocols = imap lmtp pop3
listen = {local}
ssl = yes
ssl_cert = <{certificates.certificate}
ssl_key = <{certificates.key}
disable_plaintext_auth = no
auth_mechanisms = plain
auth_cache_size = 10 M
first_valid_uid = 1
mail_max_userip_connections = 20000
default_process_limit = {processes}
default_client_limit = 20000
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%u {directory}/users
}}
userdb {{
  driver = passwd-file
  args = username_format=%u {directory}/users
}}
namespace inbox {{
  inbox = yes
}}
service imap-login {{
  service_count = 0
  process_min_avail = {cores}
  process_limit = {cores}
  inet_listener imap {{
    port = {ports[0]}
  }}
  inet_listener imaps {{
    port = {ports[1]}
    ssl = yes
  }}
}}
service pop3-login {{
  service_count = 0
  process_min_avail = {cores}
  process_limit = {cores}
  inet_listener pop3 {{
    port = {ports[2]}
  }}
  inet_listener pop3s {{
    port = {ports[3]}
    ssl = yes
  }}
}}
service imap {{
  process_limit = {processes}
}}
service lmtp {{
  unix_listener {directory}/lmtp {{
    mode = 0666
  }}
}}
"""


@dataclass(frozen=True, slots=True)
class Dovecot:
    """A Dovecot that runs, and where it is reached."""

    directory: Path
    ports: Sequence[int]
    """IMAP, IMAPS, POP3, POP3S."""
    daemon: Daemon

    @property
    def lmtp(self) -> Path:
        """The socket where mail is handed over."""
        return self.directory / "lmtp"


def lay_out(directory: Path, certificates: Certificates, domain: str, users: Sequence[str]) -> list[int]:
    """Write its settings and its users; give the ports that it will listen at."""
    ports = free_ports(4)
    for name in ("run", "state"):
        (directory / name).mkdir()
    mail = directory / "mail"
    mail.mkdir()
    os.chown(mail, OWNER, OWNER)
    add_users(directory, domain, users)
    text = _CONFIG.format(
        directory=directory,
        local=LOCAL,
        certificates=certificates,
        processes=12_000,
        cores=os.cpu_count() or 1,
        ports=ports,
    )
    (directory / "dovecot.conf").write_text(text)
    return ports


def add_users(directory: Path, domain: str, users: Sequence[str]) -> None:
    """Make accounts, in every format."""
    with (directory / "users").open("a") as file:
        for form, fields in FORMATS.items():
            for user in users:
                name = f"{form}-{user}"
                home = directory / "mail" / name
                file.write(f"{name}@{domain}:{{PLAIN}}{PASSWORD}:{OWNER}:{OWNER}::{home}::{fields}\n")


def start(directory: Path, ports: Sequence[int], tree: Tree) -> Dovecot:
    """Start what was laid out and wait until it answers."""
    command = [*tree.wrapper, program("dovecot"), "-F", "-c", str(directory / "dovecot.conf")]
    daemon = Daemon(command, directory / "start.log")
    try:
        daemon.until(lambda: all(answers(LOCAL, port) for port in ports), "Dovecot to answer")
    except AssertionError:
        daemon.stop()
        raise
    return Dovecot(directory, ports, daemon)
