"""The two ends of a connection, by address and port."""

from typing import TypeAlias

End: TypeAlias = tuple[str, int]
"""An IP address and a port; empty and 0 where there is none, as at a Unix socket."""


def end_named(address: object) -> End:
    """Read what the system calls an end of a socket."""
    match address:
        case (str(host), int(port), *_):
            # A dual-stack socket shows IPv4 peers as ::ffff:192.0.2.1; limits and trail want the rest.
            return host.removeprefix("::ffff:"), port
        case _:
            return "", 0
