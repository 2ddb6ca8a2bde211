"""Mail of strangers, judged: what is refused, what is junk, what is written and told."""

from collections.abc import Iterator
from contextlib import contextmanager
from smtplib import SMTPDataError

import pytest

from postroad.config.sender_auth import SenderAuth
from postroad.directory.domain_policy import DomainPolicy, set_policy
from postroad.mailauth.arc.seal import seal
from postroad.mailauth.authres.values import AuthResults, Property, Result
from postroad.mailauth.dkim.body import BodyHashes
from postroad.mailauth.dkim.result import Result as ArcStatus
from postroad.mailauth.dkim.sign import SigningKey
from postroad.message.header import HeaderBlock
from postroad.testing import ThreadedWorld
from postroad.testing.remote import RemoteServer
from postroad.testing.remote_message import TakenMessage
from postroad.trail.sentences import tell
from tests.unit.mailauth.dkim.making import ed25519, record, signed
from tests.world.clients import exchange, mail
from tests.world.conftest import ADA, BOB, no_bugs, peopled

EVE = "eve@x.test"


@contextmanager
def judging(**settings: object) -> Iterator[ThreadedWorld]:
    """A server that judges, in a world where x.test has policies."""
    with no_bugs(), ThreadedWorld(workers=1, sender_auth=SenderAuth(**settings)) as world:  # type: ignore[arg-type]
        peopled(world)
        world.resolver.add_address("client.test", "127.0.0.1")
        yield world


def publish(
    world: ThreadedWorld, *, spf: str = "v=spf1 -all", dmarc: str = "", domain: str = "x.test"
) -> None:
    world.resolver.add_txt(domain, spf.encode())
    if dmarc:
        world.resolver.add_txt(f"_dmarc.{domain}", dmarc.encode())


def send(world: ThreadedWorld, octets: bytes, *recipients: str, sender: str = EVE) -> None:
    with exchange(world) as client:
        client.sendmail(sender, recipients or (ADA,), octets)


def told(world: ThreadedWorld) -> dict[str, str]:
    """What the newest trail says, by label."""
    story = tell(world.trail()[0], str)
    return {line.label: line.text for line in story.lines}


def said(error: SMTPDataError) -> str:
    text = error.smtp_error
    return text.decode() if isinstance(text, bytes) else text


def taken(world: ThreadedWorld, remote: RemoteServer) -> TakenMessage:
    """The one message that another server has got."""
    world.until(lambda: len(remote.messages) == 1)
    return remote.messages[0]


def folder(world: ThreadedWorld, name: str, address: str = ADA) -> list[str]:
    return [message.subject for message in world.mailbox(address, name).messages()]


def test_a_message_that_passes() -> None:
    with judging() as world:
        publish(world, spf="v=spf1 ip4:127.0.0.1 -all", dmarc="v=DMARC1; p=reject")
        world.resolver.add_txt("s._domainkey.x.test", record(ed25519()))
        octets = signed(ed25519(), mail(sender=EVE), d="x.test", s="s", t=str(int(world.now)))
        send(world, octets)
        (message,) = world.mailbox(ADA).messages()
        lines = message.octets.split(b"\r\n")
        assert [line.partition(b":")[0] for line in lines[:3]] == [
            b"Return-Path",
            b"Delivered-To",
            b"Authentication-Results",
        ]
        (results,) = message.headers("Authentication-Results")
        for part in (
            "mx.world.test;",
            "spf=pass (ip4:127.0.0.1 of x.test for 127.0.0.1) smtp.mailfrom=eve@x.test",
            "dkim=pass",
            "header.d=x.test",
            "dmarc=pass (p=reject by x.test, done=none) header.from=x.test",
            "iprev=pass (client.test) policy.iprev=127.0.0.1",
        ):
            assert part in " ".join(results.split()), results
        assert "client.test" in message.headers("Received")[0]
        words = told(world)
        assert words["SPF"] == "x.test lets 127.0.0.1 send its mail (ip4:127.0.0.1)"
        assert words["DKIM"].startswith("signed by x.test (key s)")
        assert words["DMARC"] == "x.test vouches for the message, by SPF x.test and DKIM x.test"
        assert "policy" not in words


