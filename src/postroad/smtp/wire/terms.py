"""What an SMTP server offers and bears with."""

from dataclasses import dataclass

from postroad.smtp.wire import deliver_by, priority
from postroad.smtp.wire.holding import HoldLimits
from postroad.smtp.wire.xclient import ATTRIBUTES


@dataclass(frozen=True, slots=True)
class Terms:
    """The same for all connections of a listener."""

    hostname: str
    message_size: int
    recipients: int
    submission: bool = False
    """RFC 6409: no mail before AUTH, and nothing but greetings before TLS."""
    lmtp: bool = False
    """RFC 2033: LHLO, and an answer for each recipient."""
    starttls: bool = False
    mechanisms: tuple[str, ...] = ()
    """SASL mechanisms; they are offered inside TLS alone."""
    xclient: bool = False
    """The peer is a proxy that may say whom it speaks for."""
    hold: HoldLimits | None = None
    """FUTURERELEASE (RFC 4865), which is for submission alone; None: no message is held."""
    priorities: priority.Policy = "off"
    """MT-PRIORITY (RFC 6710): strangers are given none."""
    deliver_by: int | None = None
    """The least seconds that DELIVERBY takes (RFC 2852); None: it is not offered."""
    messages: int = 1000
    """MAIL commands in one session (RFC 9422 §4.1: MAILMAX)."""
    line: int = 4096
    data_line: int = 64 * 1024
    junk_commands: int = 50

    def keywords(self, *, secure: bool) -> list[str]:
        """The EHLO keywords: only what works here and now (RFC 5321 §4.1.1.1)."""
        words = [
            *("PIPELINING", f"SIZE {self.message_size}", "8BITMIME", "BINARYMIME", "CHUNKING", "SMTPUTF8"),
            # Behind LMTP nobody knows where the sender is: who hands over tells it (RFC 3461 §5.2.2).
            *(() if self.lmtp else ("DSN",)),
            *("ENHANCEDSTATUSCODES", f"LIMITS RCPTMAX={self.recipients} MAILMAX={self.messages}"),
        ]
        if secure:
            words.append("REQUIRETLS")  # RFC 8689 §2: only behind STARTTLS
        elif self.starttls:
            words.append("STARTTLS")
        if self.mechanisms and secure:
            words.append("AUTH " + " ".join(self.mechanisms))
        if self.hold is not None:
            words.append(self.hold.keyword)
        if self.priorities != "off":
            words.append(priority.keyword(self.priorities))
        if self.deliver_by is not None:
            words.append(deliver_by.keyword(self.deliver_by))
        if self.xclient:
            words.append("XCLIENT " + " ".join(ATTRIBUTES))
        return [*words, "HELP"]


def with_protocol(
    *, extended: bool, secure: bool, authenticated: bool, smtputf8: bool, lmtp: bool = False
) -> str:
    """The WITH keyword for Received (RFC 3848, RFC 6531 §4.3)."""
    if lmtp:
        return ("UTF8LMTP" if smtputf8 else "LMTP") + "S" * secure + "A" * authenticated
    if not extended:
        return "SMTP"
    return ("UTF8SMTP" if smtputf8 else "ESMTP") + "S" * secure + "A" * authenticated
