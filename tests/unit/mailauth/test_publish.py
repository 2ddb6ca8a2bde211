"""What the DNS of a domain should say."""

import dns.zonefile
import pytest

from postroad.mailauth.dkim.key import parse_key_record
from postroad.mailauth.dmarc.record import parse_record
from postroad.mailauth.publish import Need, Offered, Record, quoted, records, sts_id, sts_policy
from tests.unit.mailauth.dkim.making import record, rsa

KEY = ("r1._domainkey.a.test", record(rsa()).decode())


@pytest.fixture(scope="module")
def found() -> list[Record]:
    services = [Offered("imaps", 993), Offered("imap", 0), Offered("submission", 587)]
    return records("a.test", "mx.host.test", keys=[KEY], services=services, certificate_key=b"key")


def by(found: list[Record], purpose: str) -> list[str]:
    return [one.value for one in found if one.purpose == purpose]


def test_all_of_them(found: list[Record]) -> None:
    assert by(found, "MX") == ["10 mx.host.test."]
    assert by(found, "SPF") == ["v=spf1 mx ~all"]
    assert by(found, "HELO") == ["v=spf1 a -all"]
    assert by(found, "TLSRPT") == ["v=TLSRPTv1; rua=mailto:postmaster@a.test"]
    assert by(found, "DANE") == ["3 1 1 2c70e12b7a0646f92279f427c7b38e7334d8e5389cff167a1dc30e73f826b683"]
    assert by(found, "clients") == ["0 1 993 mx.host.test.", "0 0 0 .", "10 1 587 mx.host.test."]
    assert {one.purpose for one in found if one.need is Need.REQUIRED} == {"MX", "SPF", "DKIM", "DMARC"}


def test_no_tlsa_record_for_a_certificate_that_nobody_knows() -> None:
    assert by(records("a.test", "mx", keys=[], services=[], certificate_key=None), "DANE") == []


def test_readers_of_records_read_them(found: list[Record]) -> None:
    assert parse_key_record(by(found, "DKIM")[0].encode()).bits == 2048
    assert parse_record(by(found, "DMARC")[0].encode()) is not None


def test_a_zone_file_reads_them(found: list[Record]) -> None:
    text = "".join(one.zone_line + "\n" for one in found)
    sets = dns.zonefile.read_rrsets(text, rdclass=None, default_ttl=60, relativize=False)
    assert sum(len(one) for one in sets) == len(found)
    [key] = next(one for one in sets if "_domainkey" in one.name.to_text())
    assert b"".join(key.strings) == KEY[1].encode()


def test_long_texts_are_several_strings() -> None:
    assert quoted("x" * 300) == '"' + "x" * 255 + '" "' + "x" * 45 + '"'
    assert quoted('a"b\\') == '"a\\"b\\\\"'


def test_another_policy_has_another_id() -> None:
    assert sts_id(sts_policy("a.test")) != sts_id(sts_policy("b.test"))
