"""Trails in plain sentences."""

from postroad.trail.note import Note, Trail
from postroad.trail.sentences import Story, tell


def story(
    *notes: tuple[float, Note], kind: str = "out", recipients: tuple[str, ...] = ("lu@c.example",)
) -> Story:
    trail = Trail(1, 100.0, kind, "ada@e.com", recipients, "m@e.com", "Invoice 118", notes)  # type: ignore[arg-type]
    return tell(trail, lambda at: f"t{at:.0f}")


def lines(told: Story) -> list[tuple[str, str]]:
    return [(line.label, line.text) for line in told.lines]


def attempt(result: str, reply: str, *recipients: str, **facts: str | float | bool) -> Note:
    return Note(
        "attempt",
        {"recipients": list(recipients or ("lu@c.example",)), "result": result, "reply": reply, **facts},
    )


QUEUED = Note("queued", {"queue": "Q000001", "recipients": ["lu@c.example"]})


def test_a_message_that_was_greylisted_and_then_accepted() -> None:
    told = story(
        (
            100.0,
            Note(
                "received",
                {
                    "login": "ada@e.com",
                    "address": "192.0.2.1",
                    "helo": "phone",
                    "tls": "TLSv1.3 X",
                    "size": 2048,
                },
            ),
        ),
        (100.0, QUEUED),
        (100.2, attempt("deferred", "451 4.7.1 greylisted", host="mx1.c.example", next=400.0)),
        (104.2, attempt("delivered", "250 2.0.0 queued as 4Xz", host="mx1.c.example", tls="TLSv1.3 X")),
    )
    assert told.headline == 'ada@e.com → lu@c.example   "Invoice 118"   4.2 s'
    assert lines(told) == [
        ("submitted", "by ada@e.com, from phone 192.0.2.1, TLS 1.3, 2.0 KiB"),
        ("queued", "as Q000001, for lu@c.example"),
        ("try 1", "mx1.c.example  451 4.7.1 greylisted, next try at t400"),
        ("try 2", "mx1.c.example  250 2.0.0 queued as 4Xz, TLS 1.3"),
    ]
    assert told.conclusion == "accepted by their server at t104; after that it is in their hands"


def test_a_message_that_waits() -> None:
    assert story((100.0, QUEUED)).conclusion == "waiting in the queue"
    told = story((100.0, QUEUED), (101.0, attempt("deferred", "no answer from c.example's DNS", next=400.0)))
    assert lines(told)[1] == ("try 1", "no answer from c.example's DNS, next try at t400")
    assert told.conclusion == "waiting in the queue, next try at t400"


def test_a_message_that_came_back() -> None:
    told = story(
        (100.0, QUEUED),
        (101.0, attempt("failed", "550 5.1.1 no such user", host="mx.c.example")),
        (
            101.0,
            Note(
                "notice",
                {"about": "failed", "to": "ada@e.com", "recipients": ["lu@c.example"], "trail": "T000002"},
            ),
        ),
    )
    assert lines(told)[-1] == ("notice", "ada@e.com was told that it has failed (T000002)")
    assert told.conclusion == "failed for good at t101; ada@e.com was told"
    told = story((100.0, QUEUED), (900.0, attempt("deferred", "no route", expired=True)))
    assert told.conclusion == "given up at t900"


def test_recipients_that_fare_differently() -> None:
    names = ("a@c.example", "b@c.example", "d@x.example")
    told = story(
        (100.0, Note("queued", {"queue": "Q000001", "recipients": list(names)})),
        (101.0, attempt("delivered", "250 ok", "a@c.example", host="mx.c.example")),
        (101.0, attempt("failed", "550 no", "b@c.example", host="mx.c.example")),
        recipients=names,
    )
    assert lines(told)[1] == ("try 1", "for a@c.example: mx.c.example  250 ok")
    assert lines(told)[2] == ("try 1", "for b@c.example: mx.c.example  550 no")
    assert told.conclusion == (
        "1 accepted by their servers at t101; after that it is in their hands; "
        "1 failed for good at t101; 1 waiting in the queue"
    )


def test_mail_that_came_in() -> None:
    told = story(
        (
            100.0,
            Note(
                "received",
                {"address": "192.0.2.9", "helo": "[192.0.2.9]", "size": 100, "also": ["It looked odd."]},
            ),
        ),
        (100.0, Note("forwarded", {"alias": "info@e.com", "to": ["x@y.example"]})),
        (
            100.0,
            Note("filed", {"account": "ada@e.com", "recipient": "info@e.com", "mailbox": "INBOX", "uid": 7}),
        ),
        kind="in",
    )
    assert lines(told) == [
        ("received", "from 192.0.2.9, in clear, 100 B"),
        ("", "It looked odd."),
        ("forwarded", "info@e.com leads to x@y.example"),
        ("filed", "ada@e.com, as info@e.com, in INBOX, UID 7"),
    ]
    assert told.conclusion == "in the mailbox of ada@e.com"


def test_a_session_that_was_refused() -> None:
    told = story(
        (
            100.0,
            Note(
                "refused", {"address": "192.0.2.9", "helo": "evil", "refusals": ["550 5.7.1 relaying denied"]}
            ),
        ),
        kind="refused",
    )
    assert lines(told) == [("from", "evil 192.0.2.9, in clear"), ("refused", "550 5.7.1 relaying denied")]
    assert told.conclusion == "nothing was taken; the other side was told why"


def test_a_note_of_an_unknown_kind_is_told_as_it_is() -> None:
    assert lines(story((100.0, Note("scanned", {"by": "x", "count": 2})))) == [("scanned", "by x, count 2")]


def test_what_an_operator_did_is_told() -> None:
    def by_root(kind: str) -> Note:
        return Note(kind, {"queue": "Q000001", "recipients": ["lu@c.example"], "who": "root"})

    told = story((100.0, QUEUED), (101.0, by_root("held")))
    assert lines(told)[-1] == ("held", "by root, for lu@c.example")
    assert told.conclusion == "held in the queue until it is released"
    assert story((100.0, QUEUED), (101.0, by_root("released"))).conclusion == "waiting in the queue"
    assert story((100.0, QUEUED), (101.0, by_root("cancelled"))).conclusion == "cancelled at t101"
    told = story(
        (100.0, QUEUED), (101.0, by_root("cancelled")), (102.0, attempt("failed", "5.4.0 cancelled"))
    )
    assert lines(told)[-1] == ("returned", "5.4.0 cancelled, for lu@c.example")
    assert told.conclusion == "cancelled at t101"
