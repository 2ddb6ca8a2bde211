"""What goes back with a notice, and who is told."""

from dataclasses import dataclass

import pytest
from msgspec.structs import replace

from postroad.delivery.bounce import Told, build, wants
from postroad.message.dsn import MAX_RETURNED, Action
from postroad.model.address import parse_mailbox
from postroad.queue.item import Item, QueuedRecipient
from postroad.smtp.outcome import Outcome, Verdict

HEADER = b"From: ada@here.test\r\nSubject: hello\r\n\r\n"
ITEM = Item(
    id=7,
    created=1_000_000.0,
    sender=parse_mailbox("ada@here.test"),
    account_id=None,
    blob_id=1,
    prefix=b"",
    size=0,
    trail_id=1,
    ret="",
    envid="",
    body="7BIT",
    smtputf8=False,
)
BOB = QueuedRecipient(
    n=0,
    address=parse_mailbox("bob@remote.test"),
    destination="remote.test",
    notify=frozenset(),
    original="",
    due=0.0,
    leased=True,
)
REFUSED = Outcome(Verdict.FAILED, 550, "5.1.1", "who is that?\nreally", "mx.remote.test", "192.0.2.1")
TOLD = Told(BOB, REFUSED, Action.FAILED, "5.1.1")


@dataclass
class Original:
    """The message that is spoken of."""

    data: bytes

    @property
    def size(self) -> int:
        return len(self.data)

    def read(self, start: int, end: int) -> bytes:
        return self.data[start:end]


def notice(original: bytes, item: Item = ITEM, told: Told = TOLD) -> bytes:
    """The octets of a notice."""
    built = build(item, [told], Original(original), hostname="mx.here.test", now=2_000_000.0)
    assert built is not None
    return bytes(built.prepared.body[:])


def test_a_small_message_goes_back_whole() -> None:
    text = notice(HEADER + b"Hello.\r\n")
    assert b"Content-Type: message/rfc822\r\n" in text
    assert b"Hello.\r\n" in text
    assert b"Diagnostic-Code: smtp; 550 5.1.1 who is that? really\r\n" in text


@pytest.mark.parametrize(
    ("item", "body"),
    [
        (ITEM, b"x" * 78 + b"\r\n" + b"y" * MAX_RETURNED),
        (replace(ITEM, ret="HDRS"), b"xxxxxx"),
        (replace(ITEM, ret="FULL", tls="require"), b"xxxxxx"),
    ],
    ids=["large", "as asked", "RFC 8689 §5"],
)
def test_of_others_only_the_header(item: Item, body: bytes) -> None:
    text = notice(HEADER + body, item)
    assert b"Content-Type: text/rfc822-headers\r\n" in text
    assert b"Subject: hello\r\n" in text
    assert b"xxxxxx" not in text


def test_our_own_reasons_are_not_put_into_the_mouth_of_another() -> None:
    ours = Outcome(Verdict.FAILED, 550, "5.1.2", "there is no such domain", spoken=False)
    text = notice(HEADER, told=Told(BOB, ours, Action.FAILED, "5.1.2", "there is no such domain"))
    assert b"there is no such domain" in text
    assert b"Diagnostic-Code" not in text
    assert b"Remote-MTA" not in text


def test_eight_bits_are_declared() -> None:
    built = build(ITEM, [TOLD], Original(HEADER + b"\xe9\r\n"), hostname="mx.here.test", now=0.0)
    assert built is not None
    assert built.body == "8BITMIME"


def test_what_has_no_sender_has_no_notice() -> None:
    assert (
        build(replace(ITEM, sender=None), [TOLD], Original(HEADER), hostname="mx.here.test", now=0.0) is None
    )


@pytest.mark.parametrize(
    ("notify", "heard"),
    [
        ("", {"FAILURE", "DELAY"}),
        ("NEVER", set()),
        ("SUCCESS", {"SUCCESS"}),
        ("FAILURE DELAY", {"FAILURE", "DELAY"}),
    ],
)
def test_senders_choose_what_they_hear(notify: str, heard: set[str]) -> None:
    recipient = replace(BOB, notify=frozenset(notify.split()))
    assert {
        condition for condition in ("SUCCESS", "FAILURE", "DELAY") if wants(recipient, condition)
    } == heard


def test_internationalized_mail_goes_back_as_it_is_to_who_is_here_alone() -> None:
    original = "Subject: Grüße\r\n\r\nÄ.\r\n".encode()
    assert notice(original).isascii()  # RFC 6533 §4.5
    assert original in notice(original, replace(ITEM, account_id=7))
