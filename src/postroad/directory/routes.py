"""Routes: ways for mail to other domains than by their MX.

The route of the domain itself wins over that of `*`, then the one for mail from
a domain over that for all mail, and of several such the one whose turn it is: a
route may wait until so many attempts have failed (a fall-back relay).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any, Final, Literal, TypeAlias

import msgspec

from postroad.db.transaction import Reader, Transaction
from postroad.directory import changes
from postroad.directory.domains import normal
from postroad.directory.errors import AlreadyThere, BadName, NoSuchRoute
from postroad.directory.resolve import is_local_domain
from postroad.directory.seal import Seal
from postroad.model.address import AddressError, normal_domain, unicode_domain

EVERYWHERE: Final = "*"
AFTER_MOST: Final = 1000

Transport: TypeAlias = Literal["mx", "smtp", "smtps", "lmtp"]
TlsWish: TypeAlias = Literal["may", "encrypt", "verify"]

_PORTS: Final = {"smtp": 25, "submission": 587, "smtps": 465, "lmtp": 24}
_TARGET: Final = re.compile(
    r"(smtp|submission|smtps|lmtp)://(\[[0-9A-Fa-f:.]+\]|[^\s/:@\[\]]+)(?::([0-9]{1,5}))?/?"
)
_COLUMNS: Final = (
    "domain, sender, after, transport, host, port, tls, login, password, sources, created, per_minute"
)
_WHERE: Final = "WHERE domain = ? AND sender = ? AND after = ?"


@dataclass(frozen=True, slots=True)
class Route:
    """One way."""

    domain: str
    """A-labels, or `*`."""
    sender: str
    """The domain that mail which takes it is from (what MAIL FROM says), in A-labels, or `*`."""
    after: int
    """Attempts that have to have failed before it is taken."""
    transport: Transport
    """`mx` goes by the domain's own MX; `smtps` is TLS from the first octet."""
    host: str
    port: int
    tls: TlsWish
    """may: where it is offered; encrypt: with whatever certificate; verify: with one for the host."""
    login: str
    sealed: bytes
    """The password (`directory.seal`)."""
    sources: tuple[str, ...]
    """Addresses of this machine to come from, at most one of each family."""
    created: float
    per_minute: int = 0
    """Messages that are begun within a minute, of all that go by it; 0: what the settings say."""

    @property
    def target(self) -> str:
        """Where to, as `add` takes it."""
        if self.transport == "mx":
            return "mx"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.transport}://{host}:{self.port}"

    @property
    def unicode(self) -> str:
        """The domain for people."""
        return _unicode(self.domain)

    @property
    def unicode_sender(self) -> str:
        """The domain of the senders for people."""
        return _unicode(self.sender)

    def password(self, seal: Seal) -> str:
        """The password; empty for none.

        Raises:
            CannotOpen: it was sealed with another key.
        """
        about = _about(self.domain, self.sender, self.after)
        return seal.open(self.sealed, about).decode() if self.sealed else ""


def add_route(
    tx: Transaction,
    domain: str,
    target: str,
    *,
    who: str,
    sender: str = EVERYWHERE,
    after: int = 0,
    tls: TlsWish | None = None,
    login: str = "",
    password: str = "",
    seal: Seal | None = None,
    sources: Sequence[str] = (),
    per_minute: int = 0,
    replace: bool = False,
) -> Route:
    """Send mail for `domain` (`*`: for all that have no route) from `sender`'s by way of `target`.

    `target` is `mx`, or `smtp`, `submission`, `smtps` or `lmtp` with `://host` and perhaps `:port`.
    `per_minute` is how many messages are begun within one (0: what the settings say).
    Without `tls`, certificates are verified where a password is sent, and for submission and smtps.

    Raises:
        AlreadyThere: and `replace` was not said.
        BadName: target, address or number are none.
    """
    name, of = _domain(domain), _domain(sender)
    if name != EVERYWHERE and is_local_domain(tx, name):
        raise BadName(f"{unicode_domain(name)} is a domain of this server: its mail is delivered here")
    if not 0 <= after <= AFTER_MOST:
        raise BadName(f"a route is taken after 0 to {AFTER_MOST} attempts")
    scheme, transport, host, port = _target(target)
    if transport == "mx" and login:
        raise BadName("a log-in is for a server that is named")
    wish: TlsWish = tls or ("verify" if login or scheme in ("submission", "smtps") else "may")
    if login and wish == "may":
        raise BadName("a password is never sent in clear: --tls encrypt or verify")
    if len(login.encode()) > 255 or not login.isprintable():
        raise BadName("the login cannot be one")
    if per_minute and of != EVERYWHERE:
        raise BadName("so many a minute is for all that goes to a domain, whoever sends it")
    before = tx.row(f"SELECT 1 FROM route {_WHERE}", name, of, after)  # noqa: S608 - constants
    if before is not None and not replace:
        raise AlreadyThere(f"there is a route for {domain} already: remove it first, or say --replace")
    old = _facts(route(tx, name, after, of)) if before is not None else None
    sealed = b""
    if password:
        assert seal is not None, "a password needs something to seal it"
        sealed = seal.close(password.encode(), _about(name, of, after))
    tx.run(
        f"INSERT OR REPLACE INTO route ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608 - constants
        *(name, of, after, transport, host, port, wish, login, sealed),
        *(msgspec.json.encode(_sources(sources)).decode(), tx.now, per_minute),
    )
    added = route(tx, name, after, of)
    changes.record(tx, who=who, noun="route", name=name, old=old, new=_facts(added))
    return added


