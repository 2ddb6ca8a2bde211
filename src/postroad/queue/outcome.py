"""What an attempt came to, applied to the queue in one transaction.

Each recipient leaves, waits again or goes back to the sender; the trail says
so and the notice to the sender is filed, all of it or nothing.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from enum import Enum, auto
from typing import Final

from msgspec import Struct

from postroad.config.settings import Queue
from postroad.config.values import about_duration
from postroad.db.transaction import Transaction
from postroad.delivery import bounce
from postroad.delivery.bounce import Notice, Told
from postroad.delivery.own_mail import Sign, unsigned
from postroad.message.dsn import Action
from postroad.queue.item import Item, QueuedRecipient, Work
from postroad.queue.schedule import Step, after_deferral
from postroad.queue.spool import let_go, remove_recipients
from postroad.smtp.exchange import Source
from postroad.smtp.outcome import Outcome, Verdict
from postroad.trail import record
from postroad.trail.note import Fact, Note

NOT_IN_TIME: Final = "5.4.7"
"""RFC 3463 §3.5: delivery time expired."""
CANCELLED: Final = Outcome(Verdict.FAILED, 0, "5.4.0", "cancelled by the postmaster", spoken=False)

_WORDS: Final = 1000  # of a remote server, that are kept to be listed


class End(Enum):
    """What becomes of a recipient after an attempt."""

    DELIVERED = auto()
    FAILED = auto()
    EXPIRED = auto()
    """Deferred once more, and too old to be tried again."""
    WAITS = auto()
    WAITS_AND_TELL = auto()


_WAITING: Final = frozenset({End.WAITS, End.WAITS_AND_TELL})
_DELIVERED: Final = End.DELIVERED  # to look a member up takes longer than a call


class Judged(Struct, frozen=True):
    """One recipient, what was tried, and what follows from it."""

    recipient: QueuedRecipient
    outcome: Outcome
    end: End
    due: float = 0.0


def judge(
    work: Work, outcomes: Sequence[Outcome], *, now: float, settings: Queue, chance: float
) -> list[Judged]:
    """Decide what follows, recipient by recipient."""
    judged = []
    ends, tells = _term(work.item, settings)
    for recipient, outcome in zip(work.recipients, outcomes, strict=True):
        match outcome.verdict:
            case Verdict.DELIVERED:
                judged.append(Judged(recipient, outcome, End.DELIVERED))
            case Verdict.FAILED:
                judged.append(Judged(recipient, outcome, End.FAILED))
            case Verdict.DEFERRED:
                following = after_deferral(
                    settings,
                    now=now,
                    attempts=recipient.attempts + 1,
                    ends=ends,
                    tells=tells,
                    told_delay=recipient.told_delay,
                    may_tell=work.item.sender is not None and bounce.wants(recipient, "DELAY"),
                    chance=chance,
                )
                judged.append(Judged(recipient, outcome, _ENDS[following.step], following.due))
    return judged


def _term(item: Item, settings: Queue) -> tuple[float, float]:
    """When a message goes back undelivered, and when its sender hears that it is late."""
    ends, tells, by = item.begins + settings.lifetime, item.begins + settings.delay_notice, item.deliver_by
    if by is None:
        return ends, tells
    if by.returns:
        return min(ends, by.at), tells
    # What was late before it came has been told of, or else by the usual time (RFC 2852 §4).
    return ends, min(tells, by.at) if by.at > item.created else tells


def apply(
    tx: Transaction,
    work: Work,
    judged: Sequence[Judged],
    notices: Sequence[Notice],
    remarks: Sequence[Note] = (),
) -> list[Judged]:
    """Write down what became of a piece of work; give what was written. Nothing of its lease is left then.

    The lease, and the row of the destination, are for the caller (`leases.next_for`, `leases.drop_leases`).

    When the lease was lost on the way (this worker slept too long), another
    worker decides about the recipients. Only a delivery counts all the same:
    it has happened.
    """
    done: list[Judged] = []
    leaving: list[int] = []
    gone: set[int] = set()
    lost = False
    for j in judged:
        n = j.recipient.n
        if j.end in _WAITING:
            ours = _postpone(tx, work, j)
        elif ours := let_go(tx, work, n):
            gone.add(n)
        lost |= not (ours or j.outcome.filed)
        if ours or j.end is _DELIVERED:
            done.append(j)
            if j.end not in _WAITING:
                leaving.append(n)
    notes = attempt_notes(work, done)
    if not lost:
        notes += [*remarks, *(bounce.post(tx, notice) for notice in notices)]
    if notes:
        record.add(tx, work.item.trail_id, notes)
    remove_recipients(tx, work.item, leaving, gone=gone)
    return done


def ailing(judged: Sequence[Judged]) -> bool:
    """Whether nobody of the destination could be talked to."""
    return all(_silent(j.outcome) for j in judged)


def notices(
    work: Work,
    judged: Sequence[Judged],
    original: Source,
    *,
    hostname: str,
    now: float,
    settings: Queue,
    sign: Sign = unsigned,
) -> list[Notice]:
    """Write what the sender has to be told: at most one notice of each kind."""
    told: dict[Action, list[Told]] = {}
    for j in judged:
        if (one := _told(work, j, settings)) is not None:
            told.setdefault(one.action, []).append(one)
    built = [
        bounce.build(work.item, some, original, hostname=hostname, now=now, sign=sign)
        for some in told.values()
    ]
    return [notice for notice in built if notice is not None]


def attempt_notes(work: Work, judged: Sequence[Judged]) -> list[Note]:
    """One note for all recipients to whom the same was said."""
    notes = []
    for group in _alike([j for j in judged if not j.outcome.filed]):  # which has a note of its own
        outcome, end = group[0].outcome, group[0].end
        facts: dict[str, Fact] = {
            "queue": work.item.text_id,
            "recipients": [str(j.recipient.address) for j in group],
            "result": outcome.verdict.value,
            "reply": outcome.words,
            "spoken": outcome.spoken,
            "seconds": round(outcome.seconds, 3),
        }
        optional = {
            "host": outcome.host,
            "address": outcome.address,
            "tls": outcome.tls,
            "certificate": outcome.certificate,
            "policy": outcome.policy,
            "change": outcome.change,
        }
        facts.update({name: value for name, value in optional.items() if value})
        if end in _WAITING:
            facts["next"] = min(j.due for j in group)
        if end is End.EXPIRED:
            facts["expired"] = True
        notes.append(Note("attempt", facts))
    return notes


def _alike(judged: list[Judged]) -> Iterable[list[Judged]]:
    """Those to whom the same was said and for whom the same follows, together."""
    if len(judged) == 1:
        return [judged]
    groups: dict[tuple[Outcome, End], list[Judged]] = {}
    for j in judged:
        groups.setdefault((j.outcome, j.end), []).append(j)
    return groups.values()


_ENDS: Final = {
    Step.RETRY: End.WAITS,
    Step.RETRY_AND_TELL: End.WAITS_AND_TELL,
    Step.GIVE_UP: End.EXPIRED,
}


def _told(work: Work, j: Judged, settings: Queue) -> Told | None:
    if j.end is _DELIVERED:
        return _told_of_delivery(work.item, j.recipient, j.outcome)
    recipient, outcome = j.recipient, j.outcome
    ours = "" if outcome.spoken else outcome.text
    match j.end:
        case End.FAILED if bounce.wants(recipient, "FAILURE"):
            return Told(recipient, outcome, Action.FAILED, outcome.status, ours)
        case End.EXPIRED if bounce.wants(recipient, "FAILURE") and _was_to_return(work.item, settings):
            return Told(recipient, outcome, Action.FAILED, NOT_IN_TIME, f"{too_late(work.item)} {ours}")
        case End.EXPIRED if bounce.wants(recipient, "FAILURE"):
            reason = f"It was tried for {about_duration(settings.lifetime)}. {ours}"
            return Told(recipient, outcome, Action.FAILED, "4.4.7", reason)  # RFC 3463 §3.5
        case End.WAITS_AND_TELL:
            until = work.item.begins + settings.lifetime
            return Told(recipient, outcome, Action.DELAYED, outcome.status, ours, until)
        case _:
            return None


def _told_of_delivery(item: Item, recipient: QueuedRecipient, outcome: Outcome) -> Told | None:
    if bounce.wants(recipient, "SUCCESS") and not outcome.dsn_passed:
        # RFC 3461 §5.2.2: handed to a server that will not report, which is for us to say.
        return Told(recipient, outcome, Action.RELAYED, outcome.status, "It sends no confirmations.")
    if _reports_relaying(item, recipient, outcome):
        unaware = "" if outcome.by_passed else "It does not know of the time that you have set."
        return Told(recipient, outcome, Action.RELAYED, outcome.status, unaware)
    return None


def _was_to_return(item: Item, settings: Queue) -> bool:
    """Whether it has come to the time that its sender has set, not to the end that all messages have."""
    by = item.deliver_by
    return by is not None and by.returns and by.at < item.begins + settings.lifetime


def _reports_relaying(item: Item, recipient: QueuedRecipient, outcome: Outcome) -> bool:
    """RFC 2852 §4.1.4: with trace in any case, in mode N where the next server does not go by the time."""
    by = item.deliver_by
    if by is None or outcome.final or "NEVER" in recipient.notify:
        return False
    return by.trace or not (by.returns or outcome.by_passed)


def too_late(item: Item) -> str:
    """Why it comes back."""
    assert item.deliver_by is not None, "nothing else makes it late"
    moment = datetime.fromtimestamp(int(item.deliver_by.at), UTC)
    return f"It was to be delivered by {moment:%Y-%m-%d %H:%M:%S} UTC, as its sender wished."


def _silent(outcome: Outcome) -> bool:
    """Whether it says something of the destination: nobody there could be talked to."""
    return outcome.verdict is Verdict.DEFERRED and not (outcome.code and outcome.address)


def _postpone(tx: Transaction, work: Work, j: Judged) -> bool:
    """Have a recipient wait; False where the lease was lost."""
    # A recipient that was cancelled meanwhile is due at once, for its end.
    tx.run(
        "UPDATE queue_recipient SET lease_id = NULL, due = CASE WHEN cancelled THEN ? ELSE ? END, urgent = 0,"
        " attempts = attempts + 1, told_delay = told_delay OR ?, last_at = ?, last_host = ?, last_words = ?"
        " WHERE item_id = ? AND n = ? AND lease_id = ?",
        *(tx.now, j.due, j.end is End.WAITS_AND_TELL, tx.now, j.outcome.host, j.outcome.words[:_WORDS]),
        *(work.item.id, j.recipient.n, work.lease_id),
    )
    return bool(tx.changes())
