"""Backups on another machine, by SFTP over ssh. Its host key must be known beforehand."""

import asyncio
import threading
from collections.abc import Coroutine, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, Final, TypeVar

import asyncssh

from postroad.backup.errors import NoSuchObject, TargetError
from postroad.backup.targets.directory import INCOMING

T = TypeVar("T")
_CONNECT_SECONDS: Final = 30
_KEEPALIVE_SECONDS: Final = 15
"""Asked so often whether the peer still lives; after three silences the connection is given up."""


class SshTarget:
    """Objects as files on the other side, written beside their place, synced where it can, and renamed.

    One connection, in a thread with a loop of its own; requests of several
    threads go over it at the same time.
    """

    def __init__(
        self,
        host: str,
        folder: str,
        *,
        port: int = 22,
        user: str = "",
        keys: Sequence[Path] = (),
        known_hosts: Path | None = None,
    ) -> None:
        """
        Raises:
            TargetError: no connection, an unknown or wrong host key, or no such folder.
        """
        at = f"{user}@{host}" if user else host
        self._name = f"ssh://{at}{'' if port == 22 else f':{port}'}{folder}"
        self._folder = PurePosixPath(folder)
        self._made: set[str] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="ssh", daemon=True)
        self._thread.start()
        self._connection: asyncssh.SSHClientConnection | None = None
        known = known_hosts or Path("~/.ssh/known_hosts").expanduser()
        try:
            if not known.exists():
                raise TargetError(f"there is no {known}: {_learn(host, port, known)}")
            self._run(self._open(host, port, user, keys, known), "connect")
        except BaseException:
            self.close()
            raise

    async def _open(self, host: str, port: int, user: str, keys: Sequence[Path], known: Path) -> None:
        options: dict[str, Any] = {"username": user} if user else {}
        if keys:
            options["client_keys"] = [str(key) for key in keys]
        try:
            self._connection = await asyncssh.connect(
                host,
                port,
                known_hosts=str(known),
                config=None,
                connect_timeout=_CONNECT_SECONDS,
                login_timeout=_CONNECT_SECONDS,
                keepalive_interval=_KEEPALIVE_SECONDS,
                **options,
            )
        except asyncssh.HostKeyNotVerifiable:
            raise TargetError(
                f"the host key of {host} is not the one in {known}, or not there: {_learn(host, port, known)}"
            ) from None
        except asyncssh.PermissionDenied:
            raise TargetError(f"{self._name}: the other side does not accept our key") from None
        self._sftp = await self._connection.start_sftp_client()
        if not await self._sftp.isdir(str(self._folder)):
            raise TargetError(f"{self._name}: there is no such directory there; make it first")

    @property
    def name(self) -> str:
        """A URL."""
        return self._name

    def put(self, name: str, octets: bytes) -> None:
        """Write, sync, rename."""
        beside = f"{INCOMING}/{name.replace('/', '-')}.{threading.get_native_id()}"
        self._run(self._put(name, beside, octets), f"write {name}")

    async def _put(self, name: str, beside: str, octets: bytes) -> None:
        for folder in (str(PurePosixPath(name).parent), INCOMING):
            if folder not in self._made:
                await self._sftp.makedirs(
                    self._path(folder), asyncssh.SFTPAttrs(permissions=0o700), exist_ok=True
                )
                self._made.add(folder)
        attributes = asyncssh.SFTPAttrs(permissions=0o600)
        async with self._sftp.open(self._path(beside), "wb", attributes) as file:
            await file.write(octets)
            try:
                await file.fsync()
            except asyncssh.SFTPOpUnsupported:
                pass  # a server other than OpenSSH's: the file is as durable as it makes it
        await self._sftp.posix_rename(self._path(beside), self._path(name))

    def get(self, name: str) -> bytes:
        """Read the file."""
        return self._run(self._get(name), f"read {name}")

    async def _get(self, name: str) -> bytes:
        async with self._sftp.open(self._path(name), "rb") as file:
            octets = await file.read()
        return octets.encode() if isinstance(octets, str) else octets

    def list(self, folder: str) -> dict[str, int]:
        """Walk the folder."""
        return self._run(self._list(folder), f"list {folder}")

    async def _list(self, folder: str) -> dict[str, int]:
        found: dict[str, int] = {}
        try:
            entries = await self._sftp.readdir(self._path(folder))
        except asyncssh.SFTPNoSuchFile:
            return found
        below: list[str] = []
        for entry in entries:
            name = str(entry.filename)
            if name in (".", ".."):
                continue
            if entry.attrs.type == asyncssh.FILEXFER_TYPE_DIRECTORY:
                below.append(f"{folder}/{name}")
            else:
                found[f"{folder}/{name}"] = entry.attrs.size or 0
        for inner in await asyncio.gather(*map(self._list, below)):
            found.update(inner)
        return found

    def delete(self, name: str) -> None:
        """Remove the file."""
        try:
            self._run(self._sftp.remove(self._path(name)), f"remove {name}")
        except NoSuchObject:
            pass

    def settle(self) -> None:
        """Files were synced one by one; SFTP has no word for folders."""

    def clear(self) -> None:
        """Empty the folder of files that are being written."""
        for name in self.list(INCOMING):
            self.delete(name)

    def close(self) -> None:
        """End the connection and its thread."""
        if self._loop.is_closed():
            return
        try:
            self._run(self._close(), "close")
        except TargetError:
            pass  # it is gone already
        self._stop()

    async def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            await self._connection.wait_closed()

    def _stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _path(self, name: str) -> str:
        return str(self._folder / name)

    def _run(self, work: Coroutine[Any, Any, T], what: str) -> T:
        """Do `work` on the loop and wait for it."""
        try:
            return asyncio.run_coroutine_threadsafe(work, self._loop).result()
        except asyncssh.SFTPNoSuchFile:
            raise NoSuchObject(f"{self._name}: cannot {what}: it is not there") from None
        except (asyncssh.Error, OSError) as error:
            raise TargetError(f"{self._name}: cannot {what}: {_words(error)}") from error


def _words(error: Exception) -> str:
    return str(getattr(error, "reason", "") or error or type(error).__name__)


def _learn(host: str, port: int, known: Path) -> str:
    """What to do about a host that is not known; nothing is ever accepted unseen."""
    where = f"-p {port} {host}" if port != 22 else host
    return f"`ssh-keyscan {where} >> {known}`, and compare with `ssh-keygen -lf` on the other side"
