"""A running server, a directory with its backups, and the operator's key."""

import json
import subprocess
import sys
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

from postroad.db.transaction import Reader
from postroad.store.blobs.reader import PackReader
from postroad.store.messages import open_message
from postroad.store.offline import open_offline
from tests.faults.load import ADA, Book
from tests.faults.server import Server
from tests.interop.processes import run


class Vault:
    """What an operator types, and what he looks at afterwards."""

    def __init__(self, server: Server, folder: Path) -> None:
        self.server = server
        self.folder = folder
        self.target = folder / "target"
        self.target.mkdir(exist_ok=True)
        self.key = folder / "operator.key"
        server.cli("backup", "key", str(self.key))

    def command(self, *words: str) -> list[str]:
        """A command line about the server and the target."""
        program = str(Path(sys.executable).with_name("postroad"))
        config = ["--config", str(self.server.directory / "postroad.toml"), "--target", str(self.target)]
        return [program, "backup", *words, *config]

    def begin(self, *words: str) -> "subprocess.Popen[bytes]":
        """Start a command and let it run."""
        return subprocess.Popen(
            self.command(*words), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )

    def ask(self, *words: str) -> Any:
        """Run a command; gives its JSON."""
        return json.loads(run(*self.command(*words, "--json")))

    def restore(self, backup_id: str, data: Path) -> Any:
        """Restore everything into a new directory."""
        return self.ask("restore", backup_id, "--key", str(self.key), "--data", str(data))

    def chunks(self) -> int:
        """How many chunks are in the target."""
        return len(list(self.target.glob("chunks/*/*")))


def inside(data: Path, book: Book, login: str = ADA) -> Counter[str]:
    """The names of all messages of an account in a data directory; each is compared with what was sent."""

    def look(reader: Reader) -> Counter[str]:
        found: Counter[str] = Counter()
        account = reader.value("SELECT id FROM account WHERE key = ?", login)
        for (message_id,) in reader.rows("SELECT message_id FROM entry WHERE account_id = ?", account):
            message = open_message(reader, packs, account, message_id)
            octets = message.read(0, message.size)
            name = octets.partition(b"Subject: ")[2].partition(b"\r\n")[0].decode()
            assert book.knows(name, octets), f"{name} is damaged"
            found[name] += 1
        return found

    with open_offline(data) as database, closing(PackReader(data / "packs")) as packs:
        return database.read(look)
