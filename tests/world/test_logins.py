"""Every mechanism over real TLS, at each port where people log in, with clients of our own making."""

import imaplib
import poplib
import smtplib
import ssl
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from scramp import ScramClient

from postroad.config.limits import Limits
from postroad.config.logins import Auth
from postroad.testing import ThreadedWorld
from postroad.testing.world import PASSWORD
from tests.world.clients import PATIENCE, mail
from tests.world.conftest import ADA, no_bugs, peopled

PORTS = ["submission", "submissions", "imap", "imaps", "pop3", "pop3s"]
AUTH = Auth(scram="on", scram_iterations=4096, end_point_binding=True)
LIMITS = Limits(auth_delay=0, auth_delay_max=0, auth_per_minute_address=1000, auth_per_day_address=1000)
Respond: TypeAlias = Callable[[bytes], bytes]
"""A client's half of an exchange: from a challenge to the next response."""


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> "Authority":
    """Whose client certificates count."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def entries() -> Iterator[list[MutableMapping[str, Any]]]:
    """What the server logs."""
    with no_bugs() as entries:
        yield entries


@pytest.fixture(scope="module")
def world(authority: "Authority", entries: list[MutableMapping[str, Any]]) -> Iterator[ThreadedWorld]:
    """A server that offers everything but tokens; ada's SCRAM keys are made by her first log-in."""
    with ThreadedWorld(auth=AUTH, client_ca=authority.file, limits=LIMITS) as world:
        peopled(world)
        with client(world, "imaps", world.tls()) as session:
            session.log_in("PLAIN", lambda _: f"\0{ADA}\0{PASSWORD}".encode())
        yield world


class Authority:
    """Issues client certificates."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "ca.pem"
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Our users")])
        own = self._build(self._name, self._key).add_extension(x509.BasicConstraints(True, 0), critical=True)
        self.file.write_bytes(own.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))

    def issue(self, *addresses: str) -> Path:
        """A certificate with its key, for a person."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "somebody")])
        builder = self._build(name, key)
        if addresses:
            names = x509.SubjectAlternativeName([x509.RFC822Name(address) for address in addresses])
            builder = builder.add_extension(names, critical=False)
        file = self.folder / f"{'-'.join(addresses) or 'nobody'}.pem"
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        signed = builder.sign(self._key, hashes.SHA256())
        file.write_bytes(private + signed.public_bytes(serialization.Encoding.PEM))
        return file

    def _build(self, name: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
        )


class Session:
    """A connection under TLS, before log-in."""

    def __init__(self, protocol: str, library: Any) -> None:
        self._protocol = protocol
        self._library = library

    @property
    def tls(self) -> ssl.SSLSocket:
        """For its channel bindings."""
        found = self._library.sock
        assert isinstance(found, ssl.SSLSocket)
        return found

    def mechanisms(self) -> list[str]:
        """What is offered."""
        match self._library:
            case smtplib.SMTP() as smtp:
                smtp.ehlo()
                return smtp.esmtp_features["auth"].split()
            case imaplib.IMAP4() as imap:
                _, (words,) = imap.capability()
                return [word[5:].decode() for word in words.split() if word.startswith(b"AUTH=")]
            case _:
                return list(self._library.capa()["SASL"])

    def log_in(self, mechanism: str, respond: Respond) -> None:
        """Go through an exchange; raises what the library raises where it fails."""
        match self._library:
            case smtplib.SMTP() as smtp:
                smtp.ehlo_or_helo_if_needed()
                smtp.auth(
                    mechanism,
                    lambda challenge=None: respond(challenge or b"").decode("latin-1"),
                    initial_response_ok=False,
                )
                smtp.sendmail(ADA, [ADA], mail(to=ADA))
            case imaplib.IMAP4() as imap:
                imap.authenticate(mechanism, respond)
                assert imap.select("INBOX")[0] == "OK"
            case _:
                self._pop3(mechanism, respond)

    def _pop3(self, mechanism: str, respond: Respond) -> None:
        pop = self._library
        pop._putcmd(f"AUTH {mechanism}")
        while (line := pop._getline()[0]).startswith(b"+ "):
            pop._putline(b64encode(respond(b64decode(line[2:]))))
        if not line.startswith(b"+OK"):
            raise poplib.error_proto(line)
        assert pop.stat()[0] >= 0


@contextmanager
def client(world: ThreadedWorld, port: str, context: ssl.SSLContext) -> Iterator[Session]:
    """Connect, with TLS at once or on request."""
    where = ("127.0.0.1", world.port(port))
    library: Any
    match port:
        case "submission":
            library = smtplib.SMTP(*where, timeout=PATIENCE)
            library.starttls(context=context)
        case "submissions":
            library = smtplib.SMTP_SSL(*where, timeout=PATIENCE, context=context)
        case "imap":
            library = imaplib.IMAP4(*where, timeout=PATIENCE)
            library.starttls(context)
        case "imaps":
            library = imaplib.IMAP4_SSL(*where, timeout=PATIENCE, ssl_context=context)
        case "pop3":
            library = poplib.POP3(*where, timeout=PATIENCE)
            library.stls(context)
        case _:
            library = poplib.POP3_SSL(*where, timeout=PATIENCE, context=context)
    try:
        yield Session(port, library)
    finally:
        if isinstance(library, imaplib.IMAP4):
            library.shutdown()
        else:
            library.close()