def test_what_its_domain_asks_to_refuse_is_refused_with_a_sentence() -> None:
    with judging() as world:
        publish(world, dmarc="v=DMARC1; p=reject")
        with pytest.raises(SMTPDataError) as refused:
            send(world, mail(sender=EVE))
        assert refused.value.smtp_code == 550
        assert said(refused.value).startswith("5.7.1 x.test asks to refuse")
        assert folder(world, "INBOX") == folder(world, "Junk") == []
        world.until(lambda: bool(world.trail()))
        assert "SPF of x.test fail (-all), DKIM none, DMARC fail" in told(world)["refused"]


def test_quarantine_is_the_mailbox_for_junk() -> None:
    with judging() as world:
        publish(world, dmarc="v=DMARC1; p=quarantine")
        send(world, mail("bad", sender=EVE), ADA, BOB)
        for address in (ADA, BOB):
            assert (folder(world, "INBOX", address), folder(world, "Junk", address)) == ([], ["bad"])
        words = told(world)
        assert words["DMARC"] == "x.test does not vouch for the message; its policy is quarantine"
        assert "in Junk" in words["filed"]


@pytest.mark.parametrize(
    "settings",
    [
        {"policy": "monitor"},
        {"allow": ("x.test",)},
        {"allow": (".test",)},
        {"allow": ("127.0.0.0/8",)},
    ],
)
def test_a_policy_that_is_overridden(settings: dict[str, object]) -> None:
    with judging(**settings) as world:
        publish(world, dmarc="v=DMARC1; p=reject")
        send(world, mail("odd", sender=EVE))
        assert folder(world, "INBOX") == ["odd"]
        (message,) = world.mailbox(ADA).messages()
        assert "dmarc=fail (p=reject by x.test, done=none)" in " ".join(
            message.header("Authentication-Results").split()
        )
        assert "x.test asks to refuse" in told(world)["policy"]


def sealed(
    octets: bytes, domain: str, said: Result, now: float, names: tuple[bytes, ...] | None = None
) -> bytes:
    """With an ARC set of `domain` on top, which found that; `names` are the fields that it signs."""
    block = HeaderBlock.parse(octets)
    key = SigningKey(domain, "s", ed25519())
    results = AuthResults(f"mx.{domain}", (said,))
    body = BodyHashes(octets, block.body_start)
    return seal(block, body, key, results=results, status=ArcStatus.NONE, now=now, names=names) + octets


PASSED = Result("dmarc", "pass", (Property("header", "from", "x.test"),))


@pytest.mark.parametrize(
    ("trusted", "said", "taken"),
    [
        ("list.test", PASSED, True),
        ("other.test", PASSED, False),
        ("list.test", Result("dmarc", "fail", PASSED.properties), False),
        ("list.test", Result("dmarc", "pass", (Property("header", "from", "y.test"),)), False),
        ("list.test", Result("spf", "pass", (Property("smtp", "mailfrom", "eve@x.test"),)), False),
    ],
)
def test_a_trusted_sealer_is_believed(trusted: str, said: Result, taken: bool) -> None:
    with judging(trusted_sealers=(trusted,)) as world:
        publish(world, dmarc="v=DMARC1; p=quarantine")
        world.resolver.add_txt("s._domainkey.list.test", record(ed25519()))
        send(world, sealed(mail("listed", sender=EVE), "list.test", said, world.now))
        assert folder(world, "INBOX" if taken else "Junk") == ["listed"]
        words = told(world)
        assert words["ARC"] == "the chain of seals holds: sealed by list.test"
        assert ("list.test is trusted" in words["policy"]) == taken


def test_a_seal_that_leaves_from_to_everybody_vouches_for_no_author() -> None:
    with judging(trusted_sealers=("list.test",)) as world:
        publish(world, dmarc="v=DMARC1; p=quarantine")
        world.resolver.add_txt("s._domainkey.list.test", record(ed25519()))
        send(world, sealed(mail("listed", sender=EVE), "list.test", PASSED, world.now, (b"to", b"subject")))
        assert folder(world, "Junk") == ["listed"]
        assert told(world)["ARC"] == "the chain of seals holds: sealed by list.test"


def test_a_broken_seal_is_nobodys_word() -> None:
    with judging(trusted_sealers=("list.test",)) as world:
        publish(world, dmarc="v=DMARC1; p=quarantine")
        world.resolver.add_txt("s._domainkey.list.test", record(ed25519()))
        octets = sealed(mail("listed", sender=EVE), "list.test", PASSED, world.now)
        send(world, octets.replace(b"Hello.", b"Hallo."))
        assert folder(world, "Junk") == ["listed"]
        assert told(world)["ARC"].startswith("the chain is broken: set 1")