def remove_route(
    tx: Transaction, domain: str, *, who: str, after: int = 0, sender: str = EVERYWHERE
) -> Route:
    """Let mail for a domain go by MX again, or by what other routes there are; gives what it was.

    Raises:
        NoSuchRoute
    """
    gone = route(tx, domain, after, sender)
    tx.run(f"DELETE FROM route {_WHERE}", gone.domain, gone.sender, gone.after)  # noqa: S608 - constants
    changes.record(tx, who=who, noun="route", name=gone.domain, old=_facts(gone))
    return gone


def route(reader: Reader, domain: str, after: int = 0, sender: str = EVERYWHERE) -> Route:
    """One route.

    Raises:
        NoSuchRoute, BadName
    """
    of = _domain(sender)
    row = reader.row(f"SELECT {_COLUMNS} FROM route {_WHERE}", _domain(domain), of, after)  # noqa: S608 - constants
    if row is None:
        senders = "" if of == EVERYWHERE else f" from {sender}"
        behind = f" after {after} attempts" if after else ""
        raise NoSuchRoute(f"there is no route for {domain}{senders}{behind}")
    return _route(*row)


def routes(reader: Reader) -> list[Route]:
    """All routes by domain."""
    every = f"SELECT {_COLUMNS} FROM route ORDER BY domain, sender, after"  # noqa: S608 - constants
    return [_route(*row) for row in reader.rows(every)]


def route_for(reader: Reader, domain: str, attempts: int, sender: str = "") -> Route | None:
    """The way for a message that has failed so many times; None: by MX, as all mail does.

    `sender` is the domain that it is from, empty for the null reverse-path.
    """
    if reader.value("SELECT 1 FROM route LIMIT 1") is None:
        return None  # there are none, nearly always: a fourth of the time
    row = reader.row(
        f"SELECT {_COLUMNS} FROM route"  # noqa: S608 - constants
        " WHERE domain IN (?, '*') AND sender IN (?, '*') AND after <= ?"
        " ORDER BY domain = '*', sender = '*', after DESC LIMIT 1",
        *(domain, sender, attempts),
    )
    return None if row is None else _route(*row)


def any_by_sender(reader: Reader) -> bool:
    """Whether it matters to some route whom mail is from."""
    return reader.value("SELECT 1 FROM route WHERE sender != '*' LIMIT 1") is not None


def _route(*row: Any) -> Route:
    domain, sender, after, transport, host, port, tls, login, sealed, sources, created, per_minute = row
    listed = tuple(msgspec.json.decode(sources, type=list[str]))
    return Route(
        *(domain, sender, after, transport, host, port, tls, login, sealed, listed, created, per_minute)
    )


def _domain(domain: str) -> str:
    return EVERYWHERE if domain.strip() == EVERYWHERE else normal(domain)


def _unicode(domain: str) -> str:
    return domain if domain == EVERYWHERE else unicode_domain(domain)


def _target(target: str) -> tuple[str, Transport, str, int]:
    """Scheme, transport, host and port."""
    if target == "mx":
        return "mx", "mx", "", 0
    found = _TARGET.fullmatch(target)
    if found is None:
        raise BadName(f'"{target}" is no target: mx, or smtp://HOST:PORT; also submission, smtps, lmtp')
    scheme, host, port = found[1], found[2].strip("[]"), int(found[3] or _PORTS[found[1]])
    try:
        host = str(ip_address(host))
    except ValueError:
        try:
            host = host.lower() if "." not in host and host.isascii() else normal_domain(host)
        except AddressError as error:
            raise BadName(f'"{host}" is no host: {error}') from None
    if not 0 < port < 65536:
        raise BadName(f"{port} is no port")
    transports: dict[str, Transport] = {
        "submission": "smtp",
        "smtp": "smtp",
        "smtps": "smtps",
        "lmtp": "lmtp",
    }
    return scheme, transports[scheme], host, port


def _sources(texts: Sequence[str]) -> list[str]:
    found: dict[int, IPv4Address | IPv6Address] = {}
    for text in texts:
        try:
            address = ip_address(text)
        except ValueError:
            raise BadName(f'"{text}" is no IP address') from None
        if address.version in found:
            raise BadName("one address to come from of each family, not two")
        found[address.version] = address
    return [str(address) for address in found.values()]


def _about(domain: str, sender: str, after: int) -> str:
    return f"route {domain} {after}" if sender == EVERYWHERE else f"route {domain} {after} from {sender}"


def _facts(one: Route) -> changes.Facts:
    """What is kept of a change; never the password."""
    return {
        "target": one.target,
        "sender": one.sender,
        "after": one.after,
        "tls": one.tls,
        "login": one.login,
        "sources": list(one.sources),
        "per_minute": one.per_minute,
    }
