"""When it is tried again: the laws of the schedule."""

from hypothesis import given
from hypothesis import strategies as st

from postroad.config.settings import Queue
from postroad.queue.schedule import JITTER, Next, Step, after_deferral

SETTINGS = Queue()
HOUR = 3600.0


def following(
    attempts: int, age: float, *, told: bool = True, may_tell: bool = True, chance: float = 0.5
) -> Next:
    """What follows a deferral at some age; the message came at time 0."""
    return after_deferral(
        SETTINGS,
        now=age,
        attempts=attempts,
        ends=SETTINGS.lifetime,
        tells=SETTINGS.delay_notice,
        told_delay=told,
        may_tell=may_tell,
        chance=chance,
    )


def test_waits_double_from_five_minutes_to_four_hours() -> None:
    waits = [following(attempts, 0).due / 60 for attempts in range(1, 9)]
    assert waits == [5, 10, 20, 40, 80, 160, 240, 240]


def test_the_sender_is_told_of_a_delay_once_and_after_an_attempt() -> None:
    assert following(7, 3 * HOUR, told=False) == Next(Step.RETRY, SETTINGS.delay_notice)
    assert following(7, 4 * HOUR, told=False).step is Step.RETRY_AND_TELL
    assert following(8, 8 * HOUR, told=True).step is Step.RETRY
    assert following(8, 8 * HOUR, told=False, may_tell=False).step is Step.RETRY


def test_the_last_attempt_falls_on_the_end_of_its_life() -> None:
    assert following(30, SETTINGS.lifetime - HOUR).due == SETTINGS.lifetime
    assert following(30, SETTINGS.lifetime).step is Step.GIVE_UP


@given(
    attempts=st.integers(1, 10_000),
    age=st.floats(0, 6 * 86400),
    told=st.booleans(),
    may_tell=st.booleans(),
    chance=st.floats(0, 1),
)
def test_it_is_always_later_and_never_after_the_end(
    attempts: int, age: float, told: bool, may_tell: bool, chance: float
) -> None:
    after = following(attempts, age, told=told, may_tell=may_tell, chance=chance)
    if after.step is Step.GIVE_UP:
        assert age >= SETTINGS.lifetime
        return
    assert age < after.due <= SETTINGS.lifetime
    assert after.due - age <= SETTINGS.retry_max * (1 + JITTER) + 1e-3
    assert after.step is Step.RETRY or (may_tell and not told and age >= SETTINGS.delay_notice)


@given(attempts=st.integers(1, 60), chance=st.floats(0, 1))
def test_chance_moves_an_attempt_by_the_jitter_at_most(attempts: int, chance: float) -> None:
    middle = following(attempts, 0).due
    assert abs(following(attempts, 0, chance=chance).due - middle) <= middle * JITTER + 1e-6
