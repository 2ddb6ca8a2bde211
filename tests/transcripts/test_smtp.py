"""The golden dialogues of SMTP."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from shutil import copytree
from typing import Final, cast

import msgspec
import pytest

from postroad.model.networks import Networks
from postroad.policy.limits import Limits
from postroad.smtp.server.services import Authenticator, Role
from postroad.smtp.server.session import SmtpSession
from postroad.smtp.wire.priority import Policy
from postroad.store.store import Store
from tests.transcripts.imap_setting import prepared
from tests.transcripts.logins import directory_with_everything, give_ada_keys
from tests.transcripts.player import Run, Way, performances, play
from tests.transcripts.script import Script
from tests.transcripts.tls import server_context
from tests.unit.directory.world import HeldClock
from tests.unit.smtp.office import Office

FOLDER: Final = Path(__file__).with_name("smtp")


@asynccontextmanager
async def setting(options: Mapping[str, str]) -> AsyncIterator[Run]:
    """A server for ours.test: `@ role:` smtp, submission or lmtp, `@ limits.NAME:`, `@ starttls: no`,
    `@ room:`, `@ logins: all`, `@ xclient_from:` networks,
    `@ holds: yes`, `@ priorities:` a policy.
    """
    role = Role(options.get("role", "smtp"))
    with tempfile.TemporaryDirectory() as folder:
        office = Office(
            Path(folder), relay=role is Role.SUBMISSION, room=int(options.get("room", "99999999"))
        )
        async with _people(options, Path(folder), office) as directory:
            yield _session(options, office, directory).run
        assert all(spool.closed for spool in office.spools)


def _session(options: Mapping[str, str], office: Office, directory: Authenticator) -> SmtpSession:
    changed = {
        name.removeprefix("limits."): int(value)
        for name, value in options.items()
        if name.startswith("limits.")
    }
    role = Role(options.get("role", "smtp"))
    return SmtpSession(
        acceptor=office,
        directory=directory,
        store=office,
        clock=office,
        limits=msgspec.structs.replace(Limits(), **changed),
        role=role,
        hostname="mx.ours.test",
        xclient_from=Networks(options.get("xclient_from", "").split()),
        priorities=cast(Policy, options.get("priorities", "off")),
        holds=options.get("holds") == "yes",
        tls_context=None if options.get("starttls") == "no" else server_context(),
    )


@asynccontextmanager
async def _people(options: Mapping[str, str], folder: Path, office: Office) -> AsyncIterator[Authenticator]:
    """The office itself, or a real directory with ada@demo.test."""
    if options.get("logins") != "all":
        yield office
        return
    data, clock = folder / "data", HeldClock()
    await asyncio.to_thread(copytree, prepared(), data)
    store = Store(data, clock, name="w0")
    await store.database.write(give_ada_keys)
    directory = directory_with_everything(store.database, clock, data, Limits())
    try:
        yield directory
    finally:
        await directory.close()
        await store.close()


@pytest.mark.parametrize(("script", "way"), performances(FOLDER))
def test_dialogue(script: Script, way: Way) -> None:
    play(script, way, setting)
