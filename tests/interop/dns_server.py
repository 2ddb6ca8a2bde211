"""NSD, a real name server, with the zones of one test."""

import socket
from pathlib import Path
from typing import Final

from tests.interop.addresses import loopback_address
from tests.interop.processes import Daemon, as_root, program

_CONFIG: Final = """
server:
    ip-address: {address}
    port: 53
    username: ""
    chroot: ""
    zonesdir: "{directory}"
    database: ""
    pidfile: "{directory}/nsd.pid"
    xfrdfile: "{directory}/xfrd.state"
    xfrdir: "{directory}"
    zonelistfile: "{directory}/zone.list"
    server-count: 1
    round-robin: yes
remote-control:
    control-enable: no
zone:
    name: "test"
    zonefile: "test.zone"
"""

_ZONE: Final = """
$ORIGIN test.
$TTL 60
@  SOA  ns hostmaster 1 3600 600 86400 60
@  NS   ns
ns A    {address}
"""

# A whole question, so that the answer proves that the zone is loaded: ns.test IN A.
_QUESTION: Final = bytes.fromhex("1234 0000 0001 0000 0000 0000") + b"\2ns\4test\0\0\1\0\1"


class DnsServer:
    """`nsd` on an address of its own, port 53, in charge of the zone test."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.address = loopback_address(53)
        self._records: list[str] = []

    def add(self, *records: str) -> None:
        """More lines for the zone file; before `start`."""
        self._records += records

    def add_text(self, name: str, text: str) -> None:
        """A TXT record, in as many strings as it takes (RFC 1035 §3.3); before `start`."""
        strings = " ".join(f'"{text[at : at + 255]}"' for at in range(0, len(text), 255))
        self.add(f"{name} TXT {strings}")

    def start(self) -> None:
        """Start it and wait for its first answer."""
        zone = _ZONE.format(address=self.address) + "\n".join(self._records) + "\n"
        (self.directory / "test.zone").write_text(zone)
        config = self.directory / "nsd.conf"
        config.write_text(_CONFIG.format(address=self.address, directory=self.directory))
        command = as_root(program("nsd"), "-d", "-c", str(config))
        self._daemon = Daemon(command, self.directory / "nsd.log")
        self._daemon.until(self._answers, "nsd to answer")

    def _answers(self) -> bool:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
            asking.settimeout(0.2)
            try:
                asking.connect((self.address, 53))
                asking.send(_QUESTION)
                answer = asking.recv(512)
            except OSError:
                return False
        return answer[:2] == _QUESTION[:2] and answer[3] & 0x0F == 0

    def stop(self) -> None:
        """Stop it."""
        pid = (self.directory / "nsd.pid").read_text().strip()
        self._daemon.stop(as_root("kill", pid))
