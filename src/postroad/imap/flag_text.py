"""Flags as responses show them (RFC 3501 §2.3.2, §7.2.6)."""

from collections.abc import Iterable
from typing import Final

from postroad.model.flags import SYSTEM_TEXT, render
from postroad.model.rights import ALL_RIGHTS, Rights, changeable
from postroad.store.types import Entry

MOST_NAMED: Final = 1000
"""Keywords after which FLAGS names no more, or a mailbox could be made that nobody can select any more."""
_SYSTEM: Final = SYSTEM_TEXT[31]


class FlagTexts:
    """The keywords that a client has been shown, and flag lists ready to be sent."""

    __slots__ = ("_keywords", "_texts")

    def __init__(self) -> None:
        self._keywords: dict[str, str] = {}
        self._texts: dict[tuple[int, str], bytes] = {}

    def text(self, entry: Entry, recent: bool) -> bytes:
        """Return the inside of the FLAGS list of one message."""
        words = self.ready(entry.flags, entry.keywords)
        return self.with_recent(words) if recent else words

    @staticmethod
    def with_recent(words: bytes) -> bytes:
        """Return a flag list with \\Recent added."""
        return words + b" \\Recent" if words else b"\\Recent"

    def ready(self, flags: int, keywords: str) -> bytes:
        """Return the flag list without \\Recent."""
        if not keywords:
            return SYSTEM_TEXT[flags]
        key = (flags, keywords)
        words = self._texts.get(key)
        if words is None:
            if len(self._texts) > 1000:  # every message may have keywords of its own
                self._texts.clear()
            words = self._texts[key] = render(flags, keywords)
        return words

    def learn(self, stored: Iterable[str]) -> bool:
        """Note keywords, in the stored form; tell whether one of them is new."""
        before = len(self._keywords)
        for words in stored if before < MOST_NAMED else ():
            for word in words.split(" ") if words else ():
                self._keywords.setdefault(word.lower(), word)
            if len(self._keywords) >= MOST_NAMED:
                break
        return len(self._keywords) > before

    def listing(self, rights: Rights) -> bytes:
        """Return the FLAGS and PERMANENTFLAGS responses (§6.3.1, §7.1), the latter as far as rights go."""
        names = b" ".join([_SYSTEM, *(word.encode() for word in self._keywords.values())])
        if rights == ALL_RIGHTS:
            permanent = names + b" \\*"
        else:  # RFC 4314 §5.1.1
            permanent = SYSTEM_TEXT[changeable(rights)]
            if "w" in rights:
                words = [word.encode() for word in self._keywords.values()]
                permanent = b" ".join([permanent, *words, b"\\*"])
        return b"* FLAGS (%b)\r\n* OK [PERMANENTFLAGS (%b)] flags that stay\r\n" % (names, permanent)
