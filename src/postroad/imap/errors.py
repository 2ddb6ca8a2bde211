"""What a client hears when a service says no: the one table of IMAP (RFC 3501 §7.1, RFC 5530)."""

from typing import Final

from postroad.directory.errors import AuthenticationFailed, AuthorizationFailed, BadExchange
from postroad.imap.answer import Answer, No
from postroad.imap.numbering import BadNumber
from postroad.model.refusal import Refused, Unavailable
from postroad.store.errors import (
    AlreadyExists,
    AnnotationTooLarge,
    BadMailboxName,
    Conflict,
    Damaged,
    LimitReached,
    NoSuchMailbox,
    NoSuchMessage,
    NoSuchPart,
    NoSuchUse,
    NotAllowed,
    NoteTooLarge,
    OverQuota,
    StoreError,
    TooManyAnnotations,
    TooManyNotes,
)

SERVERBUG: Final = Answer(b"NO", b"SERVERBUG", b"an error in the server; it has been logged")
READ_ONLY: Final = Answer(b"NO", b"READ-ONLY", b"the mailbox is selected for reading only")
EXPUNGED: Final = Answer(b"NO", b"EXPUNGEISSUED", b"some of these messages have been deleted")

_REPLIES: Final[dict[type[Exception], Answer]] = {
    OverQuota: Answer(b"NO", b"OVERQUOTA", b"there is no room left in the account"),
    NoSuchMailbox: Answer(b"NO", b"NONEXISTENT", b"there is no such mailbox"),
    AlreadyExists: Answer(b"NO", b"ALREADYEXISTS", b"there is such a mailbox already"),
    NotAllowed: Answer(b"NO", b"NOPERM", b"you may not do that with this mailbox"),
    BadMailboxName: Answer(b"NO", b"CANNOT", b"a mailbox cannot have that name"),
    Conflict: Answer(b"NO", b"CANNOT", b"that cannot be done to this mailbox"),
    TooManyAnnotations: Answer(b"NO", b"METADATA TOOMANY", b"there are as many entries as may be"),
    NoteTooLarge: Answer(b"NO", b"ANNOTATE TOOBIG", b"the value is too long"),  # RFC 5257 §4.5
    TooManyNotes: Answer(b"NO", b"ANNOTATE TOOMANY", b"the message has as many entries as may be"),
    NoSuchPart: Answer(b"BAD", b"", b"the message has no such part"),  # RFC 5257 §3.2.1
    NoSuchUse: Answer(b"NO", b"USEATTR", b"there is no such use, or it cannot be had with others"),
    LimitReached: Answer(b"NO", b"LIMIT", b"that is more than this server keeps"),
    NoSuchMessage: EXPUNGED,
    Damaged: Answer(b"NO", b"CORRUPTION", b"the message is damaged; the operator has been told"),
    StoreError: Answer(b"NO", b"CANNOT", b"that cannot be done"),
    AuthenticationFailed: Answer(b"NO", b"AUTHENTICATIONFAILED", b"wrong name or password"),
    AuthorizationFailed: Answer(b"NO", b"AUTHORIZATIONFAILED", b"nobody may log in as somebody else"),
    Unavailable: Answer(b"NO", b"UNAVAILABLE", b"not now; try again later"),
    BadNumber: Answer(b"BAD", b"", b"there are not so many messages"),
}


def answer_to(error: Exception) -> Answer | None:
    """Return how to say `error`; None for what is nobody's fault but ours."""
    match error:
        case No(answer=answer):
            return answer
        case AnnotationTooLarge(most=most):
            return Answer(b"NO", b"METADATA MAXSIZE %d" % most, b"the value is too long")  # RFC 5464 §4.3
        case Refused(public=public):
            # Too many failed log-ins from there: RFC 5530 has LIMIT for nothing else.
            return Answer(b"NO", b"LIMIT", public.encode("ascii", "replace"))
        case BadExchange():
            return Answer(b"BAD", b"", str(error).encode("ascii", "replace"))
    for kind in type(error).__mro__:
        if kind in _REPLIES:
            return _REPLIES[kind]
    return None
