"""The last word of a TLS handshake that fails: the alert, so that the peer knows why (RFC 8446 §6.2).

OpenSSL writes it, and the loop's TLS closes the connection without sending
it. So it is taken from there, and sent through a second descriptor of the
socket, which is kept for as long as the handshake takes.
"""

import os
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, cast


@contextmanager
def sending_alerts(fileno: int) -> Iterator[None]:
    """Send the peer at a socket, which must not block, the alert of a handshake that fails within.

    Without a descriptor to spare it is not told.
    """
    try:
        spare = os.dup(fileno)
    except OSError:
        yield
        return
    try:
        yield
    except ssl.SSLError as error:
        with suppress(OSError):  # it may be gone already
            os.write(spare, getattr(error, "alert", b""))
        raise
    finally:
        os.close(spare)


class _Handshake(ssl.SSLObject):
    """TLS whose error has the alert for the peer."""

    outgoing: ssl.MemoryBIO

    def do_handshake(self) -> None:
        try:
            super().do_handshake()
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise
        except ssl.SSLError as error:
            error.alert = self.outgoing.read()  # type: ignore[attr-defined]
            raise


class AlertingContext(ssl.SSLContext):
    """A context for handshakes within `sending_alerts`."""

    sslobject_class = _Handshake

    def wrap_bio(
        self, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO, *args: Any, **more: Any
    ) -> _Handshake:
        made = cast(_Handshake, super().wrap_bio(incoming, outgoing, *args, **more))
        made.outgoing = outgoing
        return made