def wish(world: ThreadedWorld, domain: str, dmarc: str) -> None:
    """What `postroad domain policy` sets."""
    world.change(lambda tx: set_policy(tx, domain, DomainPolicy(dmarc=dmarc), who="test"))


def test_each_domain_may_decide_for_itself() -> None:
    with judging() as world:
        world.add_account("wim@watch.test")
        wish(world, "watch.test", "monitor")
        publish(world, dmarc="v=DMARC1; p=reject")
        send(world, mail("odd", sender=EVE), ADA, "wim@watch.test")
        assert folder(world, "Junk") == folder(world, "INBOX", "wim@watch.test") == ["odd"]
    with judging(policy="monitor") as world:
        wish(world, "demo.test", "enforce")
        publish(world, dmarc="v=DMARC1; p=reject")
        with pytest.raises(SMTPDataError):
            send(world, mail("odd", sender=EVE))


@pytest.mark.parametrize(
    "header",
    [
        b"From: a@x.test\r\nFrom: b@y.test\r\n",
        b"",
        b"From: a@x.test, b@y.test\r\n",
        b"From: undisclosed:;\r\n",
    ],
)
def test_who_cannot_be_judged_is_refused(header: bytes) -> None:
    with judging() as world:
        with pytest.raises(SMTPDataError) as refused:
            send(world, header + b"Subject: x\r\n\r\nHello.\r\n")
        assert refused.value.smtp_code == 550
        assert "it needs one From with one domain" in said(refused.value)


def test_forged_verdicts_in_our_name_go_and_others_stay() -> None:
    forged = b"Authentication-Results: (x) MX.World.Test\r\n ; dmarc=pass\r\n"
    others = b"Authentication-Results: mx.elsewhere.test; spf=none\r\n"
    with judging() as world:
        send(world, forged + others + forged + mail(sender=EVE))
        (message,) = world.mailbox(ADA).messages()
        ours, theirs = message.headers("Authentication-Results")
        assert "dmarc=none" in ours
        assert "mx.elsewhere.test" in theirs
        assert message.octets.endswith(b"\r\n\r\nHello.\r\n")


def test_a_dns_that_is_down_blocks_no_mail() -> None:
    for settings, code in (({}, 0), ({"on_temperror": "defer"}, 451)):
        with judging(**settings) as world:
            world.resolver.broken = {"x.test", "_dmarc.x.test"}
            if code:
                with pytest.raises(SMTPDataError) as deferred:
                    send(world, mail(sender=EVE))
                assert deferred.value.smtp_code == code
                continue
            send(world, mail("late", sender=EVE))
            assert folder(world, "INBOX") == ["late"]
            assert "could not be asked for" in told(world)["SPF"]
            assert "cannot be said" in told(world)["DMARC"]


def test_spf_alone_refuses_only_where_it_is_told_to() -> None:
    for settings in ({}, {"spf_fail": "reject"}):
        with judging(received_spf=True, **settings) as world:
            publish(world, spf="v=spf1 -all exp=why.x.test")
            world.resolver.add_txt("why.x.test", b"%{i} is not ours")
            if settings:
                with pytest.raises(SMTPDataError) as refused:
                    send(world, mail(sender=EVE))
                assert "5.7.23" in said(refused.value)
                assert "127.0.0.1 is not ours" in said(refused.value)
            else:
                send(world, mail(sender=EVE))
                (message,) = world.mailbox(ADA).messages()
                assert message.header("Received-SPF").startswith(
                    "fail (mx.world.test: -all of x.test for 127.0.0.1)"
                )


def test_the_null_sender_is_judged_by_its_helo_name() -> None:
    with judging() as world:
        publish(world, domain="client.elsewhere.test", spf="v=spf1 ip4:127.0.0.1 -all")
        with exchange(world) as client:
            client.ehlo("client.elsewhere.test")
            client.sendmail("", [ADA], mail(sender="mailer-daemon@client.elsewhere.test"))
        (message,) = world.mailbox(ADA).messages()
        assert "smtp.helo=client.elsewhere.test" in message.header("Authentication-Results")


def test_a_message_costs_a_bounded_number_of_questions() -> None:
    with judging() as world:
        publish(world, spf="v=spf1 " + "mx:fan.test " * 10 + "-all", dmarc="v=DMARC1; p=none")
        for number in range(10):
            world.resolver.add_mx("fan.test", f"h{number}.fan.test", number)
            world.resolver.add_address(f"h{number}.fan.test", "192.0.2.1")
            world.resolver.add_pointer("127.0.0.1", f"h{number}.fan.test")
        world.resolver.asked.clear()
        send(world, mail(sender=EVE))
        assert len(world.resolver.asked) <= 100
        words = told(world)
        assert "more than 60 questions" in words["SPF"]
        assert words["DMARC"].startswith(
            "whether x.test vouches for the message cannot be said: SPF of x.test"
        )


