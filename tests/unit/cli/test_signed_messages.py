"""`dkim check` and `arc check`, in sentences."""

from pathlib import Path

from postroad.cli.explain import explain_chain, explain_signatures
from postroad.mailauth.dkim.result import Result
from postroad.message.header import HeaderBlock
from tests.unit.cli.conftest import Shell
from tests.unit.mailauth.arc.test_chain import sealed, validated
from tests.unit.mailauth.dkim.making import MESSAGE, signed, verified


def told(message: bytes) -> list[tuple[bool | None, str]]:
    return list(explain_signatures(verified(message), HeaderBlock.parse(message)))


def test_a_good_signature() -> None:
    assert told(signed(h="From:From:To:To:Cc:Subject:Subject:Date:Date")) == [
        (True, "The signature of a.test holds: the message is as it was signed."),
        (True, "  It is made with ed25519-sha256; its key is at sel._domainkey.a.test, 256 bits."),
        (True, "  It does not keep others from adding: reply-to, content-type, mime-version, message-id."),
    ]


def test_bad_ones() -> None:
    assert told(MESSAGE) == [(None, "The message is not signed.")]
    changed = told(signed().replace(b"well", b"ill"))
    assert changed[0][1] == "The signature of a.test does not hold: the body was changed after it was signed."
    assert changed[0][0] is False
    short = told(signed(l="8"))
    assert "holds: the last" in short[0][1]
    assert not short[0][0]
    assert any("DMARC does not count it" in text for _, text in short)
    assert told(signed()[: -len(MESSAGE)] * 9 + MESSAGE)[-1] == (
        False,
        "Not looked at: 1 more signature.",
    )


def test_chains() -> None:
    assert list(explain_chain(validated(MESSAGE))) == [(None, "The message has no ARC chain.")]
    first = sealed(MESSAGE, "a.test", Result.NONE)
    assert [text for _, text in explain_chain(validated(first))] == [
        "The chain of 1 set holds: sealed by a.test.",
        "  Set 1: sealed by a.test; mx.b.test found spf=pass.",
    ]
    changed = sealed(first.replace(b"A  letter", b"[list] A"), "b.test", Result.PASS)
    assert list(explain_chain(validated(changed)))[-1][1].startswith("  The message was changed before set 2")
    assert not next(iter(explain_chain(validated(first.replace(b"well", b"ill")))))[0]


def test_files_and_exit_status(shell: Shell, tmp_path: Path) -> None:
    message = tmp_path / "message.eml"
    message.write_bytes(b"From: a@a.test\n\nHello.\n")
    ran = shell("dkim", "check", str(message))
    assert (ran.status, ran.out) == (1, "– The message is not signed.\n")
    ran = shell("arc", "check", str(message))
    assert (ran.status, ran.out) == (0, "– The message has no ARC chain.\n")
    message.write_bytes(b"DKIM-Signature: v=1; a=none\n" + message.read_bytes())
    ran = shell("dkim", "check", str(message))
    assert ran.status == 1
    assert ran.out.startswith("✕ The signature of somebody says nothing: the signature cannot be read: ")
    assert shell("dkim", "check", "no-such-file").err == "postroad: no-such-file: No such file or directory\n"
