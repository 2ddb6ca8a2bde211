"""What every Postfix of the tests and benchmarks has in its settings: directories of its own, no look-ups."""

from pathlib import Path
from typing import Final

_MAIN: Final = """
compatibility_level = 3.6
queue_directory = {directory}/queue
data_directory = {directory}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
maillog_file = {directory}/mail.log
maillog_file_prefixes = {directory}
mail_owner = postfix
setgid_group = postdrop
inet_protocols = ipv4
mydestination =
alias_maps =
local_recipient_maps =
smtpd_peername_lookup = no
mailbox_size_limit = 0
"""

# service type private unpriv chroot wakeup maxproc command
_MASTER: Final = """
{listen} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp unix - - {jail} - - smtp
relay unix - - {jail} - - smtp
lmtp unix - - n - - lmtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
local unix - n n - - local
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


def write(directory: Path, main: str, *, listen: str, jailed: bool = False) -> None:
    """Write main.cf and master.cf below `directory`/etc.

    `main` is for what is this one's own; it listens at `listen`. A `jailed`
    SMTP client finds the files of /etc in the queue directory.
    """
    (directory / "etc/main.cf").write_text(_MAIN.format(directory=directory) + main)
    (directory / "etc/master.cf").write_text(_MASTER.format(listen=listen, jail="y" if jailed else "n"))