def test_signatures_and_keys_have_an_end() -> None:
    with judging(signatures=4, keys=2) as world:
        publish(world)
        octets = mail(sender=EVE)
        for number in range(6):
            octets = signed(None, octets, d="x.test", s=f"s{number}", h="From")
            world.resolver.add_txt(f"s{number}._domainkey.x.test", record(ed25519()))
        send(world, octets)
        (message,) = world.mailbox(ADA).messages()
        results = message.header("Authentication-Results")
        assert [results.count(f"dkim={verdict}") for verdict in ("pass", "policy", "fail")] == [2, 2, 0]


def test_what_an_alias_sends_on_is_from_us_and_its_bounces_find_back() -> None:
    long = f"{'b' * 60}@x.test"
    with judging() as world:
        publish(world, spf="v=spf1 ip4:127.0.0.1 -all")
        there, back = world.remote("third.test"), world.remote("x.test")
        world.add_alias("ring@demo.test", "carol@third.test")
        for sender in (EVE, long):
            send(world, mail("round", sender=sender), "ring@demo.test", sender=sender)
            path = taken(world, there).sender
            assert path.startswith("SRS0=")
            assert path.endswith("@demo.test")
            with exchange(world) as client:
                client.sendmail("", [path], mail("bounce", sender="postmaster@third.test"))
            bounced = taken(world, back)
            assert (bounced.sender, bounced.recipients) == ("", [sender])
            there.messages.clear()
            back.messages.clear()


@pytest.mark.parametrize(
    ("spf", "is_signed", "told_of_it"),
    [
        ("v=spf1 ip4:127.0.0.1 -all", False, True),
        ("v=spf1 ?all", False, False),
        ("v=spf1 ~all", False, False),
        ("v=spf1 -all", False, False),
        ("v=spf1 -all", True, True),
    ],
)
def test_whom_nothing_vouches_for_hears_nothing(spf: str, is_signed: bool, told_of_it: bool) -> None:
    """What an alias sends on may be refused there; the notice is for the sender, if it is the sender."""
    with judging() as world:
        publish(world, spf=spf)
        there, back = world.remote("third.test"), world.remote("x.test")
        there.answer("RCPT", "550 5.1.1 nobody of that name")
        world.add_alias("ring@demo.test", "carol@third.test")
        octets = mail("round", sender=EVE, to="ring@demo.test")
        if is_signed:
            world.resolver.add_txt("sel._domainkey.x.test", record(ed25519()))
            octets = signed(None, octets, d="x.test", h="From:To:Subject")
        send(world, octets, "ring@demo.test")
        if told_of_it:
            assert taken(world, back).recipients == [EVE]
        world.until(lambda: not world.queue())
        assert len(back.messages) == told_of_it
        assert ("notices" in told(world)) == (not told_of_it)


def test_a_rewritten_sender_is_no_way_to_write_to_somebody() -> None:
    with judging() as world:
        there = world.remote("third.test")
        world.add_alias("ring@demo.test", "carol@third.test")
        send(world, mail(sender=EVE), "ring@demo.test")
        passed = taken(world, there)
        with exchange(world) as client:
            client.mail("")
            assert client.rcpt(passed.sender)[0] == 250
            assert client.rcpt(passed.sender.replace("x.test", "y.test"))[0] == 550
            assert client.rcpt("SRS0=aaaaaaaa=aa=x.test=eve@demo.test")[0] == 550
            assert client.rcpt("SRS0=aaaaaaaa=aa=x.test=eve@elsewhere.test")[0] == 550
        with pytest.raises(SMTPDataError) as refused:
            send(world, mail(sender=EVE), passed.sender)
        assert "takes bounces alone" in said(refused.value)


def test_switched_off_it_asks_nothing_and_writes_nothing(world: ThreadedWorld) -> None:
    publish(world, dmarc="v=DMARC1; p=reject")
    send(world, b"Authentication-Results: mx.world.test; dmarc=pass\r\n" + mail(sender=EVE))
    assert world.resolver.asked == []
    (message,) = world.mailbox(ADA).messages()
    assert message.headers("Authentication-Results") == ["mx.world.test; dmarc=pass"]
