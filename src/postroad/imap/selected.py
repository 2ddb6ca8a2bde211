"""The selected mailbox as its client knows it (RFC 3501 §2.3.1.2, §5.2, §7.4.1).

A session may only use what it has told: message numbers are places in `uids`,
an array that changes when EXISTS or EXPUNGE is said and at no other time.
Messages that others have expunged keep their numbers until a command comes
during which EXPUNGE may be sent.
"""

from array import array
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from postroad.imap.annotations import changed_names
from postroad.imap.contexts import Contexts
from postroad.imap.enabled import Enabled
from postroad.imap.flag_text import FlagTexts
from postroad.imap.notify.hearing import Hearing
from postroad.imap.numbering import Numbering
from postroad.imap.recent import Recent
from postroad.imap.shared_uids import SharedUids
from postroad.imap.uid_set import Pairs, is_in, members, pairs_of
from postroad.imap.wire.responses import expunge_lines, vanished_lines
from postroad.model.rights import ALL_RIGHTS, NO_RIGHTS, Rights, changeable
from postroad.store.account import Account
from postroad.store.listing import Batch, Listing
from postroad.store.types import Changes, Entry, FlagsResult, Mailbox


class MailboxGone(Exception):
    """The selected mailbox has been deleted by another session."""


class News(NamedTuple):
    """What has happened in a mailbox, to be told."""

    lines: bytes = b""
    code: bytes = b""
    """HIGHESTMODSEQ, for the tagged response or an untagged OK, where it has to be told."""
    touched: Sequence[int] = ()
    """UIDs of messages that are new or have changed, by whomever; ascending."""
    fresh: Sequence[int] = ()
    """Those of them that are new and that the client has not filed itself."""


