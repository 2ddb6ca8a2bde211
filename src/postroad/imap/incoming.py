"""Messages on their way into the store, in bounded memory (RFC 3501 §6.3.11, RFC 3502, RFC 7889).

Whatever can be known beforehand is refused before it is sent; what cannot be
kept any more is still taken to its end, so that the dialogue goes on behind it.
"""

import asyncio
from contextlib import ExitStack
from types import TracebackType
from typing import Final, TypeAlias

from msgspec import Struct

from postroad.imap.answer import No
from postroad.imap.dialogue import Dialogue
from postroad.imap.errors import answer_to
from postroad.imap.events import event_at_hand, next_event
from postroad.imap.message_limit import most_appended, too_many_at_once
from postroad.imap.news import tell_all
from postroad.imap.numbering import BadNumber
from postroad.imap.referring import excerpt_of
from postroad.imap.turns import Turns
from postroad.imap.wire.event import AppendEnd, AppendNext, Event, LiteralChunk
from postroad.imap.wire.message_commands import AppendStart, AppendText, MessageHead, UrlPart, Within
from postroad.message.binary import MisplacedNul, without_nuls
from postroad.model.octets import NUL, Body
from postroad.model.refusal import Unavailable
from postroad.store.account import Account
from postroad.store.annotating import need_rights, need_size
from postroad.store.errors import Damaged, StoreError
from postroad.store.prepare import INLINE
from postroad.store.types import Mailbox, NewMessage

MOST_PARTS: Final = 1000
"""Parts that one command puts together (RFC 4469)."""

_UTF8: Final = b"UTF8 ("
_BEHIND_A_TEXT: Final = (AppendEnd, AppendNext)
_Stretch: TypeAlias = AppendStart | AppendNext | AppendEnd


class _Message(Struct):
    """One message as far as it has come; its octets lie in the spool behind those of the one before."""

    head: MessageHead
    size: int = 0
    has_nul: bool = False


