"""Which events of a dialogue are dealt with at once, and which may have to wait for others."""

from typing import Final, TypeAlias

from postroad.smtp.wire.events import (
    Auth,
    AuthResponse,
    ChunkEnd,
    Data,
    DataEnd,
    Hello,
    Mail,
    Rcpt,
    Reset,
    Xclient,
)

AtOnce: TypeAlias = Mail | Rcpt | Data | ChunkEnd
InTime: TypeAlias = Rcpt | DataEnd | Auth | AuthResponse | Xclient

AT_ONCE: Final = frozenset({Mail, Rcpt, Data, ChunkEnd})
"""What is decided without waiting; about a recipient of a stranger others may have to be asked first."""
IN_TIME: Final = frozenset({Rcpt, DataEnd, Auth, AuthResponse, Xclient})
"""What services are asked about."""
AFRESH: Final = frozenset({Hello, Reset})
"""What the core has answered already, and what ends the transaction that was under way."""
