"""One command after the other is carried out and answered; no error of ours ends the session."""

from typing import Final

from postroad.imap.answer import Answer, No
from postroad.imap.dialogue import Dialogue
from postroad.imap.dispatch import QUICK, carry_out, may_expunge
from postroad.imap.errors import SERVERBUG, answer_to
from postroad.imap.news import catch_up, may_be_news, tell_others
from postroad.imap.selected import MailboxGone
from postroad.imap.wire.command import Command
from postroad.imap.wire.event import Event, SearchRefused
from postroad.imap.wire.mailbox_commands import Select
from postroad.imap.wire.search_commands import Search, Thread
from postroad.imap.wire.table import State
from postroad.obs.log import log
from postroad.obs.metrics import IMAP_COMMANDS

_STRANGER: Final = State.NOT_AUTHENTICATED


def serve_now(dialogue: Dialogue) -> bool:
    """See to what has just come, if that is one command that need not be waited for.

    False leaves it to the session, which has turns for a pipeline, words for
    what goes wrong, and tells what others have changed.
    """
    core = dialogue.core
    if core.compression is not None or core.state is _STRANGER:
        return False
    event = core.next_event()
    if event is not None:
        dialogue.left = event
        # Looked for first: whether there is news is asked once for a command, and not again behind a change.
        if not isinstance(event, Command) or (quick := QUICK.get(type(event))) is None:
            return False
        try:
            answer = None if may_be_news(dialogue) else quick(dialogue, event)
        except Exception:
            return False  # the session meets it again, and knows what to say
        if answer is None:
            return False
        dialogue.left = None
        IMAP_COMMANDS.count += 1
        core.tagged(event.tag, answer.status, answer.text, answer.code)
        dialogue.conn.extend(dialogue.patience)
    if core.buffered():
        return False
    dialogue.conn.flush()
    return True


async def serve(dialogue: Dialogue, event: Event) -> None:
    """Carry out one command and answer it; no error of ours ends the session."""
    if isinstance(event, SearchRefused) and event.saving and dialogue.maybe_selected is not None:
        dialogue.maybe_selected.saved = ()
    if not isinstance(event, Command):
        return  # what is left of a command that has been answered
    IMAP_COMMANDS.count += 1
    try:
        try:
            answer = await carry_out(dialogue, event)
        except (ConnectionError, MailboxGone):
            raise
        except Exception as error:
            answer = _excuse(dialogue, event, error)
        if answer is not None:
            # What SELECT has just told is news enough; a correction of it, EXPUNGE of all
            # things, in the same answer is legal and more than clients are ready for.
            if isinstance(event, Select):
                tell_others(dialogue)
            elif not dialogue.over and may_be_news(dialogue):
                code = await catch_up(dialogue, expunge=may_expunge(event))
                if isinstance(event, Search | Thread) and not answer.code and _owes_expunges(dialogue):
                    answer = answer._replace(code=b"EXPUNGEISSUED")  # RFC 5530 §3: what is gone was not found
                if code and answer.code:
                    dialogue.tell_modseq(code)
                elif code:
                    answer = answer._replace(code=code)
            dialogue.core.tagged(event.tag, answer.status, answer.text, answer.code)
    except MailboxGone:
        dialogue.mailbox_gone()
    if dialogue.core.state is _STRANGER:
        _bound_strangers(dialogue)


def _owes_expunges(dialogue: Dialogue) -> bool:
    return dialogue.maybe_selected is not None and dialogue.maybe_selected.owes_expunges


def _excuse(dialogue: Dialogue, command: Command, error: Exception) -> Answer:
    answer = answer_to(error)
    if answer is None:
        log.error(
            "imap.bug",
            conn=dialogue.conn.id,
            command=type(command).__name__,
            exc_info=(type(error), error, error.__traceback__),
        )
        return SERVERBUG
    if not isinstance(error, No):
        log.info(
            "imap.refused",
            conn=dialogue.conn.id,
            command=type(command).__name__,
            reason=f"{type(error).__name__}: {error}",
        )
    return answer


def _bound_strangers(dialogue: Dialogue) -> None:
    limits = dialogue.services.limits
    dialogue.stranger_commands += 1
    if dialogue.failures >= limits.auth_per_connection:
        dialogue.core.bye(b"too many failed log-ins")
    elif dialogue.stranger_commands >= limits.junk_commands:
        dialogue.core.bye(b"too many commands without log-in")
    else:
        return
    dialogue.over = True
