"""The self-signed certificate is made once and kept while it is good."""

import datetime
import ssl
import stat
from pathlib import Path

import msgspec
import pytest
from cryptography import x509

from postroad.config.certificate import certificate_files, expires, self_signed_files
from postroad.config.errors import ConfigError
from postroad.config.settings import Settings, Tls, defaults

_NOW = datetime.datetime(2030, 1, 1, tzinfo=datetime.UTC)


def _settings(data: Path, hostname: str = "mx.ours.test") -> Settings:
    return msgspec.structs.replace(defaults(data), hostname=hostname)


def test_it_is_made_once_and_loads_into_a_context(tmp_path: Path) -> None:
    files = certificate_files(_settings(tmp_path), _NOW)
    assert files.self_signed
    assert stat.S_IMODE(files.key.stat().st_mode) == 0o600
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(files.certificate, files.key)
    before = files.certificate.read_bytes()
    certificate_files(_settings(tmp_path), _NOW + datetime.timedelta(days=700))
    assert files.certificate.read_bytes() == before


def test_it_names_the_host_and_localhost(tmp_path: Path) -> None:
    files = certificate_files(_settings(tmp_path), _NOW)
    certificate = x509.load_pem_x509_certificate(files.certificate.read_bytes())
    extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert extension.get_values_for_type(x509.DNSName) == ["mx.ours.test", "localhost"]
    assert [str(ip) for ip in extension.get_values_for_type(x509.IPAddress)] == ["127.0.0.1", "::1"]


@pytest.mark.parametrize("what", ["time", "name", "damage"])
def test_it_is_made_anew_when_it_is_no_good(tmp_path: Path, what: str) -> None:
    files = certificate_files(_settings(tmp_path), _NOW)
    before = files.key.read_bytes()
    settings, now = _settings(tmp_path), _NOW
    match what:
        case "time":
            now += datetime.timedelta(days=800)
        case "name":
            settings = _settings(tmp_path, "other.test")
        case "damage":
            files.certificate.write_text("nonsense")
    certificate_files(settings, now)
    assert files.key.read_bytes() != before
    assert expires(files.certificate) > now


def test_the_operators_certificate_comes_first(tmp_path: Path) -> None:
    tls = Tls(certificate=tmp_path / "c.pem", key=tmp_path / "k.pem")
    files = certificate_files(msgspec.structs.replace(_settings(tmp_path), tls=tls), _NOW)
    assert (files.certificate, files.key, files.self_signed) == (tls.certificate, tls.key, False)
    assert not self_signed_files(tmp_path).certificate.exists()


def test_a_file_without_certificate_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        expires(tmp_path / "none.pem")
    (tmp_path / "empty.pem").write_text("")
    with pytest.raises(ConfigError, match="holds no PEM certificate"):
        expires(tmp_path / "empty.pem")
