"""Mistakes in `[auth]`, `[openid]` and `tls.client_ca`."""

from pathlib import Path

import pytest

from postroad.config.load import missing_files
from tests.unit.config.test_load import mistakes_in, settings_from

OPENID = '[openid]\nissuer = "https://id.example.org"\n'


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        (
            '[auth]\nmechanisms = ["PLAIN", "SCRAM-SHA256"]',
            'auth.mechanisms: "SCRAM-SHA256" is not one of them',
        ),
        ('[auth]\nmechanisms = ["plain"]', 'did you mean "PLAIN"?'),
        ('[auth]\nscram = "yes"', 'auth.scram: "yes" is not one of off, auto, on'),
        ("[auth]\nscram_iterations = 1000", "auth.scram_iterations: must be 4096 or more (RFC 7677 §4)"),
        (
            '[[listener]]\nrole = "imap"\naddress = "[::1]:143"\nmechanisms = ["CRAM-MD5"]',
            'listener.1.mechanisms: "CRAM-MD5" is not one of them',
        ),
        (OPENID, "openid.audience: is missing"),
        (OPENID + 'audience = ["x"]\nalgorithms = ["HS256"]', 'openid.algorithms: "HS256"'),
        (OPENID + 'audience = ["x"]\nalgorithms = ["none"]', 'openid.algorithms: "none"'),
        (
            OPENID + 'audience = ["x"]\njwks = "http://id.example.org/keys"',
            "openid.jwks: must begin with https://",
        ),
        (
            OPENID + 'audience = ["x"]\nintrospection = "https://id.example.org/ask"',
            "needs openid.client_id and openid.client_secret beside it",
        ),
        (
            '[openid]\nissuer = "http://id.example.org"\naudience = ["x"]',
            "openid.issuer: must begin with https://",
        ),
        (OPENID + 'audience = ["x"]\nclaim = ""', "openid.claim: must name the claim"),
    ],
)
def test_mistakes(tmp_path: Path, text: str, mistake: str) -> None:
    [found] = mistakes_in(tmp_path, text)
    assert mistake in found


def test_files_that_hold_no_certificate(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("nothing of the kind")
    text = '[tls]\nclient_ca = "ca.pem"\n' + OPENID + 'audience = ["x"]\nca = "missing.pem"\n'
    found = missing_files(settings_from(tmp_path, text))
    assert [(mistake.key, mistake.message.partition(": ")[2]) for mistake in found] == [
        ("tls.client_ca", "holds no certificate in PEM"),
        ("openid.ca", "No such file or directory"),
    ]
