"""Dovecot's own program over mail in files, without a server around it."""

import imaplib
import os
import pwd
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.interop.processes import program, run

_SETTINGS: Final = """
base_dir = {home}/run
state_dir = {home}/state
log_path = {home}/log
mail_uid = {user}
mail_gid = {group}
first_valid_uid = 1
first_valid_gid = 1
protocols =
ssl = no
mail_location = maildir:{home}/Maildir
namespace inbox {{
  inbox = yes
}}
"""


class Doveadm:
    """Dovecot serves no mail to root, so as another user, who must be able to look into `home`."""

    def __init__(self, home: Path) -> None:
        user = pwd.getpwnam("mail") if os.geteuid() == 0 else pwd.getpwuid(os.getuid())
        settings = home / "dovecot.conf"
        settings.write_text(_SETTINGS.format(home=home, user=user.pw_uid, group=user.pw_gid))
        self.home = home
        self._user = user
        become = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
        self._command: list[str | Path] = [
            *(become if os.geteuid() == 0 else []),
            *("env", f"HOME={home}", f"USER={user.pw_name}"),
            *(program("doveadm"), "-c", settings),
        ]

    def __call__(self, location: str, *words: str, stdin: str = "") -> str:
        """Run a command over the mail at a location."""
        self._give_away()
        return run(*self._command, "-o", f"mail_location={location}", *words, stdin=stdin)

    @contextmanager
    def imap(self) -> Iterator[imaplib.IMAP4]:
        """A session that is logged in, over the Maildir in `home`."""
        self._give_away()
        command = shlex.join(str(word) for word in (*self._command, "exec", "imap"))
        with imaplib.IMAP4_stream(command) as session:
            yield session

    def _give_away(self) -> None:
        if os.geteuid() == 0:
            run("chown", "-R", f"{self._user.pw_uid}:{self._user.pw_gid}", self.home)
