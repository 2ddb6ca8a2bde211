"""A signed zone in NSD, and Unbound, a resolver that validates it: all on loopback."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import dns.dnssec
import dns.dnssectypes
import dns.message
import dns.name
import dns.query
import dns.rdatatype
import dns.zone
from cryptography.hazmat.primitives.asymmetric import ec

from tests.interop.addresses import free_ports
from tests.interop.processes import Daemon, as_root, program, until

_HEAD: Final = """
@ 60 IN SOA ns hostmaster 1 3600 600 86400 60
@ 60 IN NS ns
ns 60 IN A 127.0.0.1
"""

_NSD: Final = """
server:
    ip-address: 127.0.0.1@{port}
    username: ""
    chroot: ""
    zonesdir: "{folder}"
    database: ""
    pidfile: "{folder}/nsd.pid"
    xfrdfile: "{folder}/xfrd.state"
    xfrdir: "{folder}"
    zonelistfile: "{folder}/zone.list"
    server-count: 1
remote-control:
    control-enable: no
"""

_UNBOUND: Final = """
server:
    interface: {address}@{port}
    username: ""
    chroot: ""
    directory: "{folder}"
    pidfile: "{folder}/unbound.pid"
    use-syslog: no
    do-ip6: no
    do-not-query-localhost: no
    local-zone: "test." nodefault
    access-control: 127.0.0.0/8 allow
    trust-anchor: "{anchor}"
    num-threads: 1
remote-control:
    control-enable: no
"""


class SignedDns:
    """Zones under test.: `sign` those that are to be secure, then `start`."""

    def __init__(self, folder: Path, resolver: str = "127.0.0.1") -> None:
        """The resolver is at a port of its own; at another address than 127.0.0.1 at 53, run by root."""
        self._folder = folder
        self._authority, free = free_ports(2)
        self._own = resolver == "127.0.0.1"
        self._resolver = (resolver, free if self._own else 53)
        self._zones: list[str] = []
        self._anchor = ""
        self._daemons: list[Daemon] = []

    @property
    def address(self) -> str:
        """The resolver, as settings name it."""
        host, port = self._resolver
        return f"{host}:{port}"

    def plain(self, name: str, text: str) -> None:
        """A zone that nobody has signed."""
        self._add(name, _zone(name, text).to_text(relativize=False))

    def signed(self, name: str, text: str, *, forge: tuple[str, str] = ("", "")) -> str:
        """A zone with signatures; `forge` replaces some text of it afterwards. Gives its DS record."""
        zone = _zone(name, text)
        key = ec.generate_private_key(ec.SECP256R1())
        dnskey = dns.dnssec.make_dnskey(
            key.public_key(), dns.dnssectypes.Algorithm.ECDSAP256SHA256, flags=257
        )
        now = datetime.now(UTC)
        with zone.writer() as writer:
            dns.dnssec.sign_zone(
                zone,
                txn=writer,
                keys=[(key, dnskey)],
                inception=now - timedelta(days=1),
                expiration=now + timedelta(days=1),
            )
        self._add(name, zone.to_text(relativize=False).replace(*forge))
        ds = dns.dnssec.make_ds(dns.name.from_text(name), dnskey, dns.dnssectypes.DSDigest.SHA256)
        if name == "test.":
            self._anchor = f"test. DS {ds}"
        return f"{name} 60 IN DS {ds}\n"

    def _add(self, name: str, text: str) -> None:
        (self._folder / f"{name}zone").write_text(text)
        self._zones.append(name)

    def start(self) -> None:
        """Start both and wait for an answer."""
        config = _NSD.format(port=self._authority, folder=self._folder)
        for name in self._zones:
            config += f'zone:\n    name: "{name}"\n    zonefile: "{name}zone"\n'
        self._run("nsd", "-d", config)
        address, port = self._resolver
        config = _UNBOUND.format(address=address, port=port, folder=self._folder, anchor=self._anchor)
        for name in self._zones:
            config += f'stub-zone:\n    name: "{name}"\n    stub-addr: 127.0.0.1@{self._authority}\n'
        self._run("unbound", "-d", config)
        until(self._answers, "the resolver to answer", within=60)

    def _run(self, name: str, option: str, config: str) -> None:
        file = self._folder / f"{name}.conf"
        file.write_text(config)
        command = [program(name), option, "-c", str(file)]
        if not self._own:
            command = as_root(*command)
        self._daemons.append(Daemon(command, self._folder / f"{name}.log"))

    def _answers(self) -> bool:
        question = dns.message.make_query("test.", "SOA")
        try:
            answer = dns.query.udp(question, self._resolver[0], timeout=0.5, port=self._resolver[1])
        except (dns.exception.Timeout, OSError):
            return False
        return bool(answer.answer)

    def stop(self) -> None:
        """Stop both."""
        for daemon in self._daemons:
            daemon.stop(None if self._own else as_root("kill", str(daemon.pid)))


def _zone(name: str, text: str) -> dns.zone.Zone:
    return dns.zone.from_text(_HEAD + text, origin=name, relativize=False, check_origin=True)
