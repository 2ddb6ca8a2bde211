"""What services say, as replies."""

import pytest

from postroad.directory.errors import AuthenticationFailed
from postroad.model.refusal import Refused, Unavailable
from postroad.smtp.server.errors import reply_for
from postroad.smtp.wire.replies import Reply
from postroad.store.errors import Damaged, LimitReached, NoSuchMailbox, OverQuota


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (OverQuota(), 452),
        (LimitReached(), 452),
        (NoSuchMailbox(), 550),
        (Damaged(), 451),
        (Unavailable("disk full"), 451),
        (AuthenticationFailed(), 535),
    ],
)
def test_expected_errors_have_a_reply(error: Exception, code: int) -> None:
    reply = reply_for(error)
    assert reply is not None
    assert reply.code == code
    assert reply.enhanced[0] == str(code)[0]


def test_what_is_private_is_not_said() -> None:
    assert reply_for(Refused(550, "5.7.1", "no", "because")) == Reply(550, "5.7.1", "no")


def test_a_bug_has_none() -> None:
    assert reply_for(ZeroDivisionError()) is None
