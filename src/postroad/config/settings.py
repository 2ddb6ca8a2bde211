"""The settings of a server: where things are and how much of them, not what they hold.

Domains, accounts and aliases are not here; they live in the database and are
managed with `postroad domain`, `account` and `alias` while the server runs.
`postroad config example` prints a commented file made from these structs.
"""

import os
import socket
from pathlib import Path
from typing import Annotated, Final, Literal, TypeAlias

import msgspec

from postroad.config.fields import Count, Duration, Kind, Natural
from postroad.config.limits import Limits
from postroad.config.logins import Auth, OpenId
from postroad.config.receiving import Receiving
from postroad.config.sender_auth import SenderAuth
from postroad.config.values import parse_duration
from postroad.model.address import parse_mailbox
from postroad.model.crowd import Crowd
from postroad.model.rights import Anyone

HOUR: Final = 3600.0
DAY: Final = 86400.0

Role: TypeAlias = Literal["smtp", "submission", "lmtp", "imap", "pop3"]
UNIX: Final = "unix:"
TlsMode: TypeAlias = Literal["starttls", "implicit", "none"]


class Listener(msgspec.Struct, frozen=True, kw_only=True):
    """One `[[listener]]`: what is spoken where."""

    role: Annotated[
        Role,
        "smtp takes mail from other servers, submission takes it from your users, "
        "lmtp takes it from a server of yours that has checked it.",
    ]
    address: Annotated[
        str,
        'Where to listen: "192.0.2.1:25", "[2001:db8::1]:25", "[::]:25" for everywhere; '
        '"unix:/run/postroad/lmtp" for lmtp.',
    ]
    tls: Annotated[
        TlsMode,
        "starttls: on request; implicit: from the first octet; none: never, and so no passwords.",
    ] = "starttls"
    passwords_in_clear: Annotated[
        bool,
        "Take passwords without TLS all the same: imap and pop3 on loopback with tls none, "
        "for a webmail or a proxy on this machine.",
    ] = False
    mechanisms: Annotated[
        tuple[str, ...], "Of auth.mechanisms those that may be used here; none named: all of them."
    ] = ()

    proxy_from: Annotated[
        tuple[str, ...],
        "Proxies in front of this listener, as addresses or networks. Their connections must begin with a "
        "PROXY header, version 1 or 2, and what it says of the client is believed.",
    ] = ()
    xclient_from: Annotated[
        tuple[str, ...],
        "Proxies that say it by XCLIENT instead: for smtp and submission.",
    ] = ()
    greeting_delay: Annotated[
        str, 'How long other servers wait for the greeting here: "3 s", "0 s"; empty: as [receiving] says.'
    ] = ""
    connections_per_address: Annotated[Natural, "As in [limits], for those who come here; 0: as it says."] = 0
    unauthenticated_per_address: Annotated[Natural, "As in [limits]; 0: as it says."] = 0
    connection_rate: Annotated[Natural, "As in [limits]; 0: as it says."] = 0

    @property
    def seconds_of_silence(self) -> float | None:
        """`greeting_delay` as a number; None: as `[receiving]` says."""
        return parse_duration(self.greeting_delay) if self.greeting_delay else None

    @property
    def crowd(self) -> Crowd:
        """How many connections one address may have."""
        return Crowd(self.connections_per_address, self.unauthenticated_per_address, self.connection_rate)

    @property
    def is_unix(self) -> bool:
        """Whether it is a Unix socket."""
        return self.address.startswith(UNIX)

    @property
    def host(self) -> str:
        """The address without its port and brackets; the path of a Unix socket."""
        if self.is_unix:
            return self.address.removeprefix(UNIX)
        return split_address(self.address)[0]

    @property
    def port(self) -> int:
        """The port; 0 lets the system choose (tests)."""
        return 0 if self.is_unix else split_address(self.address)[1]


class Tls(msgspec.Struct, frozen=True, kw_only=True):
    """The `[tls]` table."""

    certificate: Annotated[
        Path | None,
        "PEM file with the certificate and what is needed to trust it. "
        "Without one, a self-signed certificate is made in the data directory.",
    ] = None
    key: Annotated[Path | None, "PEM file with its private key."] = None
    client_ca: Annotated[
        Path | None,
        "PEM file with the authorities whose client certificates open accounts (EXTERNAL). Clients of "
        "submission, imap and pop3 are asked for one then; the account is the e-mail address in it.",
    ] = None


class Dns(msgspec.Struct, frozen=True, kw_only=True):
    """The `[dns]` table."""

    servers: Annotated[
        tuple[str, ...],
        'Resolvers to ask, "192.0.2.53" or "192.0.2.53:5353"; none: those of the system.',
    ] = ()
    timeout: Annotated[Duration, "For one question, over all resolvers."] = 5.0
    dnssec: Annotated[
        Literal["auto", "on", "off"],
        "Whether the resolvers are believed when they say that DNSSEC has proved an answer, which DANE "
        "needs. auto: where all of them are on this machine; on: these are trusted, and the way to them too.",
    ] = "auto"


