"""In which form a server can take a message, and whom it can take it for, by what its EHLO offers."""

from collections.abc import Callable
from typing import TypeAlias

from msgspec import Struct

from postroad.message.sevenbit import Inconvertible
from postroad.smtp.exchange import Converter, Outgoing, Source, held, is_eight_bit
from postroad.smtp.outcome import Outcome
from postroad.smtp.wire.client import Extensions

Failed: TypeAlias = Callable[[int, str, str], Outcome]
"""Makes an outcome of ours of a code, an enhanced code and words."""


class Form(Struct, frozen=True):
    """The octets of a message as one server takes them."""

    source: Source
    body: str
    """7BIT, 8BITMIME or BINARYMIME."""
    change: str = ""
    """What was done to it, in words; empty where it is as it came."""


async def fit(
    message: Outgoing, extensions: Extensions, failed: Failed, *, chunks: bool
) -> tuple[Form, list[Outcome | None]]:
    """Give the form of a message, and an outcome for each recipient whom the server cannot be asked for.

    `chunks`: the server takes BDAT.

    Raises:
        Unavailable: there is no room to convert it.
    """
    everybody = len(message.recipients)
    as_it_is = Form(message.source, message.body)
    ascii_alone = "SMTPUTF8" not in extensions
    if ascii_alone and message.sender is not None and message.sender.utf8:
        no = failed(553, "5.6.7", "the server takes no senders beyond ASCII")  # RFC 6531 §3.5
        return as_it_is, [no] * everybody
    refused = _refused(message, extensions, failed)
    if None not in refused:
        return as_it_is, refused
    try:
        if ascii_alone and message.smtputf8:
            form = await _ascii(message, extensions)
        else:
            form = await _form(message, extensions, chunks=chunks)
    except Inconvertible as error:
        if ascii_alone and message.smtputf8:
            text = f"the server does not take internationalized mail: {error}"
            return as_it_is, [failed(553, "5.6.7", text)] * everybody
        # RFC 6152 §3 forbids to send it as it is, and leaves only this.
        text = f"the server takes no 8-bit octets, and the message cannot be put into 7 bits: {error}"
        return as_it_is, [failed(554, "5.6.3", text)] * everybody
    limit = extensions.get("SIZE", "")
    if limit.isascii() and limit.isdigit() and 0 < int(limit) < form.source.size:
        text = f"the message has {form.source.size} octets, the server takes {limit}"
        return form, [failed(552, "5.3.4", text)] * everybody  # RFC 1870 §6.1
    return form, refused


def _refused(message: Outgoing, extensions: Extensions, failed: Failed) -> list[Outcome | None]:
    if "SMTPUTF8" in extensions or not any(r.address.utf8 for r in message.recipients):
        return [None] * len(message.recipients)
    text = "the address needs a server that takes internationalized mail, and this one does not"
    refusal = failed(553, "5.6.7", text)  # RFC 6531 §3.5
    return [refusal if recipient.address.utf8 else None for recipient in message.recipients]


async def _form(message: Outgoing, extensions: Extensions, *, chunks: bool) -> Form:
    takes_eight = "8BITMIME" in extensions
    if message.body == "BINARYMIME":
        if chunks and "BINARYMIME" in extensions:
            return Form(message.source, message.body)
        return await (_lines(message) if takes_eight else _seven_bit(message))
    if message.body == "8BITMIME" and takes_eight:
        return Form(held(message.source), message.body)
    source = held(message.source)
    if not await is_eight_bit(source):
        return Form(source, "7BIT")
    return Form(source, "8BITMIME") if takes_eight else await _seven_bit(message)


async def _ascii(message: Outgoing, extensions: Extensions) -> Form:
    """With a header that everybody takes; RFC 6531 §3.2 leaves that to who has written the message."""
    if message.body == "BINARYMIME":
        raise Inconvertible("it is binary, too")
    takes_eight = "8BITMIME" in extensions
    converter = _converter(message)
    source = held(await converter.ascii_header(eight_bit=takes_eight))
    body = "8BITMIME" if takes_eight and await is_eight_bit(source) else "7BIT"
    return Form(source, body, converter.change)


async def _lines(message: Outgoing) -> Form:
    converter = _converter(message)
    source = held(await converter.lines())
    return Form(source, "8BITMIME" if await is_eight_bit(source) else "7BIT", converter.change)


async def _seven_bit(message: Outgoing) -> Form:
    converter = _converter(message)
    return Form(held(await converter.seven_bit()), "7BIT", converter.change)


def _converter(message: Outgoing) -> Converter:
    if message.converter is None:
        raise Inconvertible("there is nothing to convert it with")
    return message.converter
