"""domain/retry.py: the failure policy of outgoing mail, as a table."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailticket.domain.retry import GIVE_UP_AFTER, SCHEDULE, GiveUp, RetryAt, retry

FIRST = datetime(2026, 6, 1, 12, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def after(attempts: int, elapsed: timedelta, **more: Any) -> RetryAt | GiveUp:
    return retry(attempts, first_try=FIRST, now=FIRST + elapsed, **more)


@pytest.mark.parametrize(
    ("attempts", "minutes"),
    [(1, 1), (2, 2), (3, 5), (4, 10), (5, 15), (6, 30), (7, 60), (8, 60), (50, 60)],
)
def test_waits_grow_and_then_stay(attempts: int, minutes: int) -> None:
    assert after(attempts, HOUR) == RetryAt(FIRST + HOUR + minutes * MINUTE)


@pytest.mark.parametrize(
    ("arguments", "wait"),
    [
        ({"attempts": 1, "outcome_unknown": True}, 10),
        ({"attempts": 3, "outcome_unknown": True, "unknown_outcomes": 1}, 10),
        ({"attempts": 3, "outcome_unknown": True, "unknown_outcomes": 3}, 10),
        ({"attempts": 6, "outcome_unknown": True, "unknown_outcomes": 2}, 30),
        ({"attempts": 40, "outcome_unknown": True, "unknown_outcomes": 1}, 60),
        # trouble before the final dot goes by the schedule, whatever happened before
        ({"attempts": 2, "unknown_outcomes": 3}, 2),
        # unknown is not permanent, even where somebody says so
        ({"attempts": 1, "outcome_unknown": True, "temporary": False}, 10),
    ],
)
def test_a_mail_that_may_have_arrived_is_repeated_late(arguments: dict[str, Any], wait: int) -> None:
    assert after(elapsed=HOUR, **arguments) == RetryAt(FIRST + HOUR + wait * MINUTE)


def test_after_three_repeats_without_an_answer_a_person_decides() -> None:
    verdict = after(4, HOUR, outcome_unknown=True, unknown_outcomes=4)
    assert verdict == GiveUp(
        "uncertain: 4 tries ended without an answer, so the mail may have arrived", uncertain=True
    )


def test_what_is_refused_for_good_is_given_up_at_once() -> None:
    assert after(1, MINUTE, temporary=False) == GiveUp("refused for good")
    assert after(2, MINUTE, temporary=False, unknown_outcomes=1) == GiveUp("refused for good", uncertain=True)


@pytest.mark.parametrize(
    ("attempts", "elapsed", "expected"),
    [
        (130, 5 * DAY, GiveUp("not delivered after 130 tries in 5 days")),
        (130, 9 * DAY, GiveUp("not delivered after 130 tries in 9 days")),
        (130, 5 * DAY - 10 * MINUTE, RetryAt(FIRST + 5 * DAY)),  # the last try comes when the time is up
        (130, 5 * DAY - 2 * HOUR, RetryAt(FIRST + 5 * DAY - HOUR)),
        # the daemon was down: the mail has not been tried enough to give it up
        (1, 30 * DAY, RetryAt(FIRST + 30 * DAY + MINUTE)),
        (7, 30 * DAY, RetryAt(FIRST + 30 * DAY + HOUR)),
        (8, 30 * DAY, GiveUp("not delivered after 8 tries in 30 days")),
        (8, 3650 * DAY, GiveUp("not delivered after 8 tries in 3650 days")),
        # the clock was set back
        (3, -1 * HOUR, RetryAt(FIRST - HOUR + 5 * MINUTE)),
    ],
)
def test_when_the_time_is_up(attempts: int, elapsed: timedelta, expected: RetryAt | GiveUp) -> None:
    assert after(attempts, elapsed) == expected


def test_a_mail_given_up_for_time_says_that_it_may_have_arrived() -> None:
    verdict = after(130, 5 * DAY, unknown_outcomes=2)
    assert isinstance(verdict, GiveUp)
    assert verdict.uncertain
    assert verdict.reason == "uncertain: not delivered after 130 tries in 5 days, of which 2 may have"


def test_a_desk_may_have_its_own_schedule() -> None:
    own: dict[str, Any] = {"schedule": (HOUR,), "give_up_after": 3 * HOUR}
    assert after(1, timedelta(0), **own) == RetryAt(FIRST + HOUR)
    assert after(3, 2 * HOUR, **own) == RetryAt(FIRST + 3 * HOUR)
    assert after(4, 3 * HOUR, **own) == GiveUp("not delivered after 4 tries in 3 hours")


@pytest.mark.parametrize(
    "wrong", [{"attempts": 0}, {"attempts": 1, "schedule": ()}, {"attempts": 1, "jitter": 1.0}]
)
def test_arguments_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="at least one"):
        after(elapsed=HOUR, **wrong)


@given(
    st.integers(1, 300),
    st.timedeltas(timedelta(0), timedelta(days=20)),
    st.booleans(),
    st.integers(0, 5),
    st.floats(0, 1, exclude_max=True),
)
def test_a_retry_is_never_now_and_never_further_than_the_longest_wait(
    attempts: int, elapsed: timedelta, unknown: bool, before: int, jitter: float
) -> None:
    verdict = after(
        attempts, elapsed, outcome_unknown=unknown, unknown_outcomes=before + unknown, jitter=jitter
    )
    now = FIRST + elapsed
    if isinstance(verdict, RetryAt):
        assert now < verdict.at <= now + max(SCHEDULE) * 1.2
        if unknown:
            assert verdict.at >= now + 10 * MINUTE
    else:
        assert verdict.uncertain is (before + unknown > 0)
        assert unknown or elapsed >= GIVE_UP_AFTER


@given(st.lists(st.booleans(), max_size=400), st.floats(0, 1, exclude_max=True))
def test_every_mail_comes_to_an_end(answers: list[bool], jitter: float) -> None:
    now, unknown, attempts = FIRST, 0, 0
    outcomes = iter(answers)
    while attempts < 400:
        attempts += 1
        lost = next(outcomes, False)
        unknown += lost
        verdict = retry(
            attempts,
            first_try=FIRST,
            now=now,
            outcome_unknown=lost,
            unknown_outcomes=unknown,
            jitter=jitter,
        )
        if isinstance(verdict, GiveUp):
            break
        now = verdict.at
    assert attempts < 200
    assert now <= FIRST + GIVE_UP_AFTER + 2 * HOUR
