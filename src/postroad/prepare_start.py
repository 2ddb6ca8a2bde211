"""What has to be true before workers start: one instance, the right user, a ready data directory."""

import fcntl
import os
import pwd
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Final

from postroad.config.certificate import CertificateFiles, certificate_files
from postroad.config.errors import ConfigError
from postroad.config.settings import Settings
from postroad.db.ballast import Ballast
from postroad.db.copies import copy_path
from postroad.db.migrate import LATEST
from postroad.db.offline import prepare_data
from postroad.db.unfinished import refuse_unfinished
from postroad.mend import mend
from postroad.net.tls import server_context
from postroad.obs import multiprocess
from postroad.obs.log import log
from postroad.obs.notify import notify
from postroad.policy import counts_file

PID_FILE: Final = "postroad.pid"
COUNTS: Final = "run/counts"
LOCKS: Final = "run/locks"
ORPHANS_SECONDS: Final = 15.0
"""How long workers that lost their supervisor may take to end."""


class AlreadyRunning(Exception):
    """Another server holds this data directory."""


class Instance:
    """Holds the data directory for one server; the lock goes with the process, however it ends."""

    def __init__(self, data: Path) -> None:
        self._path = data / PID_FILE
        self._fd = -1
        self.was_killed = False
        """Whether the last server here left without removing its file."""

    def __enter__(self) -> "Instance":
        self._fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        patience = time.monotonic() + ORPHANS_SECONDS
        while not self._has_lock():
            pid = _read_pid(self._fd)
            # Workers of a supervisor that was killed hold on until they have finished: they are waited for.
            if _alive(pid) or time.monotonic() > patience:
                os.close(self._fd)
                raise AlreadyRunning(f"a server with process id {pid} already uses {self._path.parent}")
            time.sleep(0.05)
        self.was_killed = _read_pid(self._fd) > 0
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, f"{os.getpid()}\n".encode(), 0)
        return self

    def _has_lock(self) -> bool:
        """Lock the file of that name; the one we have may be removed by its last holder meanwhile."""
        if not _locked(self._fd):
            return False
        try:
            if os.path.samestat(os.fstat(self._fd), os.stat(self._path)):
                return True
        except FileNotFoundError:
            pass
        os.close(self._fd)
        self._fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        return self._has_lock()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._path.unlink(missing_ok=True)
        os.close(self._fd)


def running_pid(data: Path) -> int | None:
    """The process id of the server that holds `data`; None when none runs."""
    try:
        fd = os.open(data / PID_FILE, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        return None if _locked(fd) else _read_pid(fd)  # a file without a lock was left by a kill -9
    finally:
        os.close(fd)


def _locked(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _read_pid(fd: int) -> int:
    text = os.pread(fd, 20, 0).decode(errors="replace").strip()
    return int(text) if text.isdigit() else 0


def _alive(pid: int) -> bool:
    return pid > 0 and Path(f"/proc/{pid}").exists()


def become(user: str, data: Path) -> None:
    """Give up root for `user`, who owns the data directory from now on.

    Raises:
        ConfigError: there is no such user, or we are not root and not that user.
    """
    try:
        entry = pwd.getpwnam(user)
    except KeyError:
        raise ConfigError("", 0, "user", f"there is no user {user} on this machine") from None
    if os.geteuid() == entry.pw_uid:
        return
    if os.geteuid() != 0:
        raise ConfigError("", 0, "user", f"only root can become {user}; start as root or as {user}")
    # Whoever has that user's rights may have put links there: they are never followed.
    for _, folders, files, folder in os.fwalk(data):
        os.chown(folder, entry.pw_uid, entry.pw_gid)
        for name in (*folders, *files):
            os.chown(name, entry.pw_uid, entry.pw_gid, dir_fd=folder, follow_symlinks=False)
    multiprocess.hand_over(entry.pw_uid, entry.pw_gid)
    os.initgroups(user, entry.pw_gid)
    os.setgid(entry.pw_gid)
    os.setuid(entry.pw_uid)


def _copying(done: int, pages: int) -> None:
    """Let the service manager wait: the index of a large server takes a while to copy."""
    notify("EXTEND_TIMEOUT_USEC=60000000", f"STATUS=Copying the index: {100 * done // max(pages, 1)} %")


def _rebuilding(done: int, messages: int) -> None:
    notify("EXTEND_TIMEOUT_USEC=60000000", f"STATUS=Making the index again: {done} of {messages} messages")


def prepare(
    settings: Settings, *, was_killed: bool = False, tell: Callable[[str], None] = lambda _sentence: None
) -> CertificateFiles:
    """Make, mend or upgrade the store, find or make the certificate; both as the final user.

    `tell` is told what was mended, in sentences for people.

    Raises:
        CannotMend: nothing was changed.
        ConfigError: the certificate cannot be used.
        NewerSchema: the store belongs to a newer postroad.
        NoRoomToUpgrade: nothing was changed.
    """
    refuse_unfinished(settings.data)  # or what is there of it would be taken for a damaged store
    for sentence in mend(settings.data, thorough=was_killed, progress=_rebuilding).sentences:
        tell(sentence)
    before = prepare_data(settings.data, _copying)
    if 0 < before < LATEST:
        copy = copy_path(settings.data, before)
        log.warning("store.upgraded", schema=LATEST, before=before, copy=copy.name)
    for name in ("packs", "spool", "bus", LOCKS):
        (settings.data / name).mkdir(parents=True, exist_ok=True)
    counts_file.create(settings.data / COUNTS, settings.worker_count)
    Ballast(settings.data).make()
    files = certificate_files(settings, datetime.now(UTC))
    try:
        server_context(files.certificate, files.key)
    except OSError as error:  # ssl.SSLError is one
        raise ConfigError(
            "", 0, "tls", f"{files.certificate} and {files.key} cannot be used together: {error}"
        ) from error
    return files
