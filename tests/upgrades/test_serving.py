"""A server that starts on old data goes on where the old one was struck."""

import asyncio
import imaplib
from pathlib import Path

from postroad.config.settings import Queue
from postroad.testing import MailWorld
from postroad.testing.world import PASSWORD
from tests.upgrades.contents import problems


def test_old_accounts_log_in_and_their_mail_is_there(old_data: Path) -> None:
    async def serve() -> list[str]:
        async with MailWorld(data=old_data, queue=Queue(remote=False)) as world:
            assert len(world.queue()) == 3
            await world.deliver("info@ours.test", subject="After the upgrade")
            return await asyncio.to_thread(_look, world)

    assert asyncio.run(serve()) == ["11", "27", "After the upgrade"]
    assert problems(old_data) == []


def _look(world: MailWorld) -> list[str]:
    """How many messages two mailboxes of ada have, and the subject of the newest."""
    client = imaplib.IMAP4_SSL("127.0.0.1", world.port("imaps"), ssl_context=world.tls(), timeout=30)
    with client:
        client.login("ada@ours.test", PASSWORD)
        found = []
        for name in ("INBOX", '"&ZeVnLIqe-/&MOEw,DDr-"'):
            found.append(client.select(name)[1][0])
        client.select("INBOX")
        header = client.fetch("*", "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])")[1][0]
        assert isinstance(header, tuple)
        return [str(count, "ascii") for count in found if count] + [
            header[1].decode().strip().removeprefix("Subject: ")
        ]
