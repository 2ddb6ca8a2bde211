"""Another server that hands over a message, once."""

from collections.abc import Sequence
from typing import Final

from postroad.model.address import parse_mailbox
from postroad.model.envelope import Recipient
from postroad.smtp.client import SmtpClient
from postroad.smtp.exchange import Held, Outgoing
from postroad.smtp.outcome import Verdict
from postroad.smtp.timeouts import Timeouts

TIMEOUTS: Final = Timeouts(connect=5, tls=5, greeting=5, command=5, data=5, block=5, end=5)
"""How long a server of a test may take for an answer, in seconds of real time."""


class NotAccepted(Exception):
    """The server did not take a message; the text is what it said."""


async def hand_over(hostname: str, port: int, sender: str, recipients: Sequence[str], octets: bytes) -> None:
    """Send a message to the server `hostname` at a port of 127.0.0.1, without TLS.

    Raises:
        NotAccepted: for one recipient or all; others may have it.
    """
    client = await SmtpClient.open(
        hostname, "127.0.0.1", port, hostname="client.elsewhere.test", tls=None, timeouts=TIMEOUTS
    )
    try:
        outgoing = Outgoing(
            parse_mailbox(sender) if sender else None,
            [Recipient(parse_mailbox(recipient)) for recipient in recipients],
            Held(octets),
        )
        outcomes = await client.send(outgoing)
    finally:
        await client.close()
    refused = [outcome.words for outcome in outcomes if outcome.verdict is not Verdict.DELIVERED]
    if refused:
        raise NotAccepted("; ".join(refused))
