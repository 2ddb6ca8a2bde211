"""Write docs/interop.md: what was run against postroad, in which version (`make versions`).

The versions are asked of dpkg on the machine where the tests passed, so that
the page says what is true and nobody has to remember it.
"""

import json
import platform
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Final

from tests.interop import unpacked
from tests.interop.processes import run

HERE: Final = Path(__file__).parent
PAGE: Final = HERE.parents[1] / "docs" / "interop.md"


@dataclass(frozen=True, slots=True)
class Peer:
    """One program that nobody here wrote."""

    package: str
    """Debian's name for it, PyPI's behind `pypi:`, npm's behind `npm:`; empty for what comes with Python."""
    name: str
    tests: str
    does: str


PEERS: Final = (
    Peer(
        "swaks",
        "swaks",
        "test_swaks.py",
        "submits over STARTTLS and TLS, AUTH PLAIN and LOGIN, pipelined; is refused in clear, without login, "
        "with a wrong password, as a relay, for an unknown recipient",
    ),
    Peer(
        "msmtp",
        "msmtp",
        "test_msmtp.py",
        "submits over STARTTLS and TLS with PLAIN and LOGIN; recipients from the header, Bcc removed",
    ),
    Peer(
        "gsasl",
        "GNU SASL",
        "test_scram.py",
        "logs in with SCRAM-SHA-256, and with SCRAM-SHA-256-PLUS bound by tls-unique in TLS 1.2; msmtp, mutt "
        "and mbsync (Cyrus SASL) with SCRAM-SHA-256, msmtp with SCRAM-SHA-1 and an app password too",
    ),
    Peer(
        "curl",
        "curl",
        "test_curl.py",
        "submits over SMTP; lists, searches, fetches, appends and flags over IMAP; reads and deletes "
        "over POP3; each with STARTTLS and TLS; logs in with a token (OAUTHBEARER; msmtp with XOAUTH2 too)",
    ),
    Peer(
        "isync",
        "mbsync",
        "test_mbsync.py",
        "two-way synchronisation of mail, flags, deletions and new mailboxes; a second run changes nothing; "
        "two accounts kept alike over a hundred random changes",
    ),
    Peer(
        "offlineimap3",
        "OfflineIMAP",
        "test_offlineimap.py",
        "two-way synchronisation with Maildirs over two rounds of random changes, flags, deletions and new "
        "mailboxes on both sides, compressed and with STARTTLS; of two accounts; another run changes nothing",
    ),
    Peer(
        "interimap",
        "interimap",
        "test_interimap.py",
        "two accounts kept alike by QRESYNC over sixty random changes, flags, moves, deletions, compressed",
    ),
    Peer(
        "fetchmail",
        "fetchmail",
        "test_fetchmail.py",
        "takes mail away or keeps it, over POP3 (UIDL) and IMAP, each with STARTTLS and TLS",
    ),
    Peer(
        "getmail6",
        "getmail",
        "test_getmail.py",
        "takes mail away, or leaves it and knows over a restart of the server what it has seen, over POP3 "
        "and IMAP; deletes what it saw two days ago; reads several mailboxes and moves what it read; waits "
        "in IDLE",
    ),
    Peer(
        "mutt",
        "mutt",
        "test_mutt.py",
        "in batch mode: sends with an attachment and files a copy; reads, flags, moves and deletes; "
        "with its cache it comes back to what alone has changed, by CONDSTORE and by QRESYNC",
    ),
    Peer(
        "mpop",
        "mpop",
        "test_mpop.py",
        "fetches over POP3 what is new by UIDL, pipelined, with TLS (AUTH PLAIN) and STARTTLS (USER); "
        "then takes all away",
    ),
    Peer(
        "imapfilter",
        "IMAPFilter",
        "test_imapfilter.py",
        "searches, copies, moves, flags and deletes on the server, into mailboxes that it makes, with TLS "
        "and STARTTLS; waits in IDLE",
    ),
    Peer(
        "alpine",
        "Alpine",
        "test_alpine.py",
        "in a terminal that nobody looks at: sorts on the server, reads, saves, flags and expunges (the "
        "c-client library)",
    ),
    Peer(
        "thunderbird",
        "Thunderbird",
        "test_thunderbird.py",
        "without a screen: reads, flags, tags, copies, moves, deletes, files; hears in IDLE what arrives; "
        "started anew, asks what has changed meanwhile (CONDSTORE)",
    ),
    Peer(
        "",
        "imaplib",
        "test_imaplib.py",
        "logs in (LOGIN, AUTHENTICATE), appends, searches, fetches parts, copies, moves, expunges, manages "
        "mailboxes, waits in IDLE on both workers",
    ),
    Peer(
        "pypi:IMAPClient",
        "IMAPClient",
        "test_imapclient.py",
        "sorts, threads and searches, also FUZZY and with text that is not ASCII in two charsets; asks what "
        "has changed (CONDSTORE); waits in IDLE; MULTIAPPEND, MOVE, UIDPLUS, BINARY, QUOTA, NAMESPACE, ID",
    ),
    Peer(
        "pypi:aioimaplib",
        "aioimaplib",
        "test_aioimaplib.py",
        "waits in IDLE for arrivals, flags and expunges; ID, NAMESPACE, ENABLE; appends, searches, fetches "
        "and moves",
    ),
    Peer(
        "npm:imapflow",
        "ImapFlow",
        "test_imapflow.py",
        "a whole session in IMAP4rev2 (AUTHENTICATE PLAIN) and in IMAP4rev1 (STARTTLS, LOGIN): COMPRESS, ID, "
        "NAMESPACE, UTF8=ACCEPT, QUOTA, LIST-STATUS, APPEND, ENVELOPE, BODYSTRUCTURE, OBJECTID, ESEARCH, "
        "MOVE, COPY, events in IDLE, and a return by QRESYNC",
    ),
    Peer("", "poplib", "test_poplib.py", "reads a whole maildrop; deletions count at QUIT only"),
    Peer(
        "",
        "smtplib",
        "test_smtplib.py",
        "submits and delivers: missing fields, foreign senders, subaddresses, postmaster, 18 MB, SIZE, "
        "8 bits",
    ),
    Peer(
        "postfix",
        "Postfix",
        "test_postfix.py",
        "the other mail server, both ways over STARTTLS: delivery, by BDAT too, a second exchanger, 451 and "
        "then acceptance, bounces with its own words, null MX, its own bounce, its own deferral",
    ),
    Peer(
        "exim4-daemon-light",
        "Exim",
        "test_exim.py",
        "the other mail server, both ways over STARTTLS: sends by BDAT, pipelined; SMTPUTF8; receipts; asks "
        "by callout whether a sender is here; bounces and deferrals of each side; verifies what we sign "
        "(RSA, Ed25519), signs what we verify (DMARC p=reject)",
    ),
    Peer(
        "exim4-daemon-light",
        "Exim",
        "test_forwarding.py",
        "sends with p=reject what an alias sends on to a postroad that enforces it: its signature, or the "
        "seal of a forwarder that is trusted, carries it through; bounces find back to it (SRS)",
    ),
    Peer(
        "opensmtpd",
        "OpenSMTPD",
        "test_opensmtpd.py",
        "the other mail server, both ways: without PIPELINING, CHUNKING and SMTPUTF8, with a STARTTLS that "
        "fails, after which it gets its mail in clear; bounces of each side, a receipt",
    ),
    Peer(
        "dovecot-core",
        "Dovecot",
        "test_export.py",
        "reads the Maildir and mbox that an account was exported to, with flags, keywords and dates; "
        "writes both, which are imported",
    ),
    Peer(
        "dovecot-imapd",
        "Dovecot",
        "test_ordering.py",
        "answers SORT by every key, THREAD and ESORT over the same messages: the same answers, but for the "
        "order of THREAD=REFS, which goes by INTERNALDATE (draft-ietf-morg-inthread §4) and by Date there",
    ),
    Peer(
        "postfix",
        "Postfix",
        "test_lmtp.py",
        "in front of postroad: hands mail over by LMTP in a Unix socket, with an answer for each recipient",
    ),
    Peer(
        "haproxy",
        "HAProxy",
        "test_haproxy.py",
        "in front of SMTP and of IMAP with TLS, with PROXY version 2 and 1; its health checks",
    ),
    Peer(
        "postfix",
        "Postfix",
        "test_receiving.py",
        "passes DSN parameters on and gets a receipt for its user, and a notice about a delay and then a "
        "failure; SMTPUTF8 in both directions",
    ),
    Peer(
        "postfix",
        "Postfix",
        "test_dane.py",
        "verifies our certificate by DANE, and shows one that we verify, both with records that Unbound "
        "proves; nothing is sent where the record is for another key, nor with REQUIRETLS",
    ),
    Peer(
        "postfix-mta-sts-resolver",
        "postfix-mta-sts-resolver",
        "test_mta_sts.py",
        "finds the policy that `postroad domain dns` prints, and has Postfix verify our certificate by it",
    ),
    Peer("nsd", "NSD", "test_receiving.py", "serves a block list"),
    Peer("nsd", "NSD", "test_postfix.py", "the name server in which both find each other's MX records"),
    Peer(
        "unbound",
        "Unbound",
        "test_dnssec.py",
        "validates signed, unsigned and forged zones of an NSD, and says which answers are proved",
    ),
    Peer(
        "opendkim",
        "OpenDKIM",
        "test_opendkim.py",
        "verifies what we sign and signs what we verify, with RSA and Ed25519, in relaxed and in simple form",
    ),
    Peer(
        "rspamd",
        "rspamd",
        "test_rspamd.py",
        "verifies what we sign (RSA, Ed25519) and validates what we seal (ARC), and the other way "
        "round; chains of both",
    ),
    Peer("systemd", "systemd", "test_systemd_unit.py", "verifies the unit and rates its exposure"),
    Peer(
        "openssh-server",
        "OpenSSH",
        "test_backup_targets.py",
        "keeps backups, over SFTP; with a host key that is not known, another one, a key that it does not "
        "accept, a connection that is cut",
    ),
)

