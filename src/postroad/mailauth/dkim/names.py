"""Domain names in signatures: what is asked of the DNS and compared (RFC 6376 §3.5, RFC 8616 §5)."""

import re
from typing import Final

from postroad.mailauth.dkim.tags import TagError
from postroad.model.address import AddressError, normal_domain

MAX_NAME: Final = 253

# Underscores are in no host name and in many selectors.
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME: Final = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")


def read_name(text: str, tag: str) -> str:
    """Return a name as lower-case A-labels.

    Raises:
        TagError: it is no name.
    """
    name = text.lower()
    if not text.isascii():
        try:
            name = normal_domain(text)
        except AddressError as error:
            raise TagError(f"the tag {tag}= is no domain name: {error}") from None
    if len(name) > MAX_NAME or not _NAME.fullmatch(name):
        raise TagError(f"the tag {tag}= is no domain name")
    return name


def read_domain(text: str) -> str:
    """Return the domain of `d=`: a name of two labels or more (RFC 6376 §3.5, domain-name).

    Raises:
        TagError: it is none.
    """
    name = read_name(text, "d")
    if "." not in name:
        raise TagError("the tag d= is no full domain name")
    return name


def key_name(selector: str, domain: str) -> str:
    """Return the name at which the DNS has the key (RFC 6376 §3.6.2.1)."""
    return f"{selector}._domainkey.{domain}"


def is_within(name: str, domain: str) -> bool:
    """Whether a name is the domain or one below it."""
    return name == domain or name.endswith("." + domain)
