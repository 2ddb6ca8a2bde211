"""Dovecot's IMAP over a Maildir of its own, without a server around it."""

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


@contextmanager
def dovecot_imap(home: Path) -> Iterator[imaplib.IMAP4]:
    """A session that is logged in; the directory must be one that others may look into."""
    # Dovecot serves no mail to root.
    user = pwd.getpwnam("mail") if os.geteuid() == 0 else pwd.getpwuid(os.getuid())
    settings = home / "dovecot.conf"
    settings.write_text(_SETTINGS.format(home=home, user=user.pw_uid, group=user.pw_gid))
    become: list[str] = []
    if os.geteuid() == 0:
        run("chown", "-R", f"{user.pw_uid}:{user.pw_gid}", home)
        become = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    name = ["env", f"HOME={home}", f"USER={user.pw_name}"]
    command = [*become, *name, str(program("doveadm")), "-c", str(settings), "exec", "imap"]
    with imaplib.IMAP4_stream(shlex.join(command)) as session:
        yield session