_TOP: Final = """\
# Who postroad has been run against

Programs that nobody here wrote, as `make test` runs them: packages of Debian, PyPI and npm against a real
`postroad serve` with two workers, on loopback, with TLS checked against an authority of the tests.
This page is written by `make versions` from what dpkg, pip and npm say.

"""


def version(peer: Peer) -> str:
    """What dpkg or pip says is installed, or the running Python."""
    if not peer.package:
        return f"Python {platform.python_version()}"
    if peer.package.startswith("pypi:"):
        return metadata.version(peer.package.removeprefix("pypi:"))
    if peer.package in unpacked.PACKAGES:
        return unpacked.version(peer.package)
    if peer.package.startswith("npm:"):
        name = peer.package.removeprefix("npm:")
        package = json.loads((HERE / name / "node_modules" / name / "package.json").read_text())
        return str(package["version"])
    return run("dpkg-query", "--show", "--showformat=${Version}", peer.package)


def page() -> str:
    """The whole page."""
    system = platform.freedesktop_os_release()["PRETTY_NAME"]
    rows = [f"| program | version ({system}) | what it does here | tests |", "|---|---|---|---|"]
    rows += [f"| {peer.name} | {version(peer)} | {peer.does} | `{peer.tests}` |" for peer in PEERS]
    return _TOP + "\n".join(rows) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page())