class Queue(msgspec.Struct, frozen=True, kw_only=True):
    """The `[queue]` table."""

    retry_first: Annotated[
        Duration, "Wait after the first failed attempt; doubles with each further one."
    ] = 300.0
    retry_max: Annotated[Duration, "Longest wait between two attempts."] = 4 * HOUR
    lifetime: Annotated[Duration, "When a message goes back to its sender."] = 5 * DAY
    delay_notice: Annotated[Duration, "When its sender is told that it is late."] = 4 * HOUR
    per_destination: Annotated[Count, "Most connections to one destination at a time; less at first."] = 20
    per_minute: Annotated[
        Natural,
        "Messages begun for one destination within a minute; a route may say otherwise. 0: any number.",
    ] = 0
    suppress_after: Annotated[
        Natural,
        "Write to an address no more once servers have called it nobody's so many times in a row "
        "(postroad suppression). 0: never.",
    ] = 0
    active: Annotated[Count, "Recipients that are worked on at a time."] = 20_000
    remote: Annotated[
        bool,
        "Deliver to other servers. With false what is for them stays in the queue, untried.",
    ] = True
    priorities: Annotated[
        Literal["MIXER", "STANAG4406", "NSEP", "unnamed", "off"],
        "Let users say what goes first, by this policy (MT-PRIORITY, RFC 6710).",
    ] = "MIXER"
    mta_sts: Annotated[
        bool, "Look for the MTA-STS policies of other domains, and do as they say (RFC 8461)."
    ] = True
    tls_reports: Annotated[
        bool, "Report to other domains that ask for it how TLS with their servers went, daily (RFC 8460)."
    ] = True
    allow_private_addresses: Annotated[
        bool,
        "Also deliver to servers at loopback and private addresses. A stranger's domain "
        "may point there, so only for networks that need it.",
    ] = False


class Backup(msgspec.Struct, frozen=True, kw_only=True):
    """The `[backup]` table."""

    target: Annotated[
        str,
        'Where backups go: a directory, "ssh://backup@nas.example.org/srv/mail" or "s3://bucket/mail".',
    ] = ""
    key: Annotated[
        Path | None, "The server's half of the key. Without it: backup.key in the data directory."
    ] = None
    scratch: Annotated[
        Path | None,
        "Where copies of the index are made and restores are tried. Without it: in the data directory.",
    ] = None
    keep: Annotated[Natural, "After each backup keep so many of the newest. With 0 in all of these: all."] = 0
    keep_daily: Annotated[Natural, "And the last of each of so many days."] = 0
    keep_weekly: Annotated[Natural, "And the last of each of so many weeks."] = 0
    keep_monthly: Annotated[Natural, "And the last of each of so many months."] = 0
    ssh_key: Annotated[
        Path | None, "Private key for ssh:// targets. Without it: those of the user, and its agent."
    ] = None
    known_hosts: Annotated[
        Path | None, "File with the host's key for ssh:// targets. Without it: ~/.ssh/known_hosts."
    ] = None
    s3_endpoint: Annotated[str, "URL of the store for s3:// targets; empty: Amazon's."] = ""
    s3_region: Annotated[str, "Its region; empty: us-east-1."] = ""
    s3_credentials: Annotated[
        Path | None,
        "File with [default], aws_access_key_id and aws_secret_access_key. "
        "Without it: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY of the environment.",
    ] = None


class Retention(msgspec.Struct, frozen=True, kw_only=True):
    """The `[retention]` table."""

    deleted: Annotated[
        Duration,
        "How long expunged messages, deleted mailboxes and removed accounts can be restored; "
        "they count towards no quota. 0: they are erased at once.",
    ] = 30 * DAY
    expunged: Annotated[
        Duration,
        "How long an IMAP client may be away and still be told only what was expunged meanwhile (QRESYNC); "
        "later it is told everything that is gone. At least a day.",
    ] = 90 * DAY

    @property
    def keeps(self) -> bool:
        """Whether anything is kept at all."""
        return self.deleted > 0


class Dkim(msgspec.Struct, frozen=True, kw_only=True):
    """The `[dkim]` table."""

    rotate: Annotated[
        Duration,
        "After how long a key is followed by another, which signs once the DNS shows it. 0: never.",
    ] = 180 * DAY


