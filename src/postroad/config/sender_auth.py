"""How strangers' mail is judged by where it says it is from: the `[sender_auth]` table of the settings."""

from typing import Annotated, Literal

import msgspec

from postroad.config.fields import Count, Duration


class SenderAuth(msgspec.Struct, frozen=True, kw_only=True):
    """The `[sender_auth]` table."""

    enabled: Annotated[
        bool,
        "Check mail from other servers by SPF, DKIM and DMARC, write Authentication-Results on top of "
        "it, and do what the domain that it says it is from asks for. Off: none of it, at no cost.",
    ] = True
    policy: Annotated[
        Literal["enforce", "monitor"],
        "enforce: what fails DMARC is refused (p=reject) or filed as junk (p=quarantine); "
        "monitor: verdicts are written down and nothing follows from them. "
        "`postroad domain policy` sets it for one of your domains.",
    ] = "enforce"
    allow: Annotated[
        tuple[str, ...],
        'Whose mail is taken although it fails: domains in From ("lists.example.org"; subdomains with a '
        'dot in front) and networks that send it ("192.0.2.0/24").',
    ] = ()
    trusted_sealers: Annotated[
        tuple[str, ...],
        "Domains that are believed when their ARC seal says that a message passed before it reached them: "
        "forwarders and mailing lists.",
    ] = ()
    spf_fail: Annotated[
        Literal["note", "reject"],
        "What follows when the sender's domain does not let the client send (SPF -all), DMARC apart: "
        "forwarded mail fails as well, so it is only noted by default.",
    ] = "note"
    on_temperror: Annotated[
        Literal["accept", "defer"],
        "When the DNS does not answer: accept takes the mail unjudged, defer lets its sender try again.",
    ] = "accept"
    rewrite_forwarded: Annotated[
        bool,
        "Send on what aliases lead elsewhere under an envelope sender of yours (SRS), so that it passes SPF "
        "there; bounces find back to the first sender.",
    ] = True
    reports: Annotated[
        bool,
        "Send a report a day to the domains that ask for it (rua=) of how mail in their name fared here.",
    ] = True
    received_spf: Annotated[bool, "Also write a Received-SPF field."] = False
    authserv_id: Annotated[str, "Who judged, in Authentication-Results; empty: hostname."] = ""
    timeout: Annotated[Duration, "For all questions to the DNS about one message."] = 25.0
    questions: Annotated[Count, "Questions to the DNS about one message."] = 100
    signatures: Annotated[Count, "DKIM signatures of one message that are looked at, from the top."] = 8
    keys: Annotated[Count, "Keys that are asked for to verify them, and as many again for ARC."] = 5
