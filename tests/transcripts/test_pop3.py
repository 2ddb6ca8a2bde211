"""The golden dialogues of POP3."""

import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

import msgspec
import pytest

from postroad.pop3 import session
from postroad.store.types import NewMessage
from tests.transcripts.logins import directory_with_everything, give_ada_keys
from tests.transcripts.player import Run, Way, performances, play
from tests.transcripts.script import Script
from tests.transcripts.tls import server_context
from tests.unit.directory.world import HeldClock
from tests.unit.pop3.world import QUICK, opened

FOLDER: Final = Path(__file__).with_name("pop3")

MESSAGES: Final = (
    b"From: bob@demo.test\r\nSubject: one\r\n\r\nHello.\r\n.\r\n..two dots\r\n",
    b"Subject: two\r\n\r\nfirst\r\nsecond\r\nthird\r\n",
    b"Subject: three\r\n\r\nno end",
    "From: Jürgen <jürgen@exämple.test>, Bob <bob@demo.test>\r\nTo: ä@b.test\r\nSubject: Grüße\r\n"
    "Content-Type: multipart/mixed; boundary=x\r\n\r\n"
    "--x\r\nContent-Disposition: attachment; filename=ü\r\n\r\nGrüße\r\n--x--\r\n".encode(),
)


@asynccontextmanager
async def setting(options: Mapping[str, str]) -> AsyncIterator[Run]:
    """The mailbox of ada@demo.test.

    `@ messages: 0` to 4, of which the last is in UTF-8, `@ limits.NAME:`, `@ starttls: no`, `@ logins: all`.
    """
    changed = {
        name.removeprefix("limits."): float(value) if "timeout" in name else int(value)
        for name, value in options.items()
        if name.startswith("limits.")
    }
    context = None if options.get("starttls") == "no" else server_context()
    with tempfile.TemporaryDirectory() as folder:
        limits = msgspec.structs.replace(QUICK, **changed)
        async with opened(Path(folder), context, limits=limits) as (services,):
            account = services.store.account(1)
            inbox = account.mailbox("INBOX")
            assert inbox is not None
            count = int(options.get("messages", 3))
            await account.append(inbox.id, [NewMessage(body) for body in MESSAGES[:count]])
            if options.get("logins") != "all":
                yield partial(session.serve, services=services)
                return
            database = services.store.database
            await database.write(give_ada_keys)
            directory = directory_with_everything(database, HeldClock(), Path(folder), limits)
            try:
                yield partial(session.serve, services=replace(services, directory=directory))
            finally:
                await directory.close()


@pytest.mark.parametrize(("script", "way"), performances(FOLDER))
def test_dialogue(script: Script, way: Way) -> None:
    play(script, way, setting)
