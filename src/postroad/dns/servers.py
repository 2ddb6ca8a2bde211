"""Which DNS servers are asked, and whether they are believed when they call an answer secure."""

from collections.abc import Sequence
from ipaddress import ip_address
from pathlib import Path
from typing import Literal, TypeAlias

Server: TypeAlias = tuple[str, int]
"""Address and port."""


def parse_servers(servers: Sequence[str]) -> list[Server]:
    """Address and port of each of `192.0.2.53`, `192.0.2.53:5353`, `[2001:db8::1]:53`."""
    found = []
    for server in servers:
        if server.startswith("["):
            host, _, port = server[1:].partition("]")
            port = port.removeprefix(":")
        elif server.count(":") == 1:
            host, _, port = server.partition(":")
        else:
            host, port = server, ""
        found.append((host, int(port or 53)))
    return found


def system_servers(file: Path = Path("/etc/resolv.conf")) -> list[Server]:
    """Those that resolv.conf(5) names; none where it cannot be read."""
    try:
        lines = file.read_text("utf-8", "replace").splitlines()
    except OSError:
        return []
    words = [line.split() for line in lines]
    return [(line[1], 53) for line in words if len(line) > 1 and line[0] == "nameserver"]


def believed(servers: Sequence[str], dnssec: Literal["auto", "on", "off"]) -> list[Server] | None:
    """The servers whose word for it is taken that an answer is secure; None where it is not.

    `servers` are those of the settings, or none for those of the system; `auto` believes them where all
    of them are on this machine, so that nobody on the way can set a bit.
    """
    if dnssec == "off":
        return None
    found = parse_servers(servers) if servers else system_servers()
    return found if dnssec == "on" or _all_on_this_machine(found) else None


def _all_on_this_machine(servers: Sequence[Server]) -> bool:
    return bool(servers) and all(_on_this_machine(server) for server, _ in servers)


def _on_this_machine(server: str) -> bool:
    try:
        return ip_address(server.partition("%")[0]).is_loopback
    except ValueError:
        return False
