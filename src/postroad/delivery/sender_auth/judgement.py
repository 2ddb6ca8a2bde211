"""All that was found out about where a message is from."""

from msgspec import Struct

from postroad.mailauth.arc.verify import ArcResult
from postroad.mailauth.dkim.result import Verification
from postroad.mailauth.dmarc.author import Author
from postroad.mailauth.dmarc.result import Dmarc
from postroad.mailauth.iprev import Iprev
from postroad.mailauth.spf.result import Spf


class Judgement(Struct, frozen=True):
    """The results of every check of one message."""

    author: Author
    spf: Spf
    helo: Spf
    iprev: Iprev
    dkim: Verification
    arc: ArcResult
    dmarc: Dmarc
    questions: int = 0
    """What it has cost of the DNS."""
