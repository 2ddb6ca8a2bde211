"""Messages that stand side by side in a pack, read and searched at once."""

import pytest

from postroad.store.account import EVERYTHING, Account
from postroad.store.messages import StoredMessage
from tests.unit.store.conftest import Desk, message

BODIES = (b"a needle\r\n", b"hay\r\n", b"NEEDLE needle\r\n", b"h\xc3\xa4y\r\n", b"hay nee\r\n", b"dle\r\n")


async def filed(account: Account, *bodies: bytes) -> list[StoredMessage]:
    inbox = account.mailbox("INBOX")
    assert inbox is not None
    await account.append(inbox.id, [message(number, body) for number, body in enumerate(bodies)])
    ids = [entry.message_id for entry in account.entries(inbox.id, EVERYTHING)]
    found = account.open_all(ids)
    return [found[key] for key in ids]


@pytest.mark.parametrize(
    ("sign", "lacking"),
    [(b"needle", [1, 4, 5]), (b"nowhere", [0, 1, 2, 4, 5]), (b"subject", []), (b"dle\r\n", [1, 4])],
)
def test_only_ascii_messages_without_the_octets_are_lacking(
    desk: Desk, sign: bytes, lacking: list[int]
) -> None:
    async def work(account: Account) -> None:
        messages = await filed(account, *BODIES)
        (near,) = account.side_by_side(reversed(messages))
        assert [messages.index(each) for each in near.without(sign)] == lacking

    desk.run(work)


def test_large_messages_are_left_out_and_what_is_read_at_once_is_bounded(desk: Desk) -> None:
    async def work(account: Account) -> None:
        bodies = [b"x" * size + b"\r\n" for size in (300_000, 600_000, 300_000, 10)]
        messages = await filed(account, *bodies)
        groups = [[messages.index(each) for each in near.messages] for near in account.side_by_side(messages)]
        assert groups == [[0], [2, 3]]

    desk.run(work)


def test_what_cannot_be_read_is_left_out(desk: Desk) -> None:
    async def work(account: Account) -> None:
        messages = await filed(account, *BODIES)
        pack, _, length = messages[0].place
        beyond = StoredMessage(account._packs, b"", b"", pack, 2**40, length, b"")
        gone = StoredMessage(account._packs, b"", b"", pack + 99, 0, length, b"")
        (near,) = account.side_by_side([gone, *messages, beyond])
        assert near.messages == messages

    desk.run(work)
