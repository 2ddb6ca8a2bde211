"""What a message is to go before, or after: MT-PRIORITY of MAIL FROM (RFC 6710)."""

import re
from typing import Final, Literal, TypeAlias

from postroad.smtp.wire.replies import Reply

Policy: TypeAlias = Literal["MIXER", "STANAG4406", "NSEP", "unnamed", "off"]
"""What users mean by their numbers (RFC 6710 §9.2)."""

# RFC 6710 §7: priority-value.
_PRIORITY: Final = re.compile(rb"-?[1-9]|0")

# RFC 6710 §4.1.
MALFORMED: Final = Reply(501, "5.5.2", "a priority is a number from -9 to 9")


def is_priority(value: bytes | None) -> bool:
    """Whether MT-PRIORITY may have this value."""
    return value is not None and _PRIORITY.fullmatch(value) is not None


def keyword(policy: Policy) -> str:
    """The EHLO keyword; a policy need not be named."""
    return "MT-PRIORITY" if policy == "unnamed" else f"MT-PRIORITY {policy}"
