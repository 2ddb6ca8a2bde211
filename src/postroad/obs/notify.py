"""Telling systemd how we are (sd_notify(3)); silence where there is no systemd."""

import os
import socket


def notify(*states: str) -> None:
    """Send states such as `READY=1` to the service manager, if there is one."""
    path = os.environ.get("NOTIFY_SOCKET", "")
    if not path.startswith(("/", "@")):
        return
    address = "\0" + path[1:] if path.startswith("@") else path
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
        try:
            sender.sendto("\n".join(states).encode(), address)
        except OSError:
            pass  # the manager is gone; mail goes on
