"""Several sessions in one mailbox: what each is told is enough (RFC 3501 §5.2, §7.4.1; RFC 2177, 2180)."""

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Final

import pytest

from tests.conformance.imap_client import Answer, Imap
from tests.conformance.imap_values import Fetched, Numbered, Response

LogIn = Callable[[], Imap]
MESSAGE: Final = b"From: a@x.test\r\nSubject: hello\r\n\r\nbody\r\n"


@pytest.fixture
def pair(imap: Imap, log_in: LogIn, box: bytes) -> tuple[Imap, Imap]:
    """Two sessions in a mailbox with five messages."""
    for _ in range(5):
        imap.append(box, MESSAGE)
    other = log_in()
    for session in (imap, other):
        session.select(box)
    return imap, other


def flags_told(answer: Answer) -> list[tuple[int, list[bytes] | None]]:
    """Numbers and flags of FETCH responses, without \\Recent."""
    return [(f.number, f.flags and [flag for flag in f.flags if flag != b"\\Recent"]) for f in answer.fetched]


def test_flags_of_others_are_told(pair: tuple[Imap, Imap]) -> None:
    mine, other = pair
    other.ok(b"STORE 2:3 +FLAGS (\\Flagged kw)")
    answer = mine.ok(b"NOOP")
    assert flags_told(answer) == [(2, [b"\\Flagged", b"kw"]), (3, [b"\\Flagged", b"kw"])]
    assert b"kw" in answer.one(b"FLAGS")
    assert mine.ok(b"NOOP").untagged == []


def test_silence_hides_ones_own_change_alone(pair: tuple[Imap, Imap]) -> None:
    mine, other = pair
    other.ok(b"STORE 1 +FLAGS (\\Flagged)")
    assert flags_told(mine.ok(b"STORE 1:2 +FLAGS.SILENT (\\Seen)")) == [(1, [b"\\Flagged", b"\\Seen"])]


def test_numbers_stay_until_expunge_may_be_told(pair: tuple[Imap, Imap]) -> None:
    mine, other = pair
    other.ok(b"STORE 2,4 +FLAGS.SILENT (\\Deleted)")
    other.ok(b"EXPUNGE")
    # What is left is given; what is gone may be told by NO (RFC 2180 §4.1).
    assert {f.number: f.uid for f in mine.do(b"FETCH 1:* (UID RFC822.SIZE)").fetched} == {1: 1, 3: 3, 5: 5}
    assert mine.do(b"FETCH 2 BODY[]").fetched == []
    mine.do(b"STORE 4 +FLAGS (\\Seen)")
    assert mine.search(b"ALL") == [1, 3, 5]
    assert flags_told(mine.ok(b"STORE 5 +FLAGS (\\Seen)")) == [(5, [b"\\Seen"])]
    assert mine.exists == 5
    assert sorted(mine.ok(b"NOOP").expunged) in ([2, 3], [2, 4])
    assert [f.uid for f in mine.fetch(b"1:* UID")] == [1, 3, 5]


def test_uid_commands_may_tell_expunge(pair: tuple[Imap, Imap]) -> None:
    mine, other = pair
    other.ok(b"STORE 1 +FLAGS.SILENT (\\Deleted)")
    other.ok(b"EXPUNGE")
    mine.ok(b"UID FETCH 1:* FLAGS")
    mine.ok(b"NOOP")
    assert mine.exists == 4


def test_copy_is_whole_or_not_at_all(pair: tuple[Imap, Imap], box: bytes) -> None:
    mine, other = pair
    other.ok(b"STORE 2 +FLAGS.SILENT (\\Deleted)")
    other.ok(b"EXPUNGE")
    mine.no(b"COPY 1:3 " + box)
    mine.ok(b"NOOP")
    assert mine.exists == 4


def test_new_mail_is_told_while_fetching(pair: tuple[Imap, Imap], box: bytes) -> None:
    mine, other = pair
    other.append(box, MESSAGE)
    assert [f.number for f in mine.fetch(b"1:* UID")] == [1, 2, 3, 4, 5]
    assert mine.exists == 6
    assert mine.search(b"ALL") == [1, 2, 3, 4, 5, 6]


def test_select_tells_one_state(pair: tuple[Imap, Imap], box: bytes) -> None:
    mine, other = pair
    other.append(box, MESSAGE)
    other.ok(b"STORE 1 +FLAGS.SILENT (\\Deleted)")
    other.ok(b"EXPUNGE")
    assert mine.select(box).expunged == []
    assert mine.exists == 5


