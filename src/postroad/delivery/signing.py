"""Signing what leaves in the name of our domains (RFC 6376 §5), once, when it is accepted."""

import asyncio
from functools import partial

from msgspec import Struct

from postroad.db.database import Database
from postroad.directory import changes
from postroad.directory.dkim_keys import signing_keys
from postroad.directory.seal import CannotOpen, Seal
from postroad.mailauth.dkim.body import BodyHashes
from postroad.mailauth.dkim.sign import BODY, LIFETIME, SigningKey, sign
from postroad.message.address_list import first_mailbox, parse_addresses
from postroad.message.header import HeaderBlock
from postroad.model.address import AddressError, normal_domain
from postroad.model.clock import Clock
from postroad.model.octets import Octets
from postroad.obs.log import log
from postroad.store.prepare import INLINE
from postroad.trail.note import Note


class Signatures(Struct, frozen=True):
    """What goes on top of a message."""

    fields: bytes = b""
    notes: tuple[Note, ...] = ()
    """For its trail."""


class Signer:
    """Signs with the keys of one server; an operator's change of them holds at once."""

    def __init__(self, database: Database, seal: Seal, clock: Clock) -> None:
        self._database = database
        self._seal = seal
        self._clock = clock
        self._version = -1
        self._keys: dict[str, list[SigningKey]] = {}
        """Of domains that were asked about, for this version of the directory."""

    async def sign(
        self, head: bytes, body: Octets, body_start: int, *, leaves: float | None = None
    ) -> Signatures:
        """Return the signatures for a message: the header `head`, and body[body_start:].

        They hold from when it `leaves` on, by default now, as long as others do.
        Nothing, when no domain of ours has a key that the DNS shows.
        """
        block = HeaderBlock.parse(head)
        keys = self._keys_for(block)
        if not keys:
            return Signatures()
        hashes = BodyHashes(body, body_start)
        if hashes.size > INLINE:
            await asyncio.to_thread(hashes.compute, [BODY])
        now = self._clock.now()
        held = 0 if leaves is None else max(0, int(leaves - now))
        fields = sign(block, hashes, keys, now=now, lifetime=LIFETIME + held)
        if not fields:
            return Signatures()
        names = [f"{key.selector} ({key.kind})" for key in keys]
        return Signatures(fields, (Note("signed", {"domain": keys[0].domain, "keys": names}),))

    def signs(self, block: HeaderBlock) -> bool:
        """Whether messages of this author are signed."""
        return bool(self._keys_for(block))

    def signed(self, message: bytes) -> bytes:
        """Return a small message of our own making with its signatures on top."""
        block = HeaderBlock.parse(message)
        keys = self._keys_for(block)
        if not keys:
            return message
        return sign(block, BodyHashes(message, block.body_start), keys, now=self._clock.now()) + message

    def keys_of(self, domain: str) -> list[SigningKey]:
        """The keys of a domain, or of the nearest one above it (RFC 6376 §3.10), RSA first."""
        version = changes.version(self._database)
        if version != self._version:
            self._keys.clear()
            self._version = version
        while domain:
            if domain not in self._keys:
                self._keys[domain] = self._read(domain)
            if keys := self._keys[domain]:
                return keys
            domain = domain.partition(".")[2]
        return []

    def _keys_for(self, block: HeaderBlock) -> list[SigningKey]:
        """The keys of the author's domain."""
        author = first_mailbox(parse_addresses(block.first(b"from") or b""))
        if author is None:
            return []
        try:
            return self.keys_of(normal_domain(author.host.decode("utf-8", "replace")))
        except AddressError:
            return []

    def _read(self, domain: str) -> list[SigningKey]:
        try:
            return self._database.read(partial(signing_keys, domain=domain, seal=self._seal))
        except CannotOpen as error:
            log.error("dkim.keys_sealed", domain=domain, error=str(error))
            return []  # mail goes unsigned rather than not at all