class Imap(msgspec.Struct, frozen=True, kw_only=True):
    """The `[imap]` table: what programs are told of the server (RFC 5464 §3.2.1.1), who may
    set quotas, and whom mailboxes can be shared with.
    """

    admin: Annotated[
        str, 'Where its users reach the operator: "mailto:postmaster@example.org", "tel:+4930123456".'
    ] = ""
    comment: Annotated[str, "A note for its users."] = ""
    administrators: Annotated[
        tuple[str, ...], "Addresses of accounts that may set quotas by IMAP (SETQUOTA); none: nobody may."
    ] = ()
    share_with_anyone: Annotated[
        Anyone,
        "Whom users share with who share with anyone: the owner's domain, the whole server, nobody.",
    ] = "domain"

    @property
    def administrator_keys(self) -> frozenset[str]:
        """The same as keys of the directory."""
        return frozenset([parse_mailbox(address).key for address in self.administrators])

    @property
    def entries(self) -> dict[str, bytes]:
        """The same as entries of METADATA."""
        said = {"/shared/admin": self.admin, "/shared/comment": self.comment}
        return {entry: text.encode() for entry, text in said.items() if text}


class Metrics(msgspec.Struct, frozen=True, kw_only=True):
    """The `[metrics]` table."""

    address: Annotated[
        str,
        'Where Prometheus may ask, on loopback only: "127.0.0.1:9725". Empty: nowhere.',
    ] = ""


class Log(msgspec.Struct, frozen=True, kw_only=True):
    """The `[log]` table."""

    level: Annotated[Literal["debug", "info", "warning", "error"], "What is worth a line."] = "info"
    format: Annotated[Literal["text", "json"], "text for people and journald, json for collectors."] = "text"


def high_ports() -> tuple[Listener, ...]:
    """Every protocol on loopback, at ports that need no privileges."""
    return (
        Listener(role="smtp", address="127.0.0.1:1025"),
        Listener(role="submission", address="127.0.0.1:1587"),
        Listener(role="submission", address="127.0.0.1:1465", tls="implicit"),
        Listener(role="imap", address="127.0.0.1:1143"),
        Listener(role="imap", address="127.0.0.1:1993", tls="implicit"),
        Listener(role="pop3", address="127.0.0.1:1110"),
        Listener(role="pop3", address="127.0.0.1:1995", tls="implicit"),
    )


class Settings(msgspec.Struct, frozen=True, kw_only=True, rename={"listeners": "listener"}):
    """The whole file."""

    hostname: Annotated[
        str,
        "The server's public name: in greetings and Received fields, and what MX records "
        "and the certificate should say. Empty: the machine's own name.",
    ] = ""
    data: Annotated[Path, "The directory that holds everything: index, mail, queue."] = Path("data")
    user: Annotated[
        str,
        "The user to become once the ports are open, when started as root.",
    ] = ""
    workers: Annotated[Natural, "Processes that serve; 0: as many as there are CPUs, at most 4."] = 0
    tls: Tls = Tls()
    auth: Auth = Auth()
    openid: OpenId = OpenId()
    listeners: Annotated[
        tuple[Listener, ...],
        "Without any, every protocol is served on loopback at high ports.",
    ] = msgspec.field(default_factory=high_ports)
    dns: Dns = Dns()
    receiving: Receiving = Receiving()
    sender_auth: SenderAuth = SenderAuth()
    queue: Queue = Queue()
    backup: Backup = Backup()
    retention: Retention = Retention()
    dkim: Dkim = Dkim()
    imap: Imap = Imap()
    metrics: Metrics = Metrics()
    log: Log = Log()
    limits: Limits = Limits()
    source: Annotated[Path | None, Kind.HIDDEN] = None
    """The file that was read, for a reload; not itself a setting."""

    @property
    def worker_count(self) -> int:
        """How many workers to start."""
        return self.workers or min(os.cpu_count() or 1, 4)


def machine_name() -> str:
    """Return the machine's name without asking the DNS; `localhost` if it has none."""
    return socket.gethostname().strip(".").lower() or "localhost"


def defaults(data: Path) -> Settings:
    """Return what holds without a settings file: loopback, high ports, mail in `data`.

    Nobody is asked where mail on loopback is from: the DNS knows nothing of it.
    """
    return Settings(hostname=machine_name(), data=data.absolute(), sender_auth=SenderAuth(enabled=False))


def split_address(text: str) -> tuple[str, int]:
    """Part `host:port` or `[ipv6]:port`.

    Raises:
        ValueError: it is neither; the message is for people.
    """
    host, colon, port = text.rpartition(":")
    if not colon or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise ValueError(f'"{text}" needs a port, as in "127.0.0.1:25" or "[::]:25"')
    if host.startswith("[") and host.endswith("]"):
        return host[1:-1], int(port)
    if ":" in host:
        raise ValueError(f'"{text}": write IPv6 addresses in brackets, as in "[::1]:25"')
    if not host:
        raise ValueError(f'"{text}" needs a host; "[::]{text}" listens everywhere')
    return host, int(port)
