"""What aliases send on elsewhere is sealed with what was found when it came in (RFC 8617)."""

import asyncio
from functools import partial

from postroad.directory.dkim_keys import add_keys, draw_all, keys
from postroad.directory.seal import Seal
from postroad.mailauth.arc.verify import ArcResult, verify_chain
from postroad.mailauth.authres.read import parse_authres
from postroad.mailauth.dkim.body import BodyHashes
from postroad.mailauth.dkim.result import Result
from postroad.message.header import HeaderBlock
from postroad.testing import ThreadedWorld
from postroad.trail.sentences import tell
from tests.unit.mailauth.dkim.making import ed25519, record, signed
from tests.world.clients import mail
from tests.world.conftest import ADA
from tests.world.test_sender_auth import judging, publish, send, taken

OFFICE, ELSEWHERE = "office@demo.test", "eve@elsewhere.test"


def with_keys(world: ThreadedWorld) -> None:
    new = partial(add_keys, domain="demo.test", new=draw_all(), seal=Seal.of(world.data), who="test")
    for key in world.change(new):
        world.resolver.add_txt(key.name, key.record.encode())
    world.advance(minutes=16)
    world.until(lambda: all(key.state == "signing" for key in world.read(keys)))


def validated(world: ThreadedWorld, message: bytes) -> ArcResult:
    block = HeaderBlock.parse(message)
    body = BodyHashes(message, block.body_start)
    return asyncio.run(verify_chain(block, body, world.resolver, now=world.now))


def test_what_is_sent_on_is_sealed() -> None:
    with judging() as world:
        with_keys(world)
        world.add_alias(OFFICE, ELSEWHERE, ADA)
        elsewhere = world.remote("elsewhere.test")
        publish(world, spf="v=spf1 -all", dmarc="v=DMARC1; p=reject")
        world.resolver.add_txt("sel._domainkey.x.test", record(ed25519()))
        send(
            world, signed(None, mail(sender="eve@x.test", to=OFFICE), d="x.test", h="From:To:Subject"), OFFICE
        )
        message = taken(world, elsewhere).body
        found = validated(world, message)
        assert (found.result, found.sealers) == (Result.PASS, ("demo.test",)), found.reason
        results = parse_authres(found.chain.sets[0].said)
        assert results is not None
        verdicts = {one.method: one.result for one in results.results}
        assert verdicts["dkim"] == verdicts["dmarc"] == "pass"
        assert (verdicts["spf"], verdicts["arc"]) == ("fail", "none")
        words = {line.label: line.text for line in tell(world.trail()[0], str).lines}
        assert words["sealed"] == "as demo.test, for what office@demo.test sends on"
        [local] = world.mailbox(ADA).messages()
        assert b"ARC-Seal" not in local.octets


def test_a_broken_chain_is_told_and_not_continued() -> None:
    with judging() as world:
        with_keys(world)
        world.add_alias(OFFICE, ELSEWHERE)
        elsewhere = world.remote("elsewhere.test")
        send(world, b"ARC-Seal: i=1; broken\r\n" + mail(sender="eve@x.test", to=OFFICE), OFFICE)
        found = validated(world, taken(world, elsewhere).body)
        assert (found.result, found.chain.ended) == (Result.FAIL, True)
        assert b"arc=fail" in taken(world, elsewhere).body


def test_nothing_is_sealed_without_a_key() -> None:
    with judging() as world:
        world.add_alias(OFFICE, ELSEWHERE)
        elsewhere = world.remote("elsewhere.test")
        send(world, mail(sender="eve@x.test", to=OFFICE), OFFICE)
        assert b"ARC-" not in taken(world, elsewhere).body
