"""What became of one recipient in one attempt (values, decided where it happened)."""

from enum import Enum

from msgspec import Struct


class Verdict(Enum):
    """The three ends of an attempt."""

    DELIVERED = "delivered"
    DEFERRED = "deferred"
    FAILED = "failed"


class Outcome(Struct, frozen=True):
    """One recipient, one attempt."""

    verdict: Verdict
    code: int
    """The remote's reply code, or ours where it never spoke."""
    enhanced: str
    text: str
    """The remote's words verbatim, or ours."""
    host: str = ""
    address: str = ""
    tls: str = ""
    spoken: bool = True
    """Whether `text` is the remote's (RFC 3464 Diagnostic-Code: smtp) or our own."""
    dsn_passed: bool = False
    """The remote took over the duty to report success (RFC 3461 §5.2.1)."""

    certificate: str = ""
    """What the server showed in TLS, in words."""
    policy: str = ""
    """What vouches for the server, such as `DANE`; empty when nobody does."""
    seconds: float = 0.0
    """How long it took to get this outcome."""
    uncertain: bool = False
    """The server may have taken the message: it went silent behind the final dot (RFC 1047)."""

    by_passed: bool = False
    """The remote took over the time by which it is to be delivered (RFC 2852)."""
    final: bool = False
    """It is delivered with that: the remote files it (LMTP)."""
    change: str = ""
    """What was done to the message so that the server can take it, in words."""

    filed: bool = False
    """It is in mailboxes of this server, and out of the queue already."""

    @property
    def status(self) -> str:
        """An RFC 3463 code, made from the reply code where the remote gave none.

        What is tried again is a transient failure, whatever the remote calls it.
        """
        given = self.enhanced or {2: "2.0.0", 4: "4.0.0", 5: "5.0.0"}.get(self.code // 100, "5.5.0")
        return f"4{given[1:]}" if self.verdict is Verdict.DEFERRED else given

    @property
    def words(self) -> str:
        """Reply code, enhanced code and text on one line."""
        code = f"{self.code} " if self.code else ""
        enhanced = f"{self.enhanced} " if self.enhanced else ""
        return f"{code}{enhanced}{self.text}".replace("\n", " ")


class Unusable(Exception):
    """The server cannot be talked to, which holds for all recipients; another one may be tried."""

    def __init__(self, outcome: Outcome, *, tls_failed: str = "", ourselves: bool = False) -> None:
        assert outcome.verdict is not Verdict.DELIVERED, "the message is nowhere"
        super().__init__(outcome.text)
        self.outcome = outcome
        self.tls_failed = tls_failed
        """Why there is no TLS as it was wanted (a result type of RFC 8460 §4.3); empty: it is not that."""
        self.ourselves = ourselves
        """The server at the other end is this one."""
