"""OpenBSD's mail server, OpenSMTPD: own directories, own address, port 25."""

import shutil
import tempfile
from pathlib import Path
from typing import Final

from tests.interop.addresses import loopback_address
from tests.interop.certificates import Certificates
from tests.interop.maildirs import Maildirs
from tests.interop.processes import Daemon, answers, as_root, run
from tests.interop.unpacked import FIRST_ID, seeing, unpacked, users

_PACKAGE: Final = "opensmtpd"

_SETTINGS: Final = """
pki mx.opensmtpd.test cert "{directory}/etc/certificate.pem"
pki mx.opensmtpd.test key "{directory}/etc/key.pem"
table people {{ carl = opensmtpd, dora = opensmtpd }}

listen on {address} port 25 tls pki mx.opensmtpd.test hostname mx.opensmtpd.test

action file maildir "{directory}/mail/%{{rcpt.user}}" virtual <people>
action send relay src {address} helo mx.opensmtpd.test tls

match from any for domain opensmtpd.test action file
match from src {address} for any action send
match from local for any action send
"""


class OpenSmtpd(Maildirs):
    """A whole OpenSMTPD that serves opensmtpd.test, with Maildirs for carl and dora."""

    def __init__(self, certificates: Certificates, resolver: str) -> None:
        self.address = loopback_address(25)
        # Its daemons run as users who cannot look into pytest's directories.
        self.directory = Path(tempfile.mkdtemp(prefix="postroad-opensmtpd-"))
        self._certificates = certificates
        self._resolver = resolver

    def start(self) -> None:
        """Lay out its directories, start it and wait until it answers."""
        directory, program = self.directory, unpacked(_PACKAGE)
        directory.chmod(0o755)
        for name in ("etc/ssl/certs", "lib/opensmtpd/empty", "mail", "program", "run", "spool/smtpd"):
            (directory / name).mkdir(parents=True)
        (directory / "etc/smtpd.conf").write_text(_SETTINGS.format(directory=directory, address=self.address))
        (directory / "etc/resolv.conf").write_text(f"nameserver {self._resolver}\n")
        for file in (self._certificates.certificate, self._certificates.key):
            shutil.copy(file, directory / "etc")
        shutil.copy(self._certificates.authority, directory / "etc/ssl/certs/ca-certificates.crt")
        over = users(directory / "etc", "opensmtpd", "opensmtpq")
        over["/etc/resolv.conf"] = directory / "etc/resolv.conf"
        over["/etc/ssl/certs"] = directory / "etc/ssl/certs"  # whom it trusts
        over["/var/lib"] = directory / "lib"  # where it goes to when it gives up its rights
        over["/var/spool"] = directory / "spool"
        over["/run"] = directory / "run"
        over["/usr/libexec"] = program / "usr/libexec"
        over[str(directory / "program")] = program / "usr/sbin"
        prefix = seeing(over)
        for path, mode in (("lib/opensmtpd/empty", "711"), ("spool/smtpd", "711")):
            run(*as_root("chown", "root:root", str(directory / path)))
            run(*as_root("chmod", mode, str(directory / path)))
        run(*as_root("chown", f"{FIRST_ID}:{FIRST_ID}", str(directory / "mail")))
        command = [*prefix, f"{directory}/program/smtpd", "-dv", "-f", f"{directory}/etc/smtpd.conf"]
        self._daemon = Daemon(as_root(*command), directory / "start.log")
        self._daemon.until(lambda: answers(self.address, 25), "OpenSMTPD to answer")

    def stop(self) -> None:
        """Stop it."""
        self._daemon.stop(as_root("kill", str(self._daemon.pid)))

    def remove(self) -> None:
        """Remove everything that it wrote."""
        run(*as_root("rm", "-rf", str(self.directory)))

    def log(self) -> str:
        """What it has logged so far."""
        return self._daemon.said()