class Incoming:
    """The messages of one command. Use it as a context manager."""

    def __init__(self, dialogue: Dialogue) -> None:
        self.failure: No | StoreError | Unavailable | BadNumber | None = None
        """Why nothing of all this will be filed."""
        self._dialogue = dialogue
        self._limits = dialogue.services.limits
        self._most = most_appended(dialogue)
        self._messages: list[_Message] = []
        self._octets = 0
        self._received = 0
        self._parts = 0
        self._account_room: int | None = None
        """Octets that the account had room for when the command began; None without a limit."""
        self._disk_room = 0
        """And the disk. Both are looked at again when messages are kept."""
        self._place: tuple[Account, Mailbox] | None = None
        """Where the messages go, if they can."""
        self._spools = ExitStack()
        self._spool = self._spools.enter_context(dialogue.services.store.spool())

    def __enter__(self) -> "Incoming":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._spools.close()

    def measure(self, account: Account, mailbox: Mailbox, freed: int = 0) -> None:
        """Look where messages go and how much room is there; `freed` octets more once the command is done."""
        self._place = account, mailbox
        room = account.quota().room
        if room is not None:
            self._account_room = room + freed
        self._disk_room = self._dialogue.services.store.free_space()

    async def take(self, command: AppendStart) -> bool:
        """Take all in that the command brings; False where it has been answered already.

        Raises:
            No, StoreError, Unavailable: nothing is to be filed.
        """
        stretch: _Stretch = command
        core = self._dialogue.core
        while True:
            for piece in stretch.pieces:
                if isinstance(piece, MessageHead):
                    self._begin(piece)
                else:
                    await self._add_url(piece)
            text = None if isinstance(stretch, AppendEnd) else stretch.text
            if text is None:
                break
            self._expect(text)
            if self.failure is not None:
                await self._refuse(self.failure)
                return False
            core.accept_literal()
            message = self._messages[-1]
            following = self._take_in(message) or await self._await_rest(message)
            if not isinstance(following, _BEHIND_A_TEXT):
                return False  # the core has answered, or nobody is there any more
            stretch = following
        if self.failure is None and any(not message.size for message in self._messages):
            self.failure = No(b"", b"an empty message is none")
        if self.failure is not None:
            raise self.failure
        return True

    async def messages(self) -> list[NewMessage]:
        """Give the messages as they are to be kept.

        Raises:
            No: one of them cannot be.
            Unavailable: there is no room on the disk.
        """
        bodies = self._spool.parts([message.size for message in self._messages])
        if self._dialogue.enabled.utf8:
            bodies = [_unwrapped(body) for body in bodies]
        return [
            NewMessage(
                await self._encoded(body) if message.has_nul else body,
                message.head.flags.mask,
                message.head.flags.keywords,
                message.head.date,
                message.head.annotations,
            )
            for body, message in zip(bodies, self._messages, strict=True)
        ]

    def _begin(self, head: MessageHead) -> None:
        self._messages.append(_Message(head))
        if self.failure is None:
            try:
                if len(self._messages) > self._most:
                    raise too_many_at_once(self._dialogue)
                if head.annotations and self._place is not None:
                    account, mailbox = self._place
                    need_rights(account.rights(mailbox.id), mailbox.id, head.annotations)
                    need_size(self._limits, head.annotations)
            except (No, StoreError) as error:
                self.failure = error

    # -- texts ------------------------------------------------------------------

    def _expect(self, text: AppendText) -> None:
        """Look whether a text may come."""
        if self.failure is not None:
            return
        if not text.size and text.within in (Within.MESSAGE, Within.UTF8):
            # RFC 3502 §6.3.11: how a client says that it changed its mind.
            self.failure = No(b"", b"an empty message is none")
        else:
            self._make_room(text.size)

    def _make_room(self, octets: int) -> None:
        """Count octets that are to come to the last message, if there is room for them."""
        limits = self._limits
        message = self._messages[-1]
        self._parts += 1
        message.size += octets
        self._octets += octets
        if message.size > limits.message_size:
            self.failure = No(b"TOOBIG", b"the message is too big")
        elif self._parts > MOST_PARTS:
            self.failure = No(b"LIMIT", b"too many parts at once")
        elif self._account_room is not None and self._octets > self._account_room:
            self.failure = No(b"OVERQUOTA", b"there is no room left in the account")
        elif self._disk_room < max(limits.free_space, self._octets * 3 // 2):
            self.failure = No(b"LIMIT", b"the server has no room left")

    async def _refuse(self, error: Exception) -> None:
        answer = answer_to(error)
        assert answer is not None
        await tell_all(self._dialogue)
        self._dialogue.core.refuse_literal(answer.status, answer.text, answer.code)

    def _take_in(self, message: _Message) -> Event | None:
        """Take what has come of a text, also where it can no longer be kept; give what follows it.

        None where that has not come yet, or nobody is there any more.
        """
        dialogue = self._dialogue
        while True:
            event = event_at_hand(dialogue)
            if not isinstance(event, LiteralChunk):
                return event
            self._keep(message, event.data)

    async def _await_rest(self, message: _Message) -> Event | None:
        """The same of what is still to come."""
        dialogue, limits = self._dialogue, self._limits
        start, before = dialogue.conn.deadline(limits.data_timeout), self._received
        while True:
            # A peer may be slow, but not for ever: time grows with what has come.
            grown = (self._received - before) / limits.data_rate
            event = await next_event(dialogue, start + grown)
            if not isinstance(event, LiteralChunk):
                return event
            self._keep(message, event.data)
            event = self._take_in(message)
            if event is not None:
                return event

    def _keep(self, message: _Message, data: bytes) -> None:
        self._received += len(data)
        if self.failure is not None:
            return
        message.has_nul = message.has_nul or NUL in data
        try:
            self._spool.write(data)
        except Unavailable as error:
            self.failure = error

    # -- parts that are here ------------------------------------------------------

    async def _add_url(self, part: UrlPart) -> None:
        """Copy octets of a message that is here, as they are (RFC 4469 §3)."""
        if self.failure is not None:
            return
        message = self._messages[-1]
        turns = Turns(self._dialogue.conn, self._dialogue.services.clock)
        try:
            excerpt = excerpt_of(self._dialogue, part.url)
            self._make_room(excerpt.size)
            for piece in excerpt.pieces() if self.failure is None else ():
                self._keep(message, piece)
                await turns.next()
        except (No, Damaged) as error:
            self.failure = error

    # -- what may not be kept as it came --------------------------------------------

    async def _encoded(self, body: Body) -> Body:
        """Bring parts with NULs into base64: nothing else may ever say NUL to a client (RFC 3516 §6)."""
        spool = self._spools.enter_context(self._dialogue.services.store.spool())

        def encode() -> Body:
            for piece in without_nuls(bytes(body) if isinstance(body, memoryview) else body):
                spool.write(piece)
            return spool.finish()

        try:
            return encode() if len(body) <= INLINE else await asyncio.to_thread(encode)
        except MisplacedNul:
            raise No(b"", b"NUL has no place outside of the body of a part") from None


def _unwrapped(body: Body) -> Body:
    """Take a message out of `UTF8 (…)` that came within the literal: how imaplib writes RFC 6855 §4.

    No message begins like that.
    """
    if bytes(body[: len(_UTF8)]) != _UTF8 or bytes(body[-1:]) != b")":
        return body
    return memoryview(body)[len(_UTF8) : -1]
