"""`postroad send`: a message through the running server, as a client would send it."""

import smtplib
import ssl
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate, make_msgid
from pathlib import Path
from typing import Final

import click

from postroad.cli.database import ask
from postroad.cli.here import Here, common, operator, pass_here
from postroad.cli.output import Exit, Problem, print_json, safe
from postroad.cli.password import known_password
from postroad.cli.running import Listening, Running, running_or_problem
from postroad.config.certificate import self_signed_files
from postroad.config.settings import Settings
from postroad.directory.accounts import parsed
from postroad.directory.resolve import is_local_domain
from postroad.model.address import Address

_BODY: Final = "A message from `postroad send`.\n"
_TIMEOUT: Final = 60.0


@click.command()
@common
@click.option("--to", "recipients", multiple=True, required=True, metavar="ADDRESS", help="May be repeated.")
@click.option("--subject", required=True)
@click.option("--from", "sender", metavar="ADDRESS", help="An account that sends; asks for its password.")
@click.option("--body", help="The text; without it, standard input.")
@pass_here
def send(here: Here, recipients: tuple[str, ...], subject: str, sender: str | None, body: str | None) -> None:
    """Send a message through the running server.

    To addresses of this server it goes as mail from outside would. With
    --from, and to addresses elsewhere, it is submitted: the sender logs in.
    """
    settings = here.settings()
    running = running_or_problem(settings.data)
    addresses = [parsed(text) for text in recipients]
    local = ask(here, lambda reader: all(is_local_domain(reader, to.domain) for to in addresses))
    if not local and sender is None:
        raise Problem(
            "mail to addresses elsewhere needs a sender",
            "say which account: --from ADDRESS",
            status=Exit.USAGE,
        )
    message = _compose(addresses, sender or f"{operator()}@{running.hostname}", subject, body)
    if sender is None:
        reply = _deliver(running, message, addresses)
    else:
        secret = known_password(sender, stdin_free=body is not None)
        reply = _submit(settings, running, message, addresses, secret)
    identity = reply.rpartition(" ")[2]
    if here.json:
        print_json({"reply": reply, "id": identity})
    here.say(f"{safe(reply[:1].upper() + reply[1:])}.")
    here.next(f"postroad trace {identity}")


def _compose(recipients: list[Address], sender: str, subject: str, body: str | None) -> EmailMessage:
    if body is None:
        body = _BODY if sys.stdin.isatty() else sys.stdin.read()
    message = EmailMessage()
    try:
        message["From"] = sender
        message["To"] = ", ".join(str(to) for to in recipients)
        message["Subject"] = subject
    except ValueError as error:  # a line end in the subject
        raise Problem(str(error), status=Exit.USAGE) from None
    message["Date"] = formatdate(localtime=True)
    message["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2])
    message.set_content(body if body.endswith("\n") or not body else body + "\n")
    return message


def _deliver(running: Running, message: EmailMessage, recipients: list[Address]) -> str:
    """Hand it in as another server would."""
    listener = _listener(running, "smtp")
    with _errors(listener), _connect(listener, running) as client:
        return _transaction(client, message, recipients)


def _submit(
    settings: Settings, running: Running, message: EmailMessage, recipients: list[Address], secret: str
) -> str:
    """Log in as the sender; the password goes to nobody but the owner of our own certificate."""
    listener = running.listener("submission", "implicit") or _listener(running, "submission")
    context = _trust(settings.tls.certificate or self_signed_files(settings.data).certificate)
    with _errors(listener), _connect(listener, running, context) as client:
        client.login(str(message["From"]), secret)
        return _transaction(client, message, recipients)


def _connect(listener: Listening, running: Running, context: ssl.SSLContext | None = None) -> smtplib.SMTP:
    """Connect; with a context only within TLS."""
    place = (listener.reach, listener.port, running.hostname)
    if context is not None and listener.tls == "implicit":
        return smtplib.SMTP_SSL(*place, timeout=_TIMEOUT, context=context)
    client = smtplib.SMTP(*place, timeout=_TIMEOUT)
    if context is not None:
        client.starttls(context=context)
    return client


def _transaction(client: smtplib.SMTP, message: EmailMessage, recipients: list[Address]) -> str:
    """One mail transaction; gives what the server says to the message."""
    sender = parsed(str(message["From"]))
    utf8 = any(not str(address).isascii() for address in (sender, *recipients))
    client.ehlo_or_helo_if_needed()
    _expect(client.mail(str(sender), ["SMTPUTF8"] if utf8 else []))
    for recipient in recipients:
        _expect(client.rcpt(str(recipient)), f"{recipient}: ")
    return _expect(client.data(message.as_bytes(policy=SMTP.clone(utf8=utf8))))


def _expect(answer: tuple[int, bytes], about: str = "") -> str:
    code, text = answer
    said = text.decode(errors="replace")
    if not 200 <= code < 300:
        raise Problem(f"{about}the server says: {code} {said}")
    # Without the enhanced status code, which is for programs.
    first, _, rest = said.partition(" ")
    return rest if first.count(".") == 2 and first.replace(".", "").isdigit() else said


@contextmanager
def _errors(listener: Listening) -> Iterator[None]:
    try:
        yield
    except smtplib.SMTPAuthenticationError as error:
        raise Problem("the server does not take this name and password") from error
    except (smtplib.SMTPException, OSError) as error:
        raise Problem(
            f"{listener.role} at {listener.address} does not answer as it should: {error}",
            "see postroad status",
            status=Exit.UNREACHABLE,
        ) from error


def _listener(running: Running, role: str) -> Listening:
    found = running.listener(role)
    if found is None:
        raise Problem(f"the server has no {role} listener", "add one under [[listener]] in the settings")
    return found


def _trust(certificate: Path) -> ssl.SSLContext:
    """Trust exactly the certificate that this server is set up with, whatever name it is for."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.load_verify_locations(certificate)
    return context