def scram(
    mechanism: str, password: str = PASSWORD, channel: tuple[str, bytes] | None = None, login: str = ADA
) -> Respond:
    """The client's half of SCRAM, by `scramp`."""
    other = ScramClient([mechanism], login, password, channel_binding=channel)
    steps = iter(range(3))

    def respond(challenge: bytes) -> bytes:
        match next(steps):
            case 0:
                return str(other.get_client_first()).encode()
            case 1:
                other.set_server_first(challenge.decode())
                return str(other.get_client_final()).encode()
            case _:
                other.set_server_final(challenge.decode())
                return b""

    return respond


def tls_12(world: ThreadedWorld) -> ssl.SSLContext:
    context = world.tls()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    return context


FAILED = (smtplib.SMTPAuthenticationError, imaplib.IMAP4.error, poplib.error_proto)


@pytest.mark.parametrize("port", PORTS)
def test_scram(world: ThreadedWorld, port: str) -> None:
    for mechanism in ("SCRAM-SHA-256", "SCRAM-SHA-1"):
        with client(world, port, world.tls()) as session:
            assert mechanism in session.mechanisms()
            session.log_in(mechanism, scram(mechanism))
        with client(world, port, world.tls()) as session, pytest.raises(FAILED):
            session.log_in(mechanism, scram(mechanism, "wrong horse battery"))
        with client(world, port, world.tls()) as session, pytest.raises(FAILED):
            session.log_in(mechanism, scram(mechanism, login="eve@demo.test"))


@pytest.mark.parametrize("port", PORTS)
def test_scram_bound_to_the_connection(world: ThreadedWorld, port: str) -> None:
    for mechanism in ("SCRAM-SHA-256-PLUS", "SCRAM-SHA-1-PLUS"):
        with client(world, port, tls_12(world)) as session:
            binding = session.tls.get_channel_binding("tls-unique")
            assert binding is not None
            session.log_in(mechanism, scram(mechanism, channel=("tls-unique", binding)))
        with client(world, port, world.tls()) as session:
            certificate = session.tls.getpeercert(binary_form=True)
            assert certificate is not None
            channel = ("tls-server-end-point", sha256(certificate).digest())
            session.log_in(mechanism, scram(mechanism, channel=channel))
        channel = ("tls-server-end-point", sha256(b"another certificate").digest())
        with client(world, port, world.tls()) as session, pytest.raises(FAILED):
            session.log_in(mechanism, scram(mechanism, channel=channel))


@pytest.mark.parametrize("port", PORTS)
def test_a_client_certificate(world: ThreadedWorld, authority: Authority, port: str) -> None:
    context = world.tls()
    context.load_cert_chain(authority.issue(ADA))
    with client(world, port, context) as session:
        assert "EXTERNAL" in session.mechanisms()
        session.log_in("EXTERNAL", lambda _: ADA.encode())
    with client(world, port, context) as session, pytest.raises(FAILED):
        session.log_in("EXTERNAL", lambda _: b"bob@demo.test")
    with client(world, port, world.tls()) as session:
        assert "EXTERNAL" not in session.mechanisms()


def test_a_certificate_that_names_nobody(world: ThreadedWorld, authority: Authority) -> None:
    context = world.tls()
    context.load_cert_chain(authority.issue())
    with client(world, "imaps", context) as session:
        assert "EXTERNAL" not in session.mechanisms()
        session.log_in("PLAIN", lambda _: f"\0{ADA}\0{PASSWORD}".encode())


def test_a_certificate_of_another_authority(
    world: ThreadedWorld, tmp_path: Path, entries: list[MutableMapping[str, Any]]
) -> None:
    context = tls_12(world)  # in TLS 1.3 the client hears of it only when it reads
    context.load_cert_chain(Authority(tmp_path).issue(ADA))
    with pytest.raises((ssl.SSLError, ConnectionError)), client(world, "imaps", context):
        pass
    with smtplib.SMTP("127.0.0.1", world.port("smtp"), timeout=PATIENCE) as other_server:
        other_server.starttls(context=context)  # is not even asked for its certificate
        assert other_server.noop()[0] == 250


def test_the_log_says_how(world: ThreadedWorld, entries: list[MutableMapping[str, Any]]) -> None:
    with client(world, "imaps", world.tls()) as session:
        session.log_in("SCRAM-SHA-256", scram("SCRAM-SHA-256"))
    accepted = [entry for entry in entries if entry["event"] == "login.accepted"][-1]
    assert (accepted["protocol"], accepted["mechanism"]) == ("imap", "SCRAM-SHA-256")
    assert PASSWORD not in str(entries)


def test_the_trail_says_how(world: ThreadedWorld) -> None:
    with client(world, "submissions", world.tls()) as session:
        session.log_in("SCRAM-SHA-1", scram("SCRAM-SHA-1"))
    notes = [note for trail in world.trail() for _, note in trail.notes]
    assert any(note.facts.get("also") == ["logged in by SCRAM-SHA-1"] for note in notes)
