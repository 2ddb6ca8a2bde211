"""OAUTHBEARER (RFC 7628) and XOAUTH2, Google's older form of the same: a token in place of a password."""

import re
from typing import Final

from postroad.sasl.outcome import FIELD_OCTETS, Bearer, Challenge, Failed, Outcome

TOKEN_OCTETS: Final = 8192
"""Most octets of a token; those of the large providers have 1 to 3 KiB."""

_FIELDS: Final = rb"(?P<fields>(?:[A-Za-z]+=[^\0\x01]*\x01)*)\x01"
_OAUTHBEARER: Final = re.compile(
    rb"(?P<flag>[ny]|p=[A-Za-z0-9.-]+),(?:a=(?P<name>[^\0,\x01]+))?,\x01" + _FIELDS
)
_XOAUTH2: Final = re.compile(rb"user=(?P<name>[^\0\x01]*)\x01" + _FIELDS)
_CREDENTIALS: Final = re.compile(
    rb"[Bb][Ee][Aa][Rr][Ee][Rr] +(?P<token>[A-Za-z0-9._~+/-]+=*)"
)  # RFC 6750 §2.1
_BAD_ESCAPE: Final = re.compile(r"=(?!2C|3D)")


class OAuth:
    """One message; after `refuse` another one, which says only that the client has read it."""

    __slots__ = ("_google", "_refused")

    def __init__(self, *, google: bool) -> None:
        """`google`: the message of XOAUTH2 rather than that of OAUTHBEARER."""
        self._google = google
        self._refused = False

    def start(self, initial: bytes | None) -> Outcome:
        """Take the message, or ask for it with an empty challenge."""
        return Challenge(b"") if initial is None else self.respond(initial)

    def respond(self, response: bytes) -> Outcome:
        """Read the message."""
        if self._refused:
            return Failed("the token was refused")  # RFC 7628 §3.2.3
        if len(response) > TOKEN_OCTETS + 1024:
            return Failed("the token is too long")
        found = (_XOAUTH2 if self._google else _OAUTHBEARER).fullmatch(response)
        if found is None:
            return Failed("the message is not what the mechanism wants")
        if not self._google and found["flag"].startswith(b"p"):
            return Failed("channel binding is not supported with tokens")  # RFC 7628 §3.1: n or y
        login = self._login(found["name"] or b"")
        credentials = _auth(found["fields"])
        if login is None or credentials is None:
            return Failed("the name is not UTF-8, or there is no single auth field")
        if not credentials:
            return Bearer("", login)
        token = _CREDENTIALS.fullmatch(credentials)
        return (
            Failed("auth is not a bearer token") if token is None else Bearer(token["token"].decode(), login)
        )

    def refuse(self, error: bytes) -> Challenge:
        """Say in JSON what is wrong with the token (RFC 7628 §3.2.2); the next response is the last."""
        self._refused = True
        return Challenge(error)

    def _login(self, octets: bytes) -> str | None:
        try:
            text = octets.decode()
        except UnicodeDecodeError:
            return None
        if len(octets) > FIELD_OCTETS:
            return None
        if self._google:
            return text
        # The name in a gs2-header is a saslname (RFC 5801 §4).
        return None if _BAD_ESCAPE.search(text) else text.replace("=2C", ",").replace("=3D", "=")


def _auth(fields: bytes) -> bytes | None:
    """The value of the one `auth`; None if there is none, or more than one."""
    values = [
        value for key, _, value in (one.partition(b"=") for one in fields.split(b"\x01")) if key == b"auth"
    ]
    return values[0] if len(values) == 1 else None
