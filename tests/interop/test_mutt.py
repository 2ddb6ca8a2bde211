"""mutt, without a person: it sends in batch mode and reads by keys pushed to it."""

import re
from pathlib import Path

import pytest

from tests.interop.messages import arrived, imap, message, receive, texts
from tests.interop.postroad_server import HOST, PASSWORD, Postroad
from tests.interop.processes import program, run


def settings(server: Postroad, directory: Path, tls: str) -> Path:
    """A muttrc for ada, with TLS from the start or by STARTTLS."""
    s = "s" if tls == "tls" else ""
    imap_port, smtp_port = (
        (server.ports.imaps, server.ports.submissions) if s else (server.ports.imap, server.ports.submission)
    )
    lines = [
        "set from=ada@ours.test realname=Ada use_envelope_from=yes",
        f"set smtp_url='smtp{s}://ada%40ours.test@{HOST}:{smtp_port}/' smtp_pass='{PASSWORD}'",
        f"set folder='imap{s}://{HOST}:{imap_port}/' spoolfile=+INBOX record=+Sent",
        f"set imap_user=ada@ours.test imap_pass='{PASSWORD}'",
        f"set ssl_force_tls=yes ssl_ca_certificates_file={server.certificates.authority}",
        "set quit=yes delete=yes move=no confirmappend=no confirmcreate=no wait_key=no mark_old=no",
        "set header_cache='' imap_deflate=yes timeout=1 send_charset=utf-8",
    ]
    muttrc = directory / "muttrc"
    muttrc.write_text("\n".join(lines) + "\n")
    return muttrc


def mutt(muttrc: Path, keys: str, *options: str) -> None:
    """Open the inbox on a terminal that nobody looks at, and press keys."""
    command = " ".join([program("mutt"), *options, f"-F {muttrc} -e 'push \"{keys}\"'"])
    run(program("script"), "-qec", command, "/dev/null", env={"TERM": "vt100", "HOME": str(muttrc.parent)})


@pytest.mark.parametrize("tls", ["tls", "starttls"])
def test_mutt_sends_with_an_attachment_and_files_a_copy(server: Postroad, tmp_path: Path, tls: str) -> None:
    picture = tmp_path / "picture.png"
    picture.write_bytes(b"\x89PNG" + bytes(range(256)) * 20)
    muttrc = settings(server, tmp_path, tls)

    run(
        *(program("mutt"), "-F", muttrc, "-s", "Grüße", "-a", picture, "--", "bob@ours.test"),
        stdin="Schöne Grüße!\n",
        env={"HOME": str(tmp_path), "LC_ALL": "C.UTF-8"},
    )

    got = arrived(server, "picture.png", user="bob@ours.test")
    assert "=?utf-8?" in got.lower()
    assert "picture.png" in arrived(server, "picture.png", mailbox="Sent")
    with imap(server) as session:
        session.select("Sent", readonly=True)
        assert session.search(None, "SEEN") == ("OK", [b"1"])


@pytest.mark.parametrize("tls", ["tls", "starttls"])
def test_mutt_reads_flags_moves_and_deletes(server: Postroad, tmp_path: Path, tls: str) -> None:
    muttrc = settings(server, tmp_path, tls)
    for word in ("apple", "bread", "cheese"):
        receive(server, message(word, f"All about {word}.\r\n"))
    copy = tmp_path / "copy"

    mutt(
        muttrc,
        "<limit>~A<enter><first-entry>"
        f"<pipe-message>cat > {copy}<enter>"
        "<display-message><exit><flag-message>"
        "<limit>~s bread<enter><first-entry><save-message>=Archive<enter>"
        "<limit>~A<enter><delete-pattern>~s cheese<enter>"
        "<sync-mailbox><quit>",
    )

    assert "All about apple." in copy.read_text()
    assert "Subject: bread" in arrived(server, "bread", "Archive")
    [left] = texts(server)
    assert "Subject: apple" in left
    with imap(server) as session:
        session.select(readonly=True)
        assert session.search(None, "SEEN", "FLAGGED") == ("OK", [b"1"])


@pytest.mark.parametrize("extension", ["condstore", "qresync"])
def test_mutt_comes_back_to_what_has_changed(server: Postroad, tmp_path: Path, extension: str) -> None:
    muttrc = settings(server, tmp_path, "tls")
    (tmp_path / "cache").mkdir()
    with muttrc.open("a") as more:
        more.write(f"set imap_{extension}=yes header_cache={tmp_path / 'cache'}\n")
    for word in ("apple", "bread", "cheese"):
        receive(server, message(word, f"All about {word}.\r\n"))
    mutt(muttrc, "<quit>")

    with imap(server) as session:
        session.select()
        session.store("1", "+FLAGS", "(\\Flagged)")
        session.store("2", "+FLAGS", "(\\Deleted)")
        session.expunge()
    receive(server, message("dates", "All about dates.\r\n"))
    every, flagged, heard = tmp_path / "every", tmp_path / "flagged", tmp_path / ".muttdebug0"
    mutt(
        muttrc,
        "<limit>~A<enter><tag-pattern>~A<enter>"
        f"<tag-prefix><pipe-message>cat > {every}<enter>"
        f"<limit>~F<enter><first-entry><untag-pattern>~A<enter><pipe-message>cat > {flagged}<enter><quit>",
        "-d3",
    )

    read = every.read_text()
    there = [word for word in ("apple", "bread", "cheese", "dates") if f"All about {word}" in read]
    assert there == ["apple", "cheese", "dates"]
    assert "All about apple." in flagged.read_text()
    assert f"imap_{extension} is set" in run(program("mutt"), "-F", muttrc, "-Q", f"imap_{extension}")
    said = heard.read_text(errors="replace")
    assert "(CHANGEDSINCE " in said
    assert ("VANISHED (EARLIER) 2" in said) == ("ENABLE QRESYNC" in said) == (extension == "qresync")
    # The headers of what it knew come from its cache: it asks for those of the new message alone.
    assert "hcache uidvalidity" in said
    assert re.findall(r"FETCH (\S+) \(UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK", said) == ["3"]
