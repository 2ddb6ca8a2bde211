"""STORE and UID STORE of flags and of annotations (RFC 3501 §6.4.6, RFC 5257 §4.5, RFC 7162 §3.1.3)."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple, TypeAlias

from postroad.imap.answer import Answer, ok
from postroad.imap.dialogue import Dialogue
from postroad.imap.errors import EXPUNGED, READ_ONLY
from postroad.imap.message_limit import newest, with_code
from postroad.imap.selected import Selected
from postroad.imap.uid_set import Pairs, pairs_of
from postroad.imap.wire import responses
from postroad.imap.wire.message_commands import Annotate, Store
from postroad.store.types import Entry, FlagsResult

_Change: TypeAlias = Callable[[Pairs, int | None], Awaitable[FlagsResult]]
"""Changes messages, but those that have changed after a modseq."""


class _Done(NamedTuple):
    """What has become of the messages that were named and are there."""

    quiet: list[Entry]
    """The client knows their flags without being told."""
    loud: list[Entry]
    conflicts: list[int]
    """UIDs left alone because of UNCHANGEDSINCE; their entries are loud."""


async def store_flags(dialogue: Dialogue, command: Store) -> Answer:
    """Change flags; every message is told with its new ones unless the client wants silence."""
    selected, flags = dialogue.selected, command.flags

    def change(pairs: Pairs, unchanged_since: int | None) -> Awaitable[FlagsResult]:
        reached = dialogue.progress(command.tag, selected.count(pairs)).reach
        return selected.account.store_flags(
            selected.id, pairs, command.mode, flags.mask, flags.keywords, unchanged_since, reached
        )

    return await _store(dialogue, command, change, silent=command.silent)


async def annotate(dialogue: Dialogue, command: Annotate) -> Answer:
    """Change annotations; that is silent always (RFC 5257 §4.5)."""
    selected = dialogue.selected

    def change(pairs: Pairs, unchanged_since: int | None) -> Awaitable[FlagsResult]:
        reached = dialogue.progress(command.tag, selected.count(pairs)).reach
        return selected.account.annotate(selected.id, pairs, command.annotations, unchanged_since, reached)

    return await _store(dialogue, command, change, silent=True)


async def _store(dialogue: Dialogue, command: Store | Annotate, change: _Change, *, silent: bool) -> Answer:
    if command.unchanged_since is not None:
        dialogue.aware_of_modseqs()
    selected = dialogue.selected
    if selected.read_only:
        return READ_ONLY
    pairs, code = newest(dialogue, selected, selected.uid_pairs(command.messages, uid=command.uid))
    work = _in_silence if silent else _aloud
    done = await work(selected, change, pairs, command.unchanged_since)
    lines = [selected.new_keywords(entry.keywords for entry in (*done.quiet, *done.loud))]
    if dialogue.enabled.condstore:  # its copy of the mod-sequence has to follow, in silence too
        lines += selected.modseq_lines(done.quiet)
    lines += selected.flag_lines(done.loud, uid=command.uid)
    dialogue.core.write(b"".join(lines))
    gone = not command.uid and len(done.quiet) + len(done.loud) < selected.count(pairs)
    if done.conflicts:
        failed = done.conflicts if command.uid else [selected.number(uid) for uid in done.conflicts]
        answer = Answer(b"NO" if gone else b"OK", responses.modified(failed), b"some have changed meanwhile")
        return with_code(dialogue, answer, code)
    if gone:  # RFC 2180 §4.2: NO, but to who wants silence
        return with_code(dialogue, EXPUNGED._replace(status=b"OK") if silent else EXPUNGED, code)
    return with_code(dialogue, ok(b"done"), code)


async def _aloud(selected: Selected, change: _Change, pairs: Pairs, bound: int | None) -> _Done:
    result = await change(pairs, bound)
    selected.tell(result)
    return _Done([], result.entries, result.conflicts)


async def _in_silence(selected: Selected, change: _Change, pairs: Pairs, bound: int | None) -> _Done:
    """Make a change; what somebody else changed meanwhile is loud all the same.

    .SILENT is about the client's own change. Of another's the client would
    never learn (§6.4.6), so those messages are left out at first and then
    told, as both changes left them: told any sooner, flags would be older
    than what the client takes as done.
    """
    known = selected.modseq
    first = await change(pairs, known if bound is None else min(bound, known))
    selected.tell(first)
    if not first.conflicts:
        return _Done(first.entries, [], [])
    refused = set(first.conflicts)
    quiet = [entry for entry in first.entries if entry.uid not in refused]
    if bound is not None and bound <= known:
        return _Done(quiet, [entry for entry in first.entries if entry.uid in refused], first.conflicts)
    again = await change(pairs_of(first.conflicts), bound)
    selected.tell(again)
    return _Done(quiet, again.entries, again.conflicts)
