"""The ARC test suite, and sealed messages that others collected (tests/vectors/arc)."""

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from postroad.dns.zone import ZoneResolver
from postroad.mailauth.arc.seal import seal
from postroad.mailauth.arc.verify import ArcResult, verify_chain
from postroad.mailauth.authres.read import parse_authres
from postroad.mailauth.authres.values import AuthResults
from postroad.mailauth.dkim.body import BodyHashes
from postroad.mailauth.dkim.result import Result
from postroad.mailauth.dkim.sign import SigningKey
from postroad.mailauth.dkim.tags import parse_tags
from postroad.message.header import HeaderBlock

VECTORS = Path(__file__).parents[3] / "vectors" / "arc"
NOW = 1_700_000_000.0


def cases(name: str) -> list[Any]:
    found = []
    for scenario in yaml.safe_load_all((VECTORS / name).read_text()):
        for title, case in scenario["tests"].items():
            found.append(pytest.param(scenario, case, id=title))
    return found


def resolver_of(scenario: dict[str, Any]) -> ZoneResolver:
    resolver = ZoneResolver()
    for name, text in (scenario.get("txt-records") or {}).items():
        resolver.add_txt(name, text.replace("\n", "").encode())  # of the YAML, not of the record
    return resolver


def octets(text: str) -> bytes:
    return text.replace("\n", "\r\n").encode()


def validated(message: bytes, resolver: ZoneResolver) -> ArcResult:
    block = HeaderBlock.parse(message)
    body = BodyHashes(message, block.body_start)
    return asyncio.run(verify_chain(block, body, resolver, now=NOW))


@pytest.mark.parametrize(("scenario", "case"), cases("arc-draft-validation-tests.yml"))
def test_validation(scenario: dict[str, Any], case: dict[str, Any]) -> None:
    found = validated(octets(case["message"]), resolver_of(scenario))
    if case["description"] == "ams c= not available":
        # RFC 6376 §3.5: without c= the form is simple. The suite takes it for relaxed.
        assert found.result is Result.FAIL
        return
    expected = case["cv"].strip().lower()
    # RFC 8617 §5.2, step 2: once a seal says cv=fail the chain has failed; the suite says nothing there.
    assert found.result.value == (expected or "fail"), found.reason


@pytest.mark.parametrize(("scenario", "case"), cases("arc-draft-sign-tests.yml"))
def test_sealing(scenario: dict[str, Any], case: dict[str, Any]) -> None:
    message, resolver = octets(case["message"]), resolver_of(scenario)
    block = HeaderBlock.parse(message)
    body = BodyHashes(message, block.body_start)
    private = load_pem_private_key(scenario["privatekey"].encode(), None)
    assert isinstance(private, RSAPrivateKey)
    expected_seal = case["AS"].strip()
    status = Result(parse_tags(unfolded(expected_seal))["cv"]) if expected_seal else Result.FAIL
    fields = seal(
        block,
        body,
        SigningKey(scenario["domain"], scenario["sel"], private),
        results=results_of(block, case["srv-id"]),
        status=status,
        now=float(case["t"]),
        names=case["sig-headers"].lower().encode().split(b":"),
    )
    if not expected_seal:
        assert fields == b""
        return
    ours = HeaderBlock.parse(fields)
    assert [one.name.decode() for one in ours.fields] == [
        "ARC-Seal",
        "ARC-Message-Signature",
        "ARC-Authentication-Results",
    ]
    seal_field, message_field, results_field = [ours.value(one) for one in ours.fields]
    assert told(seal_field) == told(unfolded(expected_seal))
    assert told(message_field) == told(unfolded(case["AMS"]))
    assert parse_authres(results_field.partition(b";")[2]) == parse_authres(
        unfolded(case["AAR"]).partition(b";")[2]
    )
    # What the suite sealed and what we sealed is valid, or ends the chain.
    for made in (fields, as_sealed(case)):
        found = validated(made + message, resolver)
        assert found.result is (Result.FAIL if status is Result.FAIL else Result.PASS), found.reason
        assert found.chain.ended is (status is Result.FAIL)


def as_sealed(case: dict[str, Any]) -> bytes:
    """The fields that the suite expects, as they were when they were sealed: b= in one piece."""
    message = re.sub(r"\bb=[^;]*;", lambda found: "".join(found[0].split()), case["AMS"])
    names = {
        "ARC-Seal": case["AS"],
        "ARC-Message-Signature": message,
        "ARC-Authentication-Results": case["AAR"],
    }
    folded = {name: text.strip().replace("\n", "\n ") for name, text in names.items()}
    return octets("".join(f"{name}: {text}\n" for name, text in folded.items()))


def unfolded(text: str) -> bytes:
    return " ".join(text.split()).encode()


def told(field: bytes) -> dict[str, str]:
    """A field's tags without its signature: how a field is folded and ordered is the signer's choice."""
    tags = {name: "".join(value.split()) for name, value in parse_tags(field).items()}
    assert tags.pop("b")
    return tags


def results_of(block: HeaderBlock, server: str) -> AuthResults:
    """What the Authentication-Results fields of one server say together."""
    read = [parse_authres(value) for value in block.all(b"authentication-results")]
    ours = [one for one in read if one is not None and one.authserv_id == server]
    return AuthResults(server, tuple(result for one in ours for result in one.results))


@pytest.mark.parametrize("path", sorted((VECTORS / "mail-auth").glob("0*.txt")), ids=lambda path: path.stem)
def test_chains_of_others(path: Path) -> None:
    keys, _, message = path.read_bytes().replace(b"\n", b"\r\n").partition(b"\r\n\r\n")
    resolver = ZoneResolver()
    for line in keys.split(b"\r\n"):
        name, _, record = line.partition(b" ")
        resolver.add_txt(name.decode(), record)
    found = validated(message, resolver)
    assert found.result is Result.PASS, found.reason
