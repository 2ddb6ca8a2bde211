"""What became of a signature, with the evidence (RFC 8601 §2.7.1)."""

from dataclasses import dataclass
from enum import Enum


class Result(Enum):
    """The words of the Authentication-Results registry for `dkim` and `arc`."""

    NONE = "none"
    PASS = "pass"  # noqa: S105
    FAIL = "fail"
    POLICY = "policy"
    NEUTRAL = "neutral"
    TEMPERROR = "temperror"
    PERMERROR = "permerror"


@dataclass(frozen=True, slots=True)
class SignatureResult:
    """One DKIM signature judged. What could not be read of it is empty."""

    result: Result
    reason: str
    """A sentence for people without its full stop, such as "the body was changed"."""
    domain: str = ""
    """`d=` as A-labels in lower case: who signed."""
    selector: str = ""
    """`s=` as A-labels."""
    identity: str = ""
    """`i=`, or `@` and the domain (RFC 6376 §3.5)."""
    algorithm: str = ""
    """`a=` as written."""
    key_bits: int | None = None
    """Size of the public key; None when there was none to look at."""
    testing: bool = False
    """The key record says `t=y`: the domain is trying DKIM out (RFC 6376 §3.6.1)."""
    signed_fields: tuple[str, ...] = ()
    """Names of `h=` in lower case, in their order."""
    signed_octets: int | None = None
    """`l=`, when it is there."""
    unsigned_octets: int = 0
    """Octets of the canonical body behind `l=`, which anybody can have written."""
    time: int | None = None
    """`t=`, seconds since the epoch."""
    expires: int | None = None
    """`x=`, seconds since the epoch."""
    signature: str = ""
    """`b=` without white space; its first characters tell signatures apart (RFC 6008 §4)."""

    @property
    def vouches(self) -> bool:
        """Whether the domain answers for all that will be shown: what DMARC may build on.

        A signature over a part of the body vouches for nothing, since what
        stands behind that part replaces it in the eyes of a reader (RFC 6376 §8.2).
        """
        return self.result is Result.PASS and self.unsigned_octets == 0


@dataclass(frozen=True, slots=True)
class Verification:
    """All signatures of a message in the order in which they stand, from the top."""

    results: tuple[SignatureResult, ...]
    left_out: int = 0
    """Signatures beyond the limit, which nobody looked at."""

    @property
    def vouching(self) -> tuple[str, ...]:
        """The domains that answer for the message, each once."""
        return tuple(dict.fromkeys([one.domain for one in self.results if one.vouches]))
