"""FUZZY keys: what is like the text that a client looks for, and how much (RFC 6203)."""

import asyncio
from collections.abc import Iterator, Sequence
from typing import Final

from postroad.imap.turns import Turns
from postroad.imap.wire.search_keys import BodyKey, HeaderKey, TextKey
from postroad.message.encoded_word import decode_header
from postroad.message.header import HeaderBlock
from postroad.message.likeness import Likeness
from postroad.message.text import decoded_text_parts, search_text
from postroad.obs.log import log
from postroad.store.account import Account
from postroad.store.errors import Damaged
from postroad.store.listing import Batch
from postroad.store.messages import StoredMessage

_MESSAGES: Final = 100
"""Messages looked up together."""
_INLINE: Final = 128 * 1024
"""Octets of a message up to which decoding it costs less than a hop to a thread."""


class Fuzziness:
    """Looks into the messages of one account, and lets others have the loop in between."""

    def __init__(self, account: Account, turns: Turns, large: asyncio.Semaphore) -> None:
        """`large` bounds how many large messages are in memory at a time, over all searches."""
        self._account = account
        self._turns = turns
        self._large = large

    async def scores(
        self, key: HeaderKey | BodyKey | TextKey, batch: Batch, places: Sequence[int]
    ) -> dict[int, int]:
        """Return how relevant (1 to 100) those of the places are that are like the text at all."""
        likeness = Likeness(key.text)
        scores: dict[int, int] = {}
        for start in range(0, len(places), _MESSAGES):
            some = places[start : start + _MESSAGES]
            messages = self._account.open_all([batch.message_ids[at] for at in some])
            for at in some:
                message = messages.get(batch.message_ids[at])
                try:
                    if message is not None and (score := await self._score(key, likeness, message)):
                        scores[at] = score
                except Damaged as error:
                    damaged = batch.message_ids[at]
                    log.error("imap.damaged", account=self._account.id, message=damaged, reason=str(error))
                await self._turns.next()
        return scores

    async def _score(
        self, key: HeaderKey | BodyKey | TextKey, likeness: Likeness, message: StoredMessage
    ) -> int:
        if isinstance(key, HeaderKey) or message.size <= _INLINE:
            return likeness.score(_texts(key, message))
        async with self._large:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(None, lambda: likeness.score(_texts(key, message)))


def _texts(key: HeaderKey | BodyKey | TextKey, message: StoredMessage) -> Iterator[str]:
    if not isinstance(key, BodyKey):
        block = HeaderBlock.parse(message.header())
        name = key.field.encode().lower() if isinstance(key, HeaderKey) else None
        for field in block.fields:
            if name is None or field.name.lower() == name:
                yield decode_header(block.value(field))
    match key:
        case TextKey():
            yield from search_text(message.shared(), message.parts())
        case BodyKey():
            yield from decoded_text_parts(message.shared(), message.parts())
