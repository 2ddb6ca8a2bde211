"""mpop fetches mail over POP3, pipelined, and knows by UIDL what it has."""

from pathlib import Path

import pytest

from tests.interop.messages import message, receive, texts
from tests.interop.postroad_server import HOST, PASSWORD, Postroad
from tests.interop.processes import program, run

WAYS = {
    "tls-plain": ("pop3s", "tls_starttls off\nauth plain"),
    "starttls-user": ("pop3", "tls_starttls on\nauth user"),
}


@pytest.mark.parametrize("way", WAYS)
def test_mpop_fetches_what_is_new_and_then_takes_all_away(
    module_server: Postroad, tmp_path: Path, way: str
) -> None:
    user = f"{way}@ours.test"
    module_server.add_accounts(user)
    listener, options = WAYS[way]
    maildir = tmp_path / "maildir"
    for part in ("cur", "new", "tmp"):
        (maildir / part).mkdir(parents=True)
    settings = tmp_path / "mpoprc"
    settings.write_text(f"""\
account default
host {HOST}
port {getattr(module_server.ports, listener)}
tls on
tls_trust_file {module_server.certificates.authority}
user {user}
password {PASSWORD}
delivery maildir {maildir}
uidls_file {tmp_path}/uidls
received_header off
{options}
""")
    settings.chmod(0o600)

    def poll(*words: str) -> list[str]:
        """Poll once, and return the subjects of all that has been fetched so far."""
        run(program("mpop"), "--file", settings, *words)
        lines = [line for path in maildir.glob("new/*") for line in path.read_text().splitlines()]
        return sorted(line for line in lines if line.startswith("Subject: "))

    for word in ("apple", "bread"):
        receive(module_server, message(word, f"All about {word}.\r\n.\r\n..\r\n"), user)
    assert poll("--keep=on") == ["Subject: apple", "Subject: bread"]
    receive(module_server, message("cheese"), user)
    assert poll("--keep=on") == ["Subject: apple", "Subject: bread", "Subject: cheese"]
    assert [path.read_text().endswith("\n.\n..\n") for path in maildir.glob("new/*")].count(True) == 2
    assert len(texts(module_server, user=user)) == 3

    assert len(poll("--keep=off")) == 3
    assert texts(module_server, user=user) == []