def test_idle_tells_everything_as_it_happens(pair: tuple[Imap, Imap], box: bytes) -> None:
    mine, other = pair
    tag = mine.tag()
    mine.send(tag + b" IDLE\r\n")
    assert mine.raw().startswith(b"+ ")
    other.append(box, MESSAGE)
    assert _until(mine, Numbered(6, b"EXISTS"))
    other.ok(b"STORE 2 +FLAGS (\\Deleted)")
    while not isinstance(told := mine.response(), Fetched):
        pass
    assert told.flags == [b"\\Deleted", b"\\Recent"]
    other.ok(b"EXPUNGE")
    assert _until(mine, Numbered(2, b"EXPUNGE"))
    mine.send(b"done\r\n")
    answer = mine.read(tag)
    assert answer is not None
    assert answer.status == b"OK"


def test_idle_ends_at_once_when_done_is_pipelined(imap: Imap) -> None:
    imap.send(b"a IDLE\r\nDONE\r\nb NOOP\r\n")
    assert imap.raw().startswith(b"+ ")
    assert imap.raw().startswith(b"a OK")
    assert imap.raw().startswith(b"b OK")


@pytest.mark.parametrize("garbage", [b"b NOOP", b"", b"DONE x", b"b LOGOUT {3+}\r\nabc"])
def test_idle_ends_badly_by_anything_but_done(imap: Imap, garbage: bytes) -> None:
    imap.send(b"a IDLE\r\n")
    assert imap.raw().startswith(b"+ ")
    imap.send(garbage + b"\r\n")
    assert imap.raw().startswith(b"a BAD")
    imap.ok(b"NOOP")


def test_a_mailbox_that_is_renamed_stays_open(pair: tuple[Imap, Imap], box: bytes) -> None:
    mine, other = pair
    other.ok(b"RENAME " + box + b" " + box + b"-new")
    assert len(mine.fetch(b"1:* UID")) == 5


def test_a_mailbox_that_is_deleted_ends_the_session(pair: tuple[Imap, Imap], box: bytes) -> None:
    mine, other = pair
    other.ok(b"DELETE " + box)
    mine.send(b"a NOOP\r\n")
    assert mine.raw().startswith(b"* BYE ")


def store_silently(imap: Imap, numbers: list[int], flag: bytes) -> None:
    """Add a flag, take it for done, and believe what is told against it."""
    said = b",".join([b"%d" % number for number in numbers])
    answer = imap.do(b"STORE " + said + b" +FLAGS.SILENT (" + flag + b")")
    told = {fetched.number for fetched in answer.fetched}
    for number in set(numbers) - told:
        if answer.status != b"OK":
            imap.flags.pop(number, None)  # some of it was done
        elif number in imap.flags:
            imap.flags[number] |= {flag.lower()}


def _until(imap: Imap, wanted: Response) -> bool:
    while imap.response() != wanted:
        pass
    return True


FLAGS: Final = (b"\\Seen", b"\\Flagged", b"\\Deleted", b"kw1", b"kw2")


def _step(imap: Imap, chance: random.Random, box: bytes) -> None:
    exists = max(imap.exists, 1)
    first, last = chance.randint(1, exists), chance.randint(1, exists)
    numbers = b"%d:%d" % (first, last)
    flag = chance.choice(FLAGS)
    match chance.randrange(10):
        case 0:
            imap.do(b"FETCH " + numbers + b" (UID FLAGS)")
        case 1:
            imap.do(b"STORE " + numbers + b" +FLAGS (" + flag + b")")
        case 2:
            imap.do(b"STORE " + numbers + b" -FLAGS (" + flag + b")")
        case 3:
            store_silently(imap, [first], flag)
        case 4:
            imap.append(box, MESSAGE, b"(" + flag + b")")
        case 5:
            imap.do(b"COPY %d " % first + box)
        case 6:
            imap.ok(b"UID EXPUNGE %d:%d" % (first, first + 3))
        case 7:
            imap.search(flag.lstrip(b"\\") if flag.startswith(b"\\") else b"KEYWORD " + flag)
        case 8:
            imap.do(b"MOVE %d " % first + box)
        case _:
            imap.ok(b"NOOP")


def test_sessions_that_only_listen_know_everything(imap: Imap, box: bytes, log_in: LogIn) -> None:
    """Six clients change one mailbox at random; in the end all know the same, and it is the truth."""
    for _ in range(10):
        imap.append(box, MESSAGE)
    count = 6
    together = Barrier(count)

    def client(number: int) -> dict[int, frozenset[bytes]]:
        session = log_in()
        session.select(box)
        session.fetch(b"1:* FLAGS")
        together.wait(60)  # nothing is expunged before all have seen everything
        chance = random.Random(number)
        for _ in range(120):
            _step(session, chance, box)
        together.wait(60)
        session.ok(b"NOOP")
        believed = dict(session.flags)
        session.flags = {}
        session.fetch(b"1:* (UID FLAGS)")
        assert len(session.flags) == session.exists
        assert believed == {number: session.flags[number] for number in believed}
        return session.flags

    with ThreadPoolExecutor(count) as threads:
        results = list(threads.map(client, range(count)))
    assert all(result == results[0] for result in results)
