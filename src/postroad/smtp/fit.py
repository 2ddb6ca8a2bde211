"""Whether a server can take a message at all, by what its EHLO offers."""

from collections.abc import Callable

from postroad.smtp.exchange import Outgoing
from postroad.smtp.outcome import Outcome
from postroad.smtp.wire.client import Extensions


def unfit(
    message: Outgoing, extensions: Extensions, eight_bit: bool, failed: Callable[[int, str, str], Outcome]
) -> list[Outcome | None]:
    """Whom the server cannot be asked to take a message for; `failed` makes an outcome of ours."""
    everybody = _cannot_carry(message, extensions, eight_bit, failed)
    if everybody is not None:
        return [everybody] * len(message.recipients)
    if "SMTPUTF8" in extensions or not any(r.address.utf8 for r in message.recipients):
        return [None] * len(message.recipients)
    text = "the address needs a server that takes internationalized mail, and this one does not"
    refusal = failed(553, "5.6.7", text)  # RFC 6531 §3.5
    return [refusal if recipient.address.utf8 else None for recipient in message.recipients]


def _cannot_carry(
    message: Outgoing, extensions: Extensions, eight_bit: bool, failed: Callable[[int, str, str], Outcome]
) -> Outcome | None:
    limit = extensions.get("SIZE", "")
    if limit.isascii() and limit.isdigit() and 0 < int(limit) < message.source.size:
        text = f"the message has {message.source.size} octets, the server takes {limit}"
        return failed(552, "5.3.4", text)  # RFC 1870 §6.1
    utf8 = message.smtputf8 or (message.sender is not None and message.sender.utf8)
    if utf8 and "SMTPUTF8" not in extensions:
        return failed(553, "5.6.7", "the server does not take internationalized mail")
    if eight_bit and "8BITMIME" not in extensions:
        # RFC 6152 §3 forbids to send it as it is; a conversion would break what is signed.
        return failed(554, "5.6.3", "the message has 8-bit octets, which the server does not take")
    return None
