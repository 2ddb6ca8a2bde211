"""What is wrong with `[sender_auth]` beyond the kinds of its values."""

from collections.abc import Iterator
from ipaddress import ip_network

from postroad.config.judge_logins import Mistake
from postroad.config.sender_auth import SenderAuth
from postroad.model.address import AddressError, normal_domain


def judge_sender_auth(settings: SenderAuth) -> Iterator[Mistake]:
    """Find what could never match, or could not even be compared."""
    for entry in settings.allow:
        if not is_network(entry):
            yield from _domain("allow", entry.removeprefix("."))
        else:
            try:
                ip_network(entry, strict=False)
            except ValueError:
                yield ("sender_auth", "allow"), f'"{entry}" is neither a domain nor a network'
    for entry in settings.trusted_sealers:
        yield from _domain("trusted_sealers", entry)
    if settings.authserv_id:
        yield from _domain("authserv_id", settings.authserv_id)


def is_network(entry: str) -> bool:
    """Whether an entry of the allow list means addresses."""
    return "/" in entry or ":" in entry or entry.replace(".", "").isdigit()


def _domain(key: str, name: str) -> Iterator[Mistake]:
    try:
        normal = normal_domain(name)
    except AddressError as error:
        yield ("sender_auth", key), f'"{name}" is no domain: {error}'
        return
    if normal != name:
        yield ("sender_auth", key), f'"{name}" is written as "{normal}" here'
