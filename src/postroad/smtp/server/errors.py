"""The one table that turns what services say into SMTP replies."""

from typing import Final

from postroad.directory.errors import AuthenticationFailed
from postroad.model.refusal import NoSpace, Refused, Unavailable
from postroad.obs.log import log
from postroad.smtp.wire.replies import Reply
from postroad.store.errors import LimitReached, NoSuchMailbox, OverQuota, StoreError

SERVER_BUG: Final = Reply(451, "4.3.0", "something went wrong here, try again later")
BROKEN: Final = Reply(421, "4.3.0", "something went wrong here, closing")
NO_ROOM: Final = Reply(452, "4.3.1", "no room for the message now, try again later")
TIMED_OUT: Final = Reply(421, "4.4.2", "waited too long, closing")
STOPPING: Final = Reply(421, "4.3.2", "the server is stopping, try again")
TOO_MANY_ERRORS: Final = Reply(421, "4.7.0", "too many errors, closing")
TOO_MANY_UNKNOWN: Final = Reply(421, "4.7.0", "too many unknown recipients, closing")
TOO_MANY_REFUSALS: Final = Reply(421, "4.7.0", "too many refusals, closing")
TOO_MANY_LOGINS: Final = Reply(421, "4.7.0", "too many failed log-ins, closing")
TLS_READY: Final = Reply(220, "2.0.0", "ready for TLS")
LOGGED_IN: Final = Reply(235, "2.7.0", "welcome")
BAD_CREDENTIALS: Final = Reply(535, "5.7.8", "name or password is wrong")
NOT_BASE64: Final = Reply(501, "5.5.2", "the response is not base64")
LOGIN_UNAVAILABLE: Final = Reply(454, "4.7.0", "log-in is not possible now, try again later")

_STORE: Final[dict[type[StoreError], Reply]] = {
    OverQuota: Reply(452, "4.2.2", "mailbox full"),  # RFC 3463 §3.3
    NoSuchMailbox: Reply(550, "5.1.1", "no such mailbox"),
    LimitReached: Reply(452, "4.2.2", "the mailbox has reached a limit"),
}


def reply_for(error: Exception) -> Reply | None:
    """Return what the peer hears of an expected error; None for one that is our bug."""
    match error:
        case Refused():
            return Reply(error.code, error.enhanced, error.public)
        case NoSpace():
            return NO_ROOM
        case Unavailable():
            return SERVER_BUG
        case AuthenticationFailed():
            return BAD_CREDENTIALS
        case StoreError():
            return _STORE.get(type(error), SERVER_BUG)
        case _:
            return None


def refusal(error: Exception, connection_id: str, step: str) -> tuple[Reply, str]:
    """What the peer is told, whatever went wrong, and the reason that it is not told; within `except`."""
    expected = reply_for(error)
    if expected is None:
        log.exception("smtp.bug", conn=connection_id, step=step)
    return expected or SERVER_BUG, error.private if isinstance(error, Refused) else str(error)
