"""msmtp, the sendmail of many laptops."""

from pathlib import Path

import pytest

from tests.interop.messages import arrived
from tests.interop.postroad_server import HOST, PASSWORD, Postroad
from tests.interop.processes import program, run


def msmtp(
    server: Postroad,
    directory: Path,
    *options: str,
    auth: str = "plain",
    password: str = PASSWORD,
    stdin: str = "",
) -> str:
    """Run it with two accounts in its settings: starttls and tls."""
    lines = [
        "defaults",
        f"host {HOST}",
        "domain laptop.test",
        "from ada@ours.test",
        "user ada@ours.test",
        f'password "{password}"',
        f"auth {auth}",
        "tls on",
        f"tls_trust_file {server.certificates.authority}",
        "remove_bcc_headers off",
        "account starttls",
        f"port {server.ports.submission}",
        "tls_starttls on",
        "account tls",
        f"port {server.ports.submissions}",
        "tls_starttls off",
    ]
    settings = directory / "msmtprc"
    settings.write_text("\n".join(lines) + "\n")
    settings.chmod(0o600)
    return run(program("msmtp"), f"--file={settings}", *options, stdin=stdin)


@pytest.mark.parametrize("account", ["starttls", "tls"])
@pytest.mark.parametrize("auth", ["plain", "login"])
def test_msmtp_submits(server: Postroad, tmp_path: Path, account: str, auth: str) -> None:
    text = f"From: ada@ours.test\nTo: bob@ours.test\nSubject: {account} and {auth}\n\nHello.\n.\n..\n"

    msmtp(server, tmp_path, "-a", account, "bob@ours.test", auth=auth, stdin=text)

    got = arrived(server, f"Subject: {account} and {auth}", user="bob@ours.test")
    assert got.endswith("Hello.\r\n.\r\n..\r\n")


def test_msmtp_reads_the_recipients_from_the_header(server: Postroad, tmp_path: Path) -> None:
    text = "From: ada@ours.test\nTo: bob@ours.test\nBcc: ada@ours.test\nSubject: hush\n\nHello.\n"

    msmtp(server, tmp_path, "-a", "tls", "-t", stdin=text)

    for user in ("ada@ours.test", "bob@ours.test"):
        assert "Bcc" not in arrived(server, "Subject: hush", user=user)


def test_msmtp_is_told_what_the_server_can(server: Postroad, tmp_path: Path) -> None:
    said = msmtp(server, tmp_path, "-a", "starttls", "--serverinfo")

    for ability in ("SIZE", "PIPELINING", "AUTH"):
        assert ability in said
