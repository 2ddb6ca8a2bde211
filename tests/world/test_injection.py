"""What somebody writes into a field stays in it (SAFETY C20): no new command, no new header field."""

import email
import email.policy

import pytest

from postroad.testing import ThreadedWorld
from postroad.testing.remote import Raw as RawReply
from postroad.testing.world import PASSWORD
from tests.world.clients import Raw, exchange, mail, raw_submission, submission, submit
from tests.world.conftest import ADA, BOB

EVE = "eve@elsewhere.test"
LINE_ENDS = [b"\r\n", b"\r", b"\n", b"\0", b"\x85", b"\xe2\x80\xa8", b"\x1b[2J"]


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\0", b"\n\r"])
@pytest.mark.parametrize(
    "command",
    [
        b"MAIL FROM:<ada%b@demo.test>",
        b'MAIL FROM:<"ada%b"@demo.test>',
        b"MAIL FROM:<ada@demo.test> SIZE=1%b",
        b"MAIL FROM:<ada@demo.test> ENVID=x%b",
        b"RCPT TO:<eve%b@elsewhere.test>",
        b'RCPT TO:<"eve%b"@elsewhere.test>',
        b"RCPT TO:<eve@elsewhere.test%b>",
        b"RCPT TO:<eve@elsewhere.test> ORCPT=rfc822;x%bx",
        b"RCPT TO:<eve@elsewhere.test> NOTIFY=NEVER%bx",
    ],
)
def test_no_line_end_in_a_command_gets_through(
    lasting_world: ThreadedWorld, command: bytes, end: bytes
) -> None:
    injected = end + b"RCPT TO:<injected@elsewhere.test>" + end
    with raw_submission(lasting_world) as client:
        if command.startswith(b"RCPT"):
            client.say(b"MAIL FROM:<ada@demo.test>")
        assert client.say(command % injected).startswith(b"5")
        client.say(b"RSET")
        client.say(b"MAIL FROM:<ada@demo.test>")
        client.say(b"RCPT TO:<bob@demo.test>")
        assert client.say(b"DATA").startswith(b"354 ")
        assert client.say(mail() + b".").startswith(b"250 ")
    assert lasting_world.queue() == []


@pytest.mark.parametrize("coded", ["+0D+0ADATA", "+00", "+0A.+0D+0A", "+1B[31m"])
def test_coded_line_ends_are_refused(lasting_world: ThreadedWorld, coded: str) -> None:
    with submission(lasting_world) as client:
        assert client.mail(ADA, [f"ENVID=x{coded}x"])[0] == 501
        assert client.mail(ADA, ["ENVID=x+2Bx"])[0] == 250
        assert client.rcpt(EVE, [f"ORCPT=rfc822;eve{coded}@elsewhere.test"])[0] == 501


@pytest.mark.parametrize("end", ["=0D=0A", "=0A", "=0D", "=00", "=E2=80=A8", "=0D=0A=0D=0A"])
def test_a_coded_subject_does_not_break_the_header_of_a_bounce(world: ThreadedWorld, end: str) -> None:
    world.remote("elsewhere.test").answer("RCPT", "550 5.1.1 no")
    subject = f"=?utf-8?q?x{end}Bcc:_injected=40elsewhere.test{end}X-Injected:_1?="
    submit(world, mail(subject), EVE)
    world.settle()
    (bounce,) = world.mailbox(ADA).messages()
    for policy in (email.policy.default, email.policy.compat32):
        parsed = email.message_from_bytes(bounce.octets, policy=policy)
        assert parsed["Bcc"] is None
        assert parsed["X-Injected"] is None
        assert len(parsed.get_all("Subject", [])) == 1
    assert bounce.subject.startswith("Undelivered: x")


@pytest.mark.parametrize("end", LINE_ENDS[2:])
def test_words_of_a_remote_server_do_not_break_a_bounce(world: ThreadedWorld, end: bytes) -> None:
    elsewhere = world.remote("elsewhere.test")
    elsewhere.answer("RCPT", RawReply(b"550 5.1.1 no" + end + b"Bcc: injected@elsewhere.test\r\n"))
    submit(world, mail(), EVE)
    world.advance(days=6)
    for bounce in world.mailbox(ADA).messages():
        parsed = email.message_from_bytes(bounce.octets)
        assert parsed["Bcc"] is None
        lines = bounce.octets.split(b"\r\n")
        assert not [line for line in lines if line.startswith(b"Bcc:")]
        assert b"\x1b" not in bounce.octets
        assert all(b"\n" not in line and b"\r" not in line for line in lines)


@pytest.mark.parametrize("end", LINE_ENDS[1:])
def test_the_name_in_helo_does_not_break_received(world: ThreadedWorld, end: bytes) -> None:
    with exchange(world) as client:
        client.send(b"EHLO evil.test" + end + b"X-Injected: 1\r\n")
        client.getreply()
        client.sendmail("eve@elsewhere.test", [ADA], mail())
    (message,) = world.mailbox(ADA).messages()
    assert message.headers("X-Injected") == []
    trace = message.octets.partition(b"\r\nFrom:")[0]
    assert end not in trace.replace(b"\r\n", b"")


@pytest.mark.parametrize("end", LINE_ENDS)
def test_names_in_imap_do_not_break_a_response(world: ThreadedWorld, end: bytes) -> None:
    name = b"x" + end + b"* BYE injected" + end + b"* 99 EXISTS"
    with Raw(world.port("imaps"), world.tls()) as client:
        client.line()
        client.send(f'a LOGIN {ADA} "{PASSWORD}"\r\nb SELECT INBOX\r\n'.encode())
        client.until(b"a")
        client.until(b"b")
        for verb in (b"CREATE", b"SUBSCRIBE", b"STATUS", b"SELECT"):
            rest = b" (MESSAGES)" if verb == b"STATUS" else b""
            client.send(b"c %b {%d+}\r\n" % (verb, len(name)) + name + rest + b"\r\n")
            said = client.until(b"c")
            assert not [line for line in said if line.startswith((b"* BYE", b"* 99"))], said
        client.send(b'd LIST "" *\r\ne LSUB "" *\r\nf NOOP\r\n')
        said = [*client.until(b"d"), *client.until(b"e"), *client.until(b"f")]
        assert not [line for line in said if line.startswith((b"* BYE", b"* 99"))], said
        assert said[-1].startswith(b"f OK")


@pytest.mark.parametrize("end", [b"\r\n", b"\n", b"\r"])
def test_headers_do_not_break_the_envelope(world: ThreadedWorld, end: bytes) -> None:
    """What a client shows comes from ENVELOPE: one response, however odd the header."""
    coded = end.replace(b"\r", b"=0D").replace(b"\n", b"=0A")
    word = b"=?utf-8?q?x" + coded + b"*_BYE_injected" + coded + b"?="
    header = (
        b"From: "
        + word
        + b' <ada@demo.test>\r\nSubject: "'
        + word
        + b'\\"\r\nTo: '
        + word
        + b" <b@x.test>\r\n"
    )
    submit(world, header + b"\r\nbody\r\n", BOB)
    with Raw(world.port("imaps"), world.tls()) as client:
        client.line()
        client.send(f'a LOGIN {BOB} "{PASSWORD}"\r\nb SELECT INBOX\r\n'.encode())
        client.until(b"a")
        client.until(b"b")
        client.send(b"c FETCH 1 (ENVELOPE BODYSTRUCTURE)\r\n")
        said = client.until(b"c")
        assert not [line for line in said if line.startswith(b"* BYE")]
        assert len(said) == 2
