"""What is in a mailbox, for tests to look at and to wait for."""

import asyncio
from dataclasses import dataclass
from typing import Final

from postroad.message.encoded_word import decode_header
from postroad.message.header import HeaderBlock
from postroad.message.part import parse_parts
from postroad.message.text import decoded_text_parts
from postroad.model.flags import render
from postroad.store.account import EVERYTHING, Account
from postroad.store.store import Store
from postroad.store.types import Entry

PATIENCE: Final = 30.0
"""Seconds of real time after which waiting is given up; what passes takes milliseconds."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message as IMAP and POP3 would serve it."""

    uid: int
    octets: bytes
    flags: frozenset[str]

    def headers(self, name: str) -> list[str]:
        """The values of all fields of that name, unfolded and decoded."""
        block = HeaderBlock.parse(self.octets)
        return [decode_header(value) for value in block.all(name.lower().encode())]

    def header(self, name: str) -> str:
        """The value of the first field of that name; empty if there is none."""
        values = self.headers(name)
        return values[0] if values else ""

    @property
    def subject(self) -> str:
        """The decoded subject."""
        return self.header("Subject")

    @property
    def body(self) -> bytes:
        """Everything behind the header, as it is."""
        return self.octets[HeaderBlock.parse(self.octets).body_start :]

    @property
    def text(self) -> str:
        """All text parts, decoded."""
        return "\n".join(decoded_text_parts(self.octets, parse_parts(self.octets)))


class MailboxView:
    """One mailbox of one account, as one worker sees it."""

    def __init__(self, store: Store, account: Account, name: str) -> None:
        self._store = store
        self._account = account
        self._name = name

    def messages(self) -> list[Message]:
        """Everything in it, the oldest first."""
        mailbox = self._account.mailbox(self._name)
        if mailbox is None:
            raise LookupError(f"there is no mailbox {self._name}")
        return [self._message(entry) for entry in self._account.entries(mailbox.id, EVERYTHING)]

    async def wait(self, subject: str | None = None, *, timeout: float = PATIENCE) -> Message:
        """Return the first message (with that subject), as soon as it is there.

        Raises:
            AssertionError: it did not come within `timeout` seconds.
        """
        news = asyncio.Event()
        unsubscribe = self._store.watch.subscribe(f"account:{self._account.id}", news.set)
        try:
            async with asyncio.timeout(timeout):
                while True:
                    for message in self.messages():
                        if subject is None or message.subject == subject:
                            return message
                    await news.wait()
                    news.clear()
        except TimeoutError:
            there = [message.subject for message in self.messages()]
            raise AssertionError(
                f"no message {subject or ''!r} in {self._name} within {timeout:g} s; there are {there}"
            ) from None
        finally:
            unsubscribe()

    def _message(self, entry: Entry) -> Message:
        stored = self._account.open(entry.message_id)
        flags = frozenset(render(entry.flags, entry.keywords).decode().split())
        return Message(entry.uid, stored.read(0, stored.size), flags)
