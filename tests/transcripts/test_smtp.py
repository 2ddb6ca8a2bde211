"""The golden dialogues of SMTP."""

import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import msgspec
import pytest

from postroad.policy.limits import Limits
from postroad.smtp.server.services import Role
from postroad.smtp.server.session import SmtpSession
from tests.transcripts.player import Run, Way, performances, play
from tests.transcripts.script import Script
from tests.transcripts.tls import server_context
from tests.unit.smtp.office import Office

FOLDER: Final = Path(__file__).with_name("smtp")


@asynccontextmanager
async def setting(options: Mapping[str, str]) -> AsyncIterator[Run]:
    """A server for ours.test: `@ role:` smtp or submission, `@ limits.NAME:`, `@ starttls: no`, `@ room:`."""
    changed = {
        name.removeprefix("limits."): int(value)
        for name, value in options.items()
        if name.startswith("limits.")
    }
    role = Role(options.get("role", "smtp"))
    with tempfile.TemporaryDirectory() as folder:
        office = Office(
            Path(folder), relay=role is Role.SUBMISSION, room=int(options.get("room", "99999999"))
        )
        yield SmtpSession(
            acceptor=office,
            directory=office,
            store=office,
            clock=office,
            limits=msgspec.structs.replace(Limits(), **changed),
            role=role,
            hostname="mx.ours.test",
            tls_context=None if options.get("starttls") == "no" else server_context(),
        ).run
        assert all(spool.closed for spool in office.spools)


@pytest.mark.parametrize(("script", "way"), performances(FOLDER))
def test_dialogue(script: Script, way: Way) -> None:
    play(script, way, setting)
