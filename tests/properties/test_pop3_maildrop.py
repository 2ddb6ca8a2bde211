"""A POP3 session against a model: whatever is said in it, and whatever others do meanwhile."""

import asyncio
import tempfile
from itertools import pairwise
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from postroad.pop3.maildrop import Gone, Maildrop
from postroad.store.account import Account
from postroad.store.errors import NoSuchMessage
from postroad.store.runs import runs_of
from postroad.store.types import NewMessage
from tests.unit.pop3.world import opened

_numbers = st.integers(0, 8)
_steps = st.lists(
    st.one_of(
        st.tuples(st.just("delete"), _numbers),
        st.tuples(st.just("read"), _numbers),
        st.tuples(st.just("reset"), st.just(0)),
        st.tuples(st.just("another expunges"), _numbers),
        st.tuples(st.just("another delivers"), st.just(0)),
    ),
    max_size=25,
)


def _body(index: int) -> bytes:
    return b"Subject: %d\r\n\r\n" % index + b"x" * index


class _Model:
    """What the session must look like."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.deleted: set[int] = set()
        self.expunged: set[int] = set()

    def there(self, number: int) -> bool:
        return 1 <= number <= self.count and number not in self.deleted

    def listing(self) -> bytes:
        return b"".join(
            b"%d %d\r\n" % (n, len(_body(n))) for n in range(1, self.count + 1) if n not in self.deleted
        )


async def _play(data: Path, count: int, steps: list[tuple[str, int]], *, quits: bool) -> None:
    async with opened(data, None) as (services,):
        account = services.store.account(1)
        inbox = account.mailbox("INBOX")
        assert inbox is not None
        messages = [NewMessage(_body(n)) for n in range(1, count + 1)]
        uids = (await account.append(inbox.id, messages))[1] if messages else []
        maildrop = Maildrop(account, services.locks)
        await maildrop.fill()
        model, later = _Model(count), 0
        for what, number in steps:
            match what:
                case "another expunges" if 1 <= number <= count:
                    uid = uids[number - 1]
                    await account.expunge(inbox.id, [(uid, uid)], only_deleted=False)
                    model.expunged.add(number)
                case "another delivers":
                    await account.append(inbox.id, [NewMessage(b"Subject: late\r\n\r\n")])
                    later += 1
                case _:
                    _step(maildrop, model, what, number)
            assert b"".join(maildrop.scan_listing()) == model.listing()
            assert maildrop.octets == sum(len(_body(n)) for n in range(1, count + 1) if model.there(n))
        if quits:
            await maildrop.update()
        maildrop.close()
        gone = model.expunged | (model.deleted if quits else set())
        assert await _left(account, inbox.id) == count + later - len(gone)


def _step(maildrop: Maildrop, model: _Model, what: str, number: int) -> None:
    match what:
        case "delete":
            try:
                maildrop.delete(number)
            except Gone:
                assert not model.there(number)
            else:
                assert model.there(number)
                model.deleted.add(number)
        case "read":
            try:
                message = maildrop.open(number)
            except Gone:
                assert not model.there(number)
            except NoSuchMessage:
                assert number in model.expunged
            else:
                assert model.there(number)
                assert message.read(0, message.size) == _body(number)
                assert maildrop.size(number) == message.size
        case "reset":
            maildrop.reset()
            model.deleted.clear()


async def _left(account: Account, mailbox_id: int) -> int:
    return len((await account.listing(mailbox_id)).uids)


@settings(max_examples=30)
@given(st.integers(0, 6), _steps, st.booleans())
def test_a_session_is_as_its_model(count: int, steps: list[tuple[str, int]], quits: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_play(Path(folder), count, steps, quits=quits))


@given(st.sets(st.integers(1, 60)))
def test_ranges_hold_exactly_the_uids(uids: set[int]) -> None:
    joined = runs_of(sorted(uids))
    assert [uid for low, high in joined for uid in range(low, high + 1)] == sorted(uids)
    assert all(before[1] + 1 < after[0] for before, after in pairwise(joined))
