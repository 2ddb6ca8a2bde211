"""Whether the last words of a connection have reached its peer."""

import asyncio
import fcntl
import termios


def heard(transport: asyncio.Transport) -> bool:
    """Whether the peer's system has acknowledged every octet; False where that cannot be told.

    TLS waits for the other side's close_notify, which a client that sleeps will
    not send. It need not be waited for (RFC 8446 §6.1), but what was said must
    have arrived: none of it waits here, nor in the kernel (SIOCOUTQ, tcp(7)).
    """
    if transport.get_write_buffer_size():
        return False
    nothing = bytes(4)
    try:
        return fcntl.ioctl(transport.get_extra_info("socket").fileno(), termios.TIOCOUTQ, nothing) == nothing
    except OSError:
        return False  # a system on which it means terminals alone
