"""A quota is never exceeded, however many ask at once (SAFETY C28)."""

import asyncio

from postroad.directory.accounts import entry
from postroad.model.address import parse_mailbox
from postroad.store.errors import OverQuota
from postroad.store.types import NewMessage
from postroad.testing import ThreadedWorld
from postroad.testing.stranger import NotAccepted
from tests.world.clients import imap, mail, subjects, submit

FULL = "full@demo.test"
ROOM = 100_000


def used(world: ThreadedWorld) -> int:
    return world.read(lambda reader: entry(reader, FULL)).bytes_used


def test_fifty_deliveries_at_once_stay_below_the_quota(world: ThreadedWorld) -> None:
    world.add_account(FULL, quota_bytes=ROOM)

    async def race() -> list[object]:
        text = "x" * 60 + "\n"
        sends = (world.world.deliver(FULL, subject=f"n{n}", text=text * 100) for n in range(50))
        return await asyncio.gather(*sends, return_exceptions=True)

    results = world.run(race())
    accepted = [result for result in results if result is None]
    refused = [str(result) for result in results if isinstance(result, NotAccepted)]
    assert len(accepted) + len(refused) == 50
    assert refused
    assert all("452 4.2.2" in words for words in refused)
    assert len(subjects(world, FULL)) == len(accepted)
    assert ROOM * 0.8 < used(world) <= ROOM


def test_appends_and_deliveries_through_both_workers_share_one_quota(world: ThreadedWorld) -> None:
    world.add_account(FULL, quota_bytes=ROOM)
    octets = mail() + b"x" * 3000 + b"\r\n"

    async def append(worker: int) -> bool:
        one = world.world.workers[worker]
        account = one.directory.account(parse_mailbox(FULL))
        assert account is not None
        store = one.store.account(account.id)
        inbox = store.mailbox("INBOX")
        assert inbox is not None
        try:
            await store.append(inbox.id, [NewMessage(octets)])
        except OverQuota:
            return False
        return True

    async def deliver() -> bool:
        try:
            await world.world.deliver(FULL, message=octets)
        except NotAccepted:
            return False
        return True

    async def race() -> list[bool]:
        return await asyncio.gather(*(append(n % 2) for n in range(25)), *(deliver() for _ in range(25)))

    taken = sum(world.run(race()))
    assert taken == len(subjects(world, FULL))
    assert ROOM * 0.9 < used(world) <= ROOM


def test_a_quota_of_messages_counts_messages(world: ThreadedWorld) -> None:
    world.add_account(FULL, quota_messages=7)

    async def race() -> list[object]:
        return await asyncio.gather(
            *(world.world.deliver(FULL, subject=f"n{n}") for n in range(20)), return_exceptions=True
        )

    results = world.run(race())
    assert sum(result is None for result in results) == 7
    assert len(subjects(world, FULL)) == 7


def test_what_is_deleted_makes_room(world: ThreadedWorld) -> None:
    world.add_account(FULL, quota_messages=1)
    submit(world, mail("first"), FULL)
    with imap(world, FULL) as client:
        client.select()
        _, answer = client.append("INBOX", "", "", mail("too much"))
        assert b"[OVERQUOTA]" in answer[0]
        assert client.getquotaroot("INBOX")[0] == "OK"
        client.store("1", "+FLAGS", "\\Deleted")
        client.expunge()
    submit(world, mail("second"), FULL)
    assert subjects(world, FULL) == ["second"]


def test_a_copy_that_does_not_fit_is_not_made_in_part(world: ThreadedWorld) -> None:
    world.add_account(FULL, quota_messages=5)
    for number in range(3):
        submit(world, mail(f"n{number}"), FULL)
    with imap(world, FULL) as client:
        client.select()
        status, answer = client.copy("1:3", "Archive")
        assert status == "NO"
        assert b"[OVERQUOTA]" in answer[0]
    assert subjects(world, FULL, "Archive") == []
