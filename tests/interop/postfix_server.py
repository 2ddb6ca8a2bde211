"""Postfix, a real mail server, as the other side: own directories, own address, port 25."""

import tempfile
from pathlib import Path
from typing import Final

from tests.interop import postfix_settings
from tests.interop.addresses import loopback_address
from tests.interop.certificates import Certificates
from tests.interop.maildirs import Maildirs
from tests.interop.processes import Daemon, answers, as_root, program, run, until

# inet_interfaces must name an address that an interface has; where it listens
# stands in master.cf.
_MAIN: Final = """
inet_interfaces = 127.0.0.1
smtp_bind_address = {address}
myhostname = mx.theirs.test
mydomain = theirs.test
mynetworks = {address}/32
biff = no
message_size_limit = 2000000
smtpd_banner = $myhostname ESMTP

virtual_mailbox_domains = theirs.test, backup.theirs.test, implicit.theirs.test
virtual_mailbox_base = {directory}/mail
virtual_mailbox_maps = inline:{{ carl@theirs.test=carl/, dora@theirs.test=dora/,
    jörg@theirs.test=jorg/, eve@backup.theirs.test=eve/, fay@implicit.theirs.test=fay/ }}
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


class Postfix(Maildirs):
    """A whole Postfix that serves theirs.test, with Maildirs for carl, dora, jorg (jörg@), eve and fay."""

    def __init__(self, certificates: Certificates, resolver: str) -> None:
        self.more = ""
        """For the end of its main.cf; before `start`."""
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
        (self.directory / "queue/etc/resolv.conf").write_text(
            f"nameserver {self._resolver}\noptions trust-ad\n"  # DANE hangs on what it says is proved
        )
        (self._config / "access").touch()
        main = _MAIN.format(
            directory=self.directory,
            address=self.address,
            certificates=self._certificates,
            uid=uid,
            gid=gid,
        )
        # The jailed client finds the resolv.conf that we wrote.
        postfix_settings.write(self.directory, main + self.more, listen=f"{self.address}:25", jailed=True)
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
