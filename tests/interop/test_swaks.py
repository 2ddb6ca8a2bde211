"""swaks, the tester's own SMTP client."""

import pytest

from tests.interop.messages import arrived, texts
from tests.interop.postroad_server import HOST, PASSWORD, Postroad
from tests.interop.processes import program, run


def swaks(server: Postroad, port: int, *options: str, status: int = 0, to: str = "bob@ours.test") -> str:
    """Send one message from ada; swaks ends with a status that tells which step failed."""
    command = [program("swaks"), "--server", HOST, "--port", str(port), "--helo", "laptop.test"]
    command += ["--from", "ada@ours.test", "--to", to, *options]
    return run(*command, expect=(status,))


def trusting(server: Postroad) -> list[str]:
    return ["--tls-verify", "--tls-ca-path", str(server.certificates.authority)]


def login(mechanism: str = "PLAIN") -> list[str]:
    return ["--auth", mechanism, "--auth-user", "ada@ours.test", "--auth-password", PASSWORD]


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
def test_swaks_submits_over_starttls(server: Postroad, mechanism: str) -> None:
    options = [*trusting(server), *login(mechanism), "--header", "Subject: by starttls"]

    said = swaks(server, server.ports.submission, "--tls", *options)

    assert "TLS started with cipher" in said
    assert "From: ada@ours.test" in arrived(server, "Subject: by starttls", user="bob@ours.test")


def test_swaks_submits_over_tls_from_the_start(server: Postroad) -> None:
    options = [*trusting(server), *login(), "--header", "Subject: by tls"]

    swaks(server, server.ports.submissions, "--tls-on-connect", *options)

    assert arrived(server, "Subject: by tls", user="bob@ours.test")


def test_swaks_submits_in_a_pipeline(server: Postroad) -> None:
    options = [*trusting(server), *login(), "--pipeline", "--header", "Subject: in one go"]

    swaks(server, server.ports.submission, "--tls", *options, to="bob@ours.test,ada@ours.test")

    assert arrived(server, "Subject: in one go", user="bob@ours.test")
    assert arrived(server, "Subject: in one go", user="ada@ours.test")


def test_swaks_finds_no_authentication_in_clear(server: Postroad) -> None:
    said = swaks(server, server.ports.submission, *login(), status=28)

    assert "AUTH" not in said.split("EHLO")[1].split("***")[0]


def test_swaks_without_login_may_not_submit(server: Postroad) -> None:
    said = swaks(server, server.ports.submission, "--tls", *trusting(server), status=23)

    assert "530 5.7.0" in said


def test_swaks_as_a_stranger_may_not_relay(server: Postroad) -> None:
    said = swaks(server, server.ports.smtp, status=24, to="someone@elsewhere.test")

    assert "550 5.7.1" in said or "554 5.7.1" in said


def test_swaks_learns_that_a_recipient_is_unknown(server: Postroad) -> None:
    said = swaks(server, server.ports.smtp, status=24, to="nobody@ours.test")

    assert "550 5.1.1" in said
    assert texts(server) == []


def test_swaks_with_a_wrong_password_is_refused(server: Postroad) -> None:
    options = [*trusting(server), "--auth-user", "ada@ours.test", "--auth-password", "wrong"]

    said = swaks(server, server.ports.submission, "--tls", "--auth", "PLAIN", *options, status=28)

    assert "535 5.7.8" in said
