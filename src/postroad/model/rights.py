"""What may be done with a mailbox: rights as letters (RFC 4314 §2.1)."""

from typing import Final, Literal, TypeAlias

from postroad.model.flags import DELETED, SEEN, SYSTEM_TEXT

Rights: TypeAlias = frozenset[str]
Anyone: TypeAlias = Literal["domain", "server", "nobody"]
"""For whom the identifier `anyone` stands: accounts of the owner's domain, of the whole server, or nobody."""

_OTHERS: Final = (len(SYSTEM_TEXT) - 1) & ~(SEEN | DELETED)
ORDER: Final = "lrswipkxtena"
"""Those of RFC 4314 §2.1, and `n` of RFC 5257 §4.10."""
ALL_RIGHTS: Final[Rights] = frozenset(ORDER)
NO_RIGHTS: Final[Rights] = frozenset()
_VIRTUAL: Final = {"c": frozenset("kx"), "d": frozenset("te")}
"""Those of RFC 2086, as the first of the two readings of RFC 4314 §2.1.1 has them."""
WORDS: Final = {
    "read": "lrs",
    "write": "lrswipten",
    "manage": ORDER,
}
"""Names for what people mean, in the command line."""


class BadRights(ValueError):
    """A letter that is no right."""


def parse_rights(text: str) -> Rights:
    """Return the rights that letters stand for; `c` and `d` are those that they have become.

    Raises:
        BadRights
    """
    rights: set[str] = set()
    for letter in text:
        if letter in _VIRTUAL:
            rights |= _VIRTUAL[letter]
        elif letter in ALL_RIGHTS:
            rights.add(letter)
        else:
            raise BadRights(f'"{letter}" is not a right')
    return frozenset(rights)


def stored(rights: Rights) -> str:
    """Write rights in their order, without those of RFC 2086."""
    return "".join([letter for letter in ORDER if letter in rights])


def shown(rights: Rights) -> str:
    """Write rights as responses have them: with `c` and `d` for clients of RFC 2086 (§2.1.1)."""
    letters = [letter for letter in ORDER if letter in rights and letter != "a"]
    letters += [letter for letter, members in _VIRTUAL.items() if rights & members]
    return "".join(letters) + ("a" if "a" in rights else "")


def changeable(rights: Rights) -> int:
    """Return the mask of the system flags that may be set and cleared (§4); keywords go with `w`."""
    mask = SEEN if "s" in rights else 0
    mask |= DELETED if "t" in rights else 0
    return mask | (_OTHERS if "w" in rights else 0)
