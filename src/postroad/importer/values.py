"""What is carried between an account and files, whatever their format."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, Protocol, TypeAlias

from postroad.message.header import HeaderBlock
from postroad.model.annotation import Annotation

# RFC 3501 §9: a keyword is an atom.
_KEYWORD: Final = re.compile(r"[!#$&'+,\-./0-9:;<=>?@A-Z\[^_`a-z|}~]{1,100}")
MOST_KEYWORDS: Final = 100


@dataclass(frozen=True, slots=True)
class Folder:
    """A mailbox as the files know it."""

    name: str
    special_use: str = ""
    subscribed: bool = True
    place: str = ""
    """Where its messages lie, relative to the whole."""
    uidvalidity: int = 0
    uidnext: int = 0
    keywords: tuple[str, ...] = ()
    """Those that its messages have."""


@dataclass(frozen=True, slots=True)
class Carried:
    """One message: its octets with CR LF, and what an IMAP client sees beside them."""

    body: bytes
    flags: int
    keywords: frozenset[str]
    internal_date: int
    """Seconds since the epoch."""
    read: int
    """Octets of the files that it took, for the progress."""
    where: str = ""
    """Where it stands in the files, for people."""
    annotations: tuple[Annotation, ...] = ()
    """Everybody's, and those of the owner; only backups know them."""


@dataclass(frozen=True, slots=True)
class Bad:
    """A record that cannot be carried: it is named and skipped, and never ends the whole."""

    where: str
    why: str
    read: int = 0

    def __str__(self) -> str:
        return f"{self.where}: {self.why}"


Record: TypeAlias = Carried | Bad


class Target(Protocol):
    """Files that are written."""

    @staticmethod
    def place(name: str) -> str: ...
    def begin(self, folder: Folder) -> None: ...
    def add(self, uid: int, message: Carried) -> None: ...
    def finish(self) -> list[Bad]: ...


class Source(Protocol):
    """Files that are read."""

    def octets(self) -> int: ...
    def folders(self) -> Iterator[Folder]: ...
    def messages(self, folder: Folder) -> Iterator[Record]: ...


@dataclass(slots=True)
class Report:
    """What an export or import did."""

    mailboxes: int = 0
    messages: int = 0
    present: int = 0
    """Messages that the account had already."""
    bad: list[Bad] = field(default_factory=list)


def keywords_of(words: Iterator[str] | list[str]) -> frozenset[str]:
    """The words that may be keywords; what is none is left out."""
    found = [word for word in words if _KEYWORD.fullmatch(word)]
    return frozenset(found[:MOST_KEYWORDS])


def fault(body: bytes, most: int) -> str:
    """Why octets cannot be taken as a message; empty when they can."""
    if len(body) > most:
        return f"{len(body)} octets are more than message_size allows ({most})"
    if not body:
        return "is empty"
    if b"\0" in body:
        return "holds NUL octets, as after a crash"
    if not HeaderBlock.parse(body).fields:
        return "has no header field, so it is no message"
    return ""


def with_crlf(text: bytes) -> bytes:
    """Text with Unix line ends as mail has them; text that has CR LF anywhere stays as it is."""
    return text if b"\r\n" in text else text.replace(b"\n", b"\r\n")


def with_lf(body: bytes) -> bytes:
    """A message with Unix line ends; one that could not come back from them stays as it is."""
    text = body.replace(b"\r\n", b"\n")
    return text if with_crlf(text) == body else body
