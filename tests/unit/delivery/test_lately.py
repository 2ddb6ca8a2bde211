"""What was looked up for one message holds for those right behind it, and no longer."""

import asyncio

from postroad.delivery.lately import MOST, SECONDS, Asked, Lately
from postroad.model.envelope import Wish
from postroad.testing.clock import ManualClock

ASKED = Asked("there.test", 0, Wish.NONE, False, 7, "")


def test_it_holds_for_a_moment_from_the_look_up_on() -> None:
    clock = ManualClock()
    lately: Lately[str] = Lately(clock)
    began = lately.now()
    asyncio.run(clock.advance(SECONDS / 2))
    lately.keep(ASKED, began, "mx")
    assert lately.find(ASKED) == "mx"
    asyncio.run(clock.advance(SECONDS / 2))
    assert lately.find(ASKED) is None


def test_another_question_has_another_answer() -> None:
    lately: Lately[str] = Lately(ManualClock())
    lately.keep(ASKED, lately.now(), "mx")
    for other in (
        ASKED._replace(destination="elsewhere.test"),
        ASKED._replace(attempts=1),
        ASKED._replace(wish=Wish.REQUIRED),
        ASKED._replace(strict=True),
        ASKED._replace(version=8),
        ASKED._replace(sender="ours.test"),
    ):
        assert lately.find(other) is None


def test_there_is_an_end_to_what_is_remembered() -> None:
    lately: Lately[str] = Lately(ManualClock())
    for attempts in range(MOST + 1):
        lately.keep(ASKED._replace(attempts=attempts), lately.now(), "mx")
    assert lately.find(ASKED) is None
    assert lately.find(ASKED._replace(attempts=MOST)) == "mx"
