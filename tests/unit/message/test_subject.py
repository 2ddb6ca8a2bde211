"""Base subjects by the letter of RFC 5256 §2.1, and what makes a reply (§3)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroad.message.message_id import find_ancestors, normal_id
from postroad.message.subject import analyse_subject, base_subject


@pytest.mark.parametrize(
    ("subject", "base", "is_reply"),
    [
        ("tea", "tea", False),
        ("[list] tea", "tea", False),
        ("[list]", "[list]", False),
        ("Re: tea", "tea", True),
        ("[list] re [2]: tea", "tea", True),
        ("tea (fwd)", "tea", True),
        ("tea (fwd) (FWD)  ", "tea", True),
        ("[Fwd: tea]", "tea", True),
        ("[fwd: [list] Re: tea (fwd)]", "tea", True),
        ("[fwd: tea] time", "time", False),
        ("Regarding: tea", "Regarding: tea", False),
        ("re tea", "re tea", False),
        ("Re:", "", True),
        ("(fwd)", "", True),
        ("a\t b\r\n c", "a b c", False),
        ("a\u00a0 b", "a\u00a0 b", False),
        ("Re:\u00a0tea", "\u00a0tea", True),
    ],
)
def test_base_subjects(subject: str, base: str, is_reply: bool) -> None:
    assert analyse_subject(subject) == (base, is_reply)


@given(
    st.lists(
        st.sampled_from(["re", "Fwd", "fw:", ":", "[", "]", "[fwd:", "(fwd)", " ", "a", "\t"]), max_size=12
    )
)
def test_a_base_subject_is_its_own(pieces: list[str]) -> None:
    base = base_subject("".join(pieces))
    assert base_subject(base) == base
    assert not analyse_subject(base).is_reply


@pytest.mark.parametrize(
    ("references", "in_reply_to", "found"),
    [
        (b"<a@x> <b@x> <a@x>", b"<c@x>", ("a@x", "b@x", "a@x")),
        (b"none at all", b"<c@x> <eve@x>", ("c@x",)),
        (b"<no-host>", b"Your mail of Monday <c@x>", ("c@x",)),
        (None, b"Ada <@x>", ()),
        (None, None, ()),
        (b'<"01KF8JCEOCBS0045PS"@xxx.yyy.com>', None, ("01KF8JCEOCBS0045PS@xxx.yyy.com",)),
    ],
)
def test_ancestors(references: bytes | None, in_reply_to: bytes | None, found: tuple[str, ...]) -> None:
    assert find_ancestors(references, in_reply_to) == found


@pytest.mark.parametrize(
    ("text", "normal"),
    [('"a"@x', "a@x"), (r'"a\"b"@x', 'a"b@x'), ("a@x", "a@x"), ("a", ""), ("@x", ""), ("a@", "")],
)
def test_normal_ids(text: str, normal: str) -> None:
    assert normal_id(text) == normal
