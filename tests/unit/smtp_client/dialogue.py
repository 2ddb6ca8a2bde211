"""Sending one message to a scripted server: what all tests of the client begin with."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from msgspec import structs

from postroad.model.address import parse_mailbox
from postroad.model.envelope import Recipient
from postroad.smtp.client import SmtpClient
from postroad.smtp.exchange import Outgoing
from postroad.smtp.outcome import Outcome
from postroad.smtp.security import Security, opportunistic_context
from postroad.smtp.timeouts import Timeouts
from postroad.testing.remote import RemoteServer

PATIENT = Timeouts()

MESSAGE = b"Subject: hello\r\n\r\nHello.\r\n"


@dataclass
class Octets:
    """A message in memory."""

    data: bytes

    @property
    def size(self) -> int:
        return len(self.data)

    def read(self, start: int, end: int) -> bytes:
        return self.data[start:end]


def outgoing(*recipients: str, body: bytes = MESSAGE, sender: str = "ada@here.test") -> Outgoing:
    """A message to some recipients."""
    names = recipients or ("bob@remote.test",)
    return Outgoing(
        parse_mailbox(sender) if sender else None,
        [Recipient(parse_mailbox(name)) for name in names],
        Octets(body),
    )


async def open_client(
    remote: RemoteServer, *, tls: Security | None = None, timeouts: Timeouts = PATIENT
) -> SmtpClient:
    """Connect to a scripted server."""
    return await SmtpClient.open(
        remote.name,
        remote.address,
        remote.port,
        hostname="mail.here.test",
        tls=tls,
        timeouts=timeouts,
    )


async def send(
    remote: RemoteServer,
    message: Outgoing | None = None,
    *,
    secure: bool = False,
    timeouts: Timeouts = PATIENT,
) -> list[Outcome]:
    """Connect, send, say goodbye."""
    client = await open_client(
        remote, tls=Security(opportunistic_context()) if secure else None, timeouts=timeouts
    )
    outcomes = await client.send(message or outgoing())
    await client.close()
    return outcomes


def verdicts(outcomes: Sequence[Outcome]) -> list[str]:
    """What became of each recipient, in a word."""
    return [outcome.verdict.value for outcome in outcomes]


def hasty(step: str) -> Timeouts:
    """For a server that never answers `step`: only there is it not waited for."""
    names = {"CONNECT": "greeting", "DATA": "data", "BODY": "end", "END": "end", "QUIT": "goodbye"}
    return replace(PATIENT, **{names.get(step, "command"): 0.05})


def utf8(message: Outgoing) -> Outgoing:
    """The same message, with a header that needs SMTPUTF8."""
    return structs.replace(message, smtputf8=True)
