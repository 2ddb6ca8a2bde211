"""A server for demo.test with ada and bob, password demo: what the dialogues of IMAP play against."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import cache, partial
from pathlib import Path
from shutil import copytree
from typing import Final

import msgspec

from postroad.config.limits import Limits
from postroad.db.offline import prepare_data
from postroad.directory.accounts import add_account, switch_capabilities
from postroad.directory.credentials import LEAST_COST, Hasher, set_password
from postroad.directory.directory import Directory
from postroad.directory.domains import add_domain
from postroad.imap.session import ImapSession
from postroad.model.rights import Anyone
from postroad.policy import counts_file
from postroad.policy.shared_counts import SharedCounts
from postroad.store.offline import open_offline
from postroad.store.store import Store
from postroad.store.types import NewMessage
from tests.transcripts.logins import directory_with_everything, give_ada_keys
from tests.transcripts.player import Run
from tests.transcripts.tls import server_context
from tests.unit.directory.world import HeldClock

FOLDER: Final = Path(__file__).with_name("imap")
MAIL: Final = FOLDER / "mail"
FIRST_DATE: Final = 837596665
"""17-Jul-1996 09:44:25 +0000, the INTERNALDATE of the first message; a day more for each other."""
_DATA: Final = tempfile.TemporaryDirectory(prefix="postroad-imap-")


@cache
def prepared() -> Path:
    """A data directory with ada@demo.test and bob@demo.test, password demo; copied for each dialogue."""
    data = Path(_DATA.name) / "data"
    prepare_data(data)
    (data / "run").mkdir()
    counts_file.create(data / "run" / "counts", 1)
    hashed = Hasher(LEAST_COST).hash("demo", allow_weak=True)
    with open_offline(data) as database:
        database.write(lambda tx: add_domain(tx, "demo.test", who="test"))
        database.write(lambda tx: add_domain(tx, "another.test", who="test"))
        for address in ("ada@demo.test", "bob@demo.test", "carol@another.test"):
            database.write(partial(add_account, address=address, who="test"))
            database.write(partial(set_password, address=address, hashed=hashed, who="test"))
    return data


async def deliver(store: Store, names: list[str]) -> None:
    """Put the named messages of the folder `mail` into ada's INBOX."""
    account = store.account(1)
    inbox = account.mailbox("INBOX")
    assert inbox is not None
    messages = [
        NewMessage((MAIL / f"{name}.eml").read_bytes().replace(b"\n", b"\r\n"), 0, frozenset(), date)
        for date, name in zip(range(FIRST_DATE, 1 << 31, 86400), names, strict=False)
    ]
    if messages:
        await account.append(inbox.id, messages)


async def identify(store: Store, uidvalidity: int) -> None:
    """Give INBOX a UIDVALIDITY that a client can have known before."""
    sql = "UPDATE mailbox SET uidvalidity = ? WHERE account_id = 1 AND name = 'INBOX'"
    await store.database.write(lambda tx: tx.run(sql, uidvalidity))


@asynccontextmanager
async def setting(options: Mapping[str, str]) -> AsyncIterator[Run]:
    """A server for demo.test.

    `@ mail: NAME …` in ada's INBOX, `@ uidvalidity:`, `@ limits.NAME:`, `@ starttls: no`, `@ logins: all`,
    `@ mechanisms:` of the listener, `@ administrators:`, `@ off: CAPABILITY …` for ada,
    `@ anyone: domain`, `server` or `nobody`, with a carol at another.test.
    """
    changed = {
        name.removeprefix("limits."): int(value)
        for name, value in options.items()
        if name.startswith("limits.")
    }
    limits = msgspec.structs.replace(Limits(uncounted_addresses=()), **changed)
    clock = HeldClock()
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        await asyncio.to_thread(copytree, prepared(), data)
        anyone = msgspec.convert(options.get("anyone", "domain"), Anyone)
        store = Store(data, clock, name="w0", limits=limits, anyone=anyone)
        if options.get("logins") == "all":
            directory = directory_with_everything(store.database, clock, data, limits)
            await store.database.write(give_ada_keys)
        else:
            directory = Directory(store.database, clock, data, limits=limits, hash_cost=LEAST_COST)
        off = options.get("off", "").split()
        if off:
            await store.database.write(
                partial(switch_capabilities, address="ada@demo.test", names=off, on=False, who="test")
            )
        counts = SharedCounts(data / "run" / "counts", 0, limits, clock)
        try:
            await deliver(store, options.get("mail", "").split())
            if "uidvalidity" in options:
                await identify(store, int(options["uidvalidity"]))
            yield ImapSession(
                store=store,
                directory=directory,
                clock=clock,
                limits=limits,
                hostname="mail.demo.test",
                tls_context=None if options.get("starttls") == "no" else server_context(),
                mechanisms=options.get("mechanisms", "").split(),
                counts=counts,
                administrators=options.get("administrators", "").split(),
            ).run
        finally:
            await directory.close()
            await store.close()
            counts.close()
