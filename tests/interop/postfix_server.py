"""Postfix, a real mail server, as the other side: own directories, own address, port 25."""

import tempfile
from pathlib import Path
from typing import Final

from tests.interop.addresses import loopback_address
from tests.interop.certificates import Certificates
from tests.interop.processes import Daemon, answers, as_root, program, run, until

# inet_interfaces must name an address that an interface has; where it listens
# stands in master.cf.
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
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
smtp_bind_address = {address}
smtpd_peername_lookup = no
myhostname = mx.theirs.test
mydomain = theirs.test
mydestination =
mynetworks = {address}/32
alias_maps =
local_recipient_maps =
biff = no
message_size_limit = 2000000
mailbox_size_limit = 0
smtpd_banner = $myhostname ESMTP

virtual_mailbox_domains = theirs.test, backup.theirs.test, implicit.theirs.test
virtual_mailbox_base = {directory}/mail
virtual_mailbox_maps = inline:{{ carl@theirs.test=carl/, dora@theirs.test=dora/,
    eve@backup.theirs.test=eve/, fay@implicit.theirs.test=fay/ }}
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
virtual_minimum_uid = 1

smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination
smtpd_recipient_restrictions = check_recipient_access texthash:{directory}/etc/access
smtpd_tls_security_level = may
smtpd_tls_cert_file = {certificates.certificate}
smtpd_tls_key_file = {certificates.key}
smtpd_tls_received_header = yes
smtpd_tls_loglevel = 1
smtp_tls_security_level = may
smtp_tls_loglevel = 1
smtp_dns_support_level = enabled
smtp_host_lookup = dns
minimal_backoff_time = 1s
maximal_backoff_time = 1s
queue_run_delay = 1s
"""

# service type private unpriv chroot wakeup maxproc command. The SMTP client is
# jailed in the queue directory, where it finds the resolv.conf that we wrote.
_MASTER: Final = """
{address}:25 inet n - n - - smtpd
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
smtp unix - - y - - smtp
relay unix - - y - - smtp
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


class Postfix:
    """A whole Postfix that serves theirs.test, with Maildirs for carl, dora, eve and fay."""

    def __init__(self, certificates: Certificates, resolver: str) -> None:
        self.address = loopback_address(25)
        # Its daemons run as their own user, who cannot look into pytest's directories.
        self.directory = Path(tempfile.mkdtemp(prefix="postroad-postfix-"))
        self._config = self.directory / "etc"
        self._certificates = certificates
        self._resolver = resolver

    def start(self) -> None:
        """Lay out its directories, start `master` and wait until it answers."""
        uid, gid = run("id", "-u", "postfix").strip(), run("id", "-g", "postfix").strip()
        self.directory.chmod(0o755)
        for name in ("etc", "queue", "data", "mail", "queue/etc"):
            (self.directory / name).mkdir()
        (self.directory / "queue/etc/resolv.conf").write_text(f"nameserver {self._resolver}\n")
        (self._config / "access").touch()
        main = _MAIN.format(
            directory=self.directory,
            address=self.address,
            certificates=self._certificates,
            uid=uid,
            gid=gid,
        )
        (self._config / "main.cf").write_text(main)
        (self._config / "master.cf").write_text(_MASTER.format(address=self.address))
        for owned in ("data", "mail"):
            run(*as_root("chown", "-R", f"{uid}:{gid}", str(self.directory / owned)))
        run(*as_root("chown", "root", str(self.directory / "queue")))
        command = as_root(program("postfix"), "-c", str(self._config), "start-fg")
        self._daemon = Daemon(command, self.directory / "start.log")
        self._daemon.until(lambda: answers(self.address, 25), "Postfix to answer")

    def stop(self) -> None:
        """Stop it."""
        self._daemon.stop(as_root(program("postfix"), "-c", str(self._config), "stop"))

    def remove(self) -> None:
        """Remove everything that it wrote."""
        run(*as_root("rm", "-rf", str(self.directory)))

    def log(self) -> str:
        """Its mail log so far."""
        path = self.directory / "mail.log"
        return run(*as_root("cat", str(path))) if path.exists() else ""

    def access(self, lines: str) -> None:
        """Set what it says to which recipients, as access(5) has it; none: all that exist are welcome."""
        (self._config / "access").write_text(lines)
        self._reload()

    def _reload(self) -> None:
        before = self.log().count("reload -- version")
        run(*as_root(program("postfix"), "-c", str(self._config), "reload"))
        until(lambda: self.log().count("reload -- version") > before, "Postfix to reload")

    def flush(self) -> None:
        """Try everything in its queue again, now."""
        run(*as_root(program("postqueue"), "-c", str(self._config), "-f"))

    def queue(self) -> str:
        """What waits in its queue, as `mailq` shows it."""
        return run(*as_root(program("postqueue"), "-c", str(self._config), "-p"))

    def messages(self, user: str) -> list[bytes]:
        """What has come into a user's Maildir."""
        new = self.directory / "mail" / user / "new"
        listing = run(*as_root("find", str(new), "-type", "f"), expect=(0, 1)) if new.parent.exists() else ""
        paths = [line for line in sorted(listing.splitlines()) if line.startswith("/")]
        return [run(*as_root("cat", path)).encode() for path in paths]

    def message(self, user: str, containing: str) -> str:
        """Wait for a message with these words in it."""

        def look() -> str | None:
            found = [m.decode("utf-8", "replace") for m in self.messages(user) if containing.encode() in m]
            return found[0] if found else None

        try:
            return until(look, f"a message to {user} with {containing!r}")
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.log()}") from None