class Selected(Numbering):
    """One session's view of one mailbox. Take it from `select`."""

    __slots__ = (
        *("_annotated", "_enabled", "_filed", "_gone", "_has_just_looked", "_recent", "_shared", "_told"),
        *("_unheard", "account", "annotate", "contexts", "flags", "id", "is_guest", "key_reset", "modseq"),
        *("read_only", "rights", "uidnext", "uidvalidity", "whole"),
    )

    def __init__(
        self,
        account: Account,
        mailbox: Mailbox,
        listing: Listing,
        shared: SharedUids,
        enabled: Enabled,
        *,
        read_only: bool,
        rights: Rights = ALL_RIGHTS,
        annotate: bool = False,
    ) -> None:
        super().__init__(shared.share(account.id, mailbox.id, listing.modseq, listing.uids))
        self.id = mailbox.id
        self.uidvalidity = mailbox.uidvalidity
        self.read_only = read_only
        """Opened by EXAMINE: nothing is changed, whatever the rights."""
        self.rights = rights
        self.annotate = annotate
        """Whether the client wants to hear which annotations others change (RFC 5257 §4.2)."""
        self.is_guest = account.user_id != account.id
        """Whether it is somebody else's, who may give and withdraw rights."""
        self.uidnext = listing.uidnext
        self.modseq = listing.modseq
        self.key_reset = 0
        """The modseq at which this session itself has reset the key of its URLs (RFC 4467)."""
        self.flags = FlagTexts()
        self.contexts = Contexts()
        """Results that the client follows."""
        self.account = account
        """Whose mailbox it is."""
        self._enabled = enabled
        self._shared = shared
        self._recent = Recent()
        self._gone: set[int] = set()
        """UIDs that are expunged and not announced."""
        self._filed: set[int] = set()
        """UIDs that the client has filed here itself and that are not announced."""
        self.whole = self.modseq
        """Up to this modseq everything has been told, expunges too."""
        self._unheard: int | None = None
        """After this modseq flags have changed of which the client does not want to hear."""
        self._told: dict[int, int] = {}
        """Modseq by UID of changes that the client made, or was told, since `modseq`."""
        self._annotated: set[int] = set()
        """Modseqs since then at which the client itself has changed annotations."""
        self._has_just_looked = False
        """Whether the last change has shown by itself that there is no other news."""

    @property
    def uidonly(self) -> bool:
        """Whether messages are told by UID, and never by number (RFC 9586)."""
        return self._enabled.uidonly

    @property
    def international(self) -> bool:
        """Whether the client knows messages whose headers are UTF-8 (RFC 9051, RFC 6855)."""
        return self._enabled.utf8

    # -- \Recent -----------------------------------------------------------

    async def claim_recent(self) -> None:
        """Make what is new in the mailbox \\Recent here; IMAP4rev2 knows nothing of it."""
        if self._enabled.rev2:
            return
        if self.read_only:
            self._recent.look(self.account, self.id)
        else:
            await self._recent.claim(self.account, self.id)

    @property
    def recent(self) -> Pairs:
        """Which UIDs are \\Recent in this session, present or not."""
        return () if self._enabled.rev2 else self._recent.pairs

    def sizes(self) -> bytes:
        """Return EXISTS, and RECENT for those who know it (RFC 9051 appendix E, 12)."""
        exists = b"* %d EXISTS\r\n" % self.exists
        return exists if self._enabled.rev2 else exists + self._recent.line(self.recent_count())

    def recent_count(self) -> int:
        """What RECENT says."""
        return self.count(self.recent)

    # -- what changes ------------------------------------------------------

    def tell(self, done: FlagsResult) -> None:
        """Note entries whose state the client has been told, or has made itself."""
        # Nothing else has happened in between, and nobody wants to be told what this has changed.
        is_all = done.since == self.modseq and not self.contexts
        if is_all:
            self._reach(done.modseq)
        self._annotated.update(done.annotated)
        known = self.modseq
        for entry in done.entries:
            if entry.modseq > known:
                self._told[entry.uid] = entry.modseq
                is_all = False
        self._has_just_looked = is_all

    def tell_batch(self, batch: Batch) -> None:
        """The same for entries of a listing."""
        known = self.modseq
        if max(batch.modseqs, default=0) > known:
            news = zip(batch.uids, batch.modseqs, strict=True)
            self._told.update([(uid, modseq) for uid, modseq in news if modseq > known])

    def highest_modseq(self) -> bytes:
        """Return the code HIGHESTMODSEQ: a client that comes back from there misses nothing.

        It is below the expunges that still have to wait (RFC 7162 §3.2).
        """
        return b"HIGHESTMODSEQ %d" % self.whole

    @property
    def owes_expunges(self) -> bool:
        """Whether messages are gone that the client still has by number."""
        return bool(self._gone)

    def expunged(self, uids: Iterable[int]) -> None:
        """Note messages that the client has expunged or moved away itself: it hears of these in any case."""
        self._gone.update(members(pairs_of(uids), self.uids))

    def filed(self, uids: Iterable[int]) -> None:
        """Note messages that the client has put here itself: EXISTS is all that is told of them."""
        self._filed.update(uids)

    def may_have_news(self, hearing: Hearing) -> bool:
        """Whether there may be anything that `catch_up` would tell: most often there is nothing."""
        has_just_looked, self._has_just_looked = self._has_just_looked, False
        return (
            bool(self._gone)
            or self._unheard is not None
            or self.is_guest
            or not hearing.messages
            or (not has_just_looked and self.account.modseq(self.id) != self.modseq)
        )

    async def catch_up(self, hearing: Hearing, *, expunge: bool) -> News:
        """Return what has happened in the mailbox since the client was last told.

        EXPUNGE is left for later where the command has no room for it
        (RFC 3501 §7.4.1): during FETCH, STORE and SEARCH a client counts on
        message numbers to stay.

        Raises:
            MailboxGone
        """
        rights = [self.flag_listing()] if self.is_guest and self.look_at_rights() else []
        if not hearing.messages:
            return self._own_doing(rights, expunge=expunge)
        since = known = self.modseq
        if hearing.flags and self._unheard is not None:
            since, self._unheard = self._unheard, None
        changes = self.account.changes(self.id, since)
        if not changes.exists:
            raise MailboxGone
        if changes.modseq == since and not self._gone:
            return News(b"".join(rights))
        if changes.complete:
            self._gone.update(members(pairs_of(changes.vanished), self.uids))
        else:
            self._gone.update(set(self.uids).difference((await self.account.listing(self.id)).uids))
        fewer = bool(self._gone)
        lines = rights + self._fewer(expunge=expunge)
        fresh = [entry.uid for entry in changes.entries if entry.uid >= self.uidnext]
        changed = self._changed(changes)
        if changes.annotated > known and self._hears_annotations(hearing):
            told = changed if hearing.flags else []
            changed = self._tell_annotations(changes, known, told, lines, uid=hearing.unasked)
        if hearing.flags:
            lines += self.flag_lines(changed, uid=hearing.unasked) if changed else []
        elif changed and self._unheard is None:
            self._unheard = since
        if fresh:
            self.uids = self.uids + array("I", fresh)
            self.uidnext = changes.uidnext
            await self.claim_recent()
            lines.append(self.sizes())
            if self._filed:
                fresh = [uid for uid in fresh if uid not in self._filed]
                self._filed.clear()
        lines.append(self._recent.news(self.recent_count()))
        self._reach(changes.modseq)
        # Said as well while expunges wait: MODSEQs that are told meanwhile may be higher than theirs.
        code = self.highest_modseq() if fewer and self._enabled.condstore else b""
        return News(b"".join(lines), code, [entry.uid for entry in changes.entries], fresh)

    def _own_doing(self, rights: list[bytes], *, expunge: bool) -> News:
        """What a client hears that wants to hear nothing of this mailbox (RFC 5465 §3.1)."""
        if not self.account.modseq(self.id):
            raise MailboxGone
        fewer = bool(self._gone)
        lines = [*rights, *self._fewer(expunge=expunge), self._recent.news(self.recent_count())]
        return News(b"".join(lines), self.highest_modseq() if fewer and self._enabled.condstore else b"")

    def _fewer(self, *, expunge: bool) -> list[bytes]:
        """Tell what is gone, to those who follow results first (RFC 5267 §4.3.4)."""
        lines: list[bytes] = []
        if self._gone and self.contexts:
            lines.append(self.contexts.without(self._gone, self.number))
        if self._gone and expunge:
            lines.append(self._expunge())
        return lines

    def _reach(self, modseq: int) -> None:
        """Go on from `modseq`: all up to there has been told."""
        self.modseq = modseq
        self._told.clear()
        self._annotated.clear()
        if not self._gone and self._unheard is None:
            self.whole = modseq
        if not self._gone:
            self.uids = self._shared.share(self.account.id, self.id, modseq, self.uids)

    def _expunge(self) -> bytes:
        gone = self._gone
        if self._enabled.qresync or self._enabled.uidonly:  # RFC 9586 §3.4
            lines = vanished_lines(pairs_of(sorted(gone)))
            self.uids = array("I", [uid for uid in self.uids if uid not in gone])
            gone.clear()
            return lines
        # From the highest down, so that each number holds whatever was said before it.
        numbers = [number for number, uid in enumerate(self.uids, 1) if uid in gone]
        self.uids = array("I", [uid for uid in self.uids if uid not in gone])
        gone.clear()
        return expunge_lines(reversed(numbers))

    def _changed(self, changes: Changes) -> list[Entry]:
        """The entries that the client knows and whose flags are others than it has been told."""
        told = self._told
        return [e for e in changes.entries if e.uid < self.uidnext and told.get(e.uid) != e.modseq]

    def _hears_annotations(self, hearing: Hearing) -> bool:
        return self.annotate if hearing.annotations is None else hearing.annotations

    def _tell_annotations(
        self, changes: Changes, since: int, changed: list[Entry], lines: list[bytes], *, uid: bool
    ) -> list[Entry]:
        """Tell which annotations others have changed, and flags that may be new; give the other entries."""
        names = changed_names(self.account, self.id, since, self._annotated)
        rows = [entry for entry in changes.entries if entry.uid in names]
        flagged = {entry.uid for entry in changed}
        lines.append(self.new_keywords(entry.keywords for entry in rows))
        uid = uid or self._enabled.rev2 or self._enabled.condstore
        for number, e in zip(*self.numbered(rows), strict=True):
            said = names[e.uid]
            if e.uid in flagged:
                said = b"FLAGS (%b) %b" % (self.flags.text(e, is_in(self.recent, e.uid)), said)
            if self._enabled.uidonly:
                lines.append(self._uidfetch(e, said))
                continue
            said = b"UID %d %b" % (e.uid, said) if uid else said
            said += b" MODSEQ (%d)" % e.modseq if self._enabled.condstore else b""
            lines.append(b"* %d FETCH (%b)\r\n" % (number, said))
        return [entry for entry in changed if entry.uid not in names]

    def flag_lines(self, rows: list[Entry], *, uid: bool = False) -> list[bytes]:
        """Return FETCH responses with the flags of `rows`, and FLAGS first where a keyword is new."""
        numbers, rows = self.numbered(rows)
        lines = [self.new_keywords(row.keywords for row in rows)]
        text = self.flags.text
        recent = self.recent
        aware = self._enabled.condstore
        if self._enabled.uidonly:
            return lines + [self._uidfetch(e, b"FLAGS (%b)" % text(e, is_in(recent, e.uid))) for e in rows]
        uid = uid or self._enabled.rev2  # RFC 9051 appendix E, 21
        for number, e in zip(numbers, rows, strict=True):
            words = text(e, is_in(recent, e.uid))
            if aware:
                values = (number, e.uid, words, e.modseq)
                lines.append(b"* %d FETCH (UID %d FLAGS (%b) MODSEQ (%d))\r\n" % values)
            elif uid:
                lines.append(b"* %d FETCH (UID %d FLAGS (%b))\r\n" % (number, e.uid, words))
            else:
                lines.append(b"* %d FETCH (FLAGS (%b))\r\n" % (number, words))
        return lines

    def modseq_lines(self, rows: list[Entry]) -> list[bytes]:
        """Return FETCH responses that name UID and MODSEQ of `rows`, whose flags the client knows."""
        numbers, rows = self.numbered(rows)
        if self._enabled.uidonly:
            return [self._uidfetch(e) for e in rows]
        return [
            b"* %d FETCH (UID %d MODSEQ (%d))\r\n" % (number, e.uid, e.modseq)
            for number, e in zip(numbers, rows, strict=True)
        ]

    def _uidfetch(self, entry: Entry, said: bytes = b"") -> bytes:
        """Return a UIDFETCH response (RFC 9586 §3.3), with MODSEQ where the client knows it."""
        modseq = b"MODSEQ (%d)" % entry.modseq if self._enabled.condstore else b""
        return b"* %d UIDFETCH (%b)\r\n" % (entry.uid, b" ".join([part for part in (said, modseq) if part]))

    def new_keywords(self, stored: Iterable[str]) -> bytes:
        """Return new FLAGS and PERMANENTFLAGS where keywords come that were not named so far (§7.2.6)."""
        if not self.flags.learn(set(stored)):
            return b""
        return self.flag_listing()

    def flag_listing(self) -> bytes:
        """Return FLAGS and PERMANENTFLAGS as the rights are."""
        return self.flags.listing(NO_RIGHTS if self.read_only else self.rights)

    def look_at_rights(self) -> bool:
        """Take note of rights that were given or withdrawn; whether the flags that may be changed are others.

        Raises:
            MailboxGone: it may not be read any more (RFC 4314 §5.1.1).
        """
        rights = self.account.rights(self.id)
        if "r" not in rights:
            raise MailboxGone
        before, self.rights = self.rights, rights
        return changeable(before) != changeable(rights) and not self.read_only
