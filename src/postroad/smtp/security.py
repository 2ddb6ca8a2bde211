"""How a connection to another server is secured: what is demanded, and who judges the certificate."""

import ssl
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeAlias, cast

from msgspec import Struct

Judge: TypeAlias = Callable[[Sequence[bytes]], str]
"""Looks at a chain (DER, the server's own first); gives a result type of RFC 8460 §4.3, or nothing."""

NOT_OFFERED: Final = "starttls-not-supported"
GENERAL: Final = "validation-failure"

_RESULTS: Final = {
    9: "certificate-expired",  # not yet valid
    10: "certificate-expired",
    18: "certificate-not-trusted",  # signed by itself
    19: "certificate-not-trusted",
    20: "certificate-not-trusted",  # issuer unknown
    21: "certificate-not-trusted",
    62: "certificate-host-mismatch",
}
"""OpenSSL's codes (X509_V_ERR_*) as reports call them (RFC 8460 §4.3)."""


class Security(Struct, frozen=True):
    """What a connection needs."""

    context: ssl.SSLContext
    required: bool = False
    """Without TLS, or with a certificate that is not good, nothing is sent."""
    server_name: str = ""
    """The name to ask for in the handshake (SNI), and to check where the context does; empty: the host's."""
    judge: Judge | None = None
    policy: str = ""
    """For the trail: what demanded it, and what that says of a connection that came about."""


def opportunistic_context() -> ssl.SSLContext:
    """Any certificate is better than no encryption (RFC 7435)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def verifying_context() -> ssl.SSLContext:
    """The certificate has to be for the host, by an authority that the machine trusts (RFC 8461 §4.2)."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.hostname_checks_common_name = False
    return context


def result_of(error: Exception) -> str:
    """What a handshake that failed is called in reports."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _RESULTS.get(error.verify_code, GENERAL)
    return GENERAL


def sent_chain(tls: ssl.SSLObject) -> list[bytes]:
    """The certificates that the server sent (DER), its own first, whether or not anybody trusts them."""
    # Public from Python 3.13 on; before that, it is there all the same.
    public = getattr(tls, "get_unverified_chain", None)
    if public is not None:
        return list(public() or ())
    inner = cast(Any, tls)._sslobj
    return [certificate.public_bytes(_DER) for certificate in inner.get_unverified_chain() or ()]


_DER: Final = 2  # _ssl.ENCODING_DER
