"""Who is asked, and who is believed."""

from pathlib import Path
from typing import Literal

import pytest

from postroad.dns.servers import Server, believed, parse_servers, system_servers


def test_servers_are_written_with_a_port_or_without() -> None:
    written = ["192.0.2.53", "192.0.2.53:5353", "2001:db8::1", "[2001:db8::1]", "[2001:db8::1]:5353"]
    assert parse_servers(written) == [
        ("192.0.2.53", 53),
        ("192.0.2.53", 5353),
        ("2001:db8::1", 53),
        ("2001:db8::1", 53),
        ("2001:db8::1", 5353),
    ]


def test_those_of_the_system_are_in_resolv_conf(tmp_path: Path) -> None:
    file = tmp_path / "resolv.conf"
    assert system_servers(file) == []
    file.write_bytes(
        b"# nameserver 192.0.2.1\n;nameserver 192.0.2.2\nsearch a.test\nnameserver\n"
        b"nameserver 192.0.2.3\n\n nameserver\tfe80::1%eth0 # home\noptions edns0 \xff\n"
    )
    assert system_servers(file) == [("192.0.2.3", 53), ("fe80::1%eth0", 53)]


@pytest.mark.parametrize(
    ("servers", "dnssec", "whom"),
    [
        (["127.0.0.1", "[::1]:5353"], "auto", [("127.0.0.1", 53), ("::1", 5353)]),
        (["127.0.0.1", "192.0.2.1"], "auto", None),  # anybody on the way to the second
        (["ns.example"], "auto", None),
        (["192.0.2.1"], "on", [("192.0.2.1", 53)]),
        (["127.0.0.1"], "off", None),
    ],
)
def test_who_is_on_this_machine_or_named_is_believed(
    servers: list[str], dnssec: Literal["auto", "on", "off"], whom: list[Server] | None
) -> None:
    assert believed(servers, dnssec) == whom
