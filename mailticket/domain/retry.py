"""When to try an outgoing mail again, and when to stop: a decision, never a sleep.

what is known of the try             then
the far end may have the mail        repeat it, ten minutes later or more, three times at most; then a
(no answer after the final dot)      person decides, because one more could be one mail too many
it has not, and may take it later    the schedule, its last step again and again, for `give_up_after`
it never will                        give up

Time during which nothing was tried does not wear a mail out: it is given up only when the whole
schedule was gone through too, however long the daemon was down or the clock was wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

SCHEDULE = tuple(timedelta(minutes=minutes) for minutes in (1, 2, 5, 10, 15, 30, 60))
"""Waits after the first, second, ... try that failed (reliability.md, F15)."""
GIVE_UP_AFTER = timedelta(days=5)
UNKNOWN_WAIT = timedelta(minutes=10)
"""A server that was slow to answer has delivered or dropped the mail by then."""
MOST_UNKNOWN_RETRIES = 3
SPREAD = 0.2
"""`jitter` makes a wait up to this part longer, so that a crowd that failed together comes back apart."""


@dataclass(frozen=True, slots=True)
class RetryAt:
    """Try again then (aware UTC)."""

    at: datetime


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Do not try again by yourself.

    uncertain  the mail may have arrived nonetheless: a person should ask before sending it again
    """

    reason: str
    uncertain: bool = False


def retry(
    attempts: int,
    *,
    first_try: datetime,
    now: datetime,
    temporary: bool = True,
    outcome_unknown: bool = False,
    unknown_outcomes: int = 0,
    jitter: float = 0.0,
    schedule: Sequence[timedelta] = SCHEDULE,
    give_up_after: timedelta = GIVE_UP_AFTER,
) -> RetryAt | GiveUp:
    """What to do after a try that did not succeed.

    attempts          tries made so far, this one included: at least 1
    first_try         when the first one was made, or the mail was queued (aware UTC)
    temporary         trying again may help
    outcome_unknown   this try may have succeeded: only its answer is missing
    unknown_outcomes  how many tries so far ended so, this one included
    jitter            a random number in [0, 1)
    schedule          the wait after each try; the last one repeats

    ValueError for arguments outside these bounds.
    """
    if attempts < 1 or not schedule or not 0 <= jitter < 1:
        raise ValueError("at least one try, one wait and a jitter in [0, 1) are needed")
    unknown = max(unknown_outcomes, int(outcome_unknown))
    if not temporary and not outcome_unknown:
        return GiveUp("refused for good", uncertain=unknown > 0)
    if outcome_unknown and unknown > MOST_UNKNOWN_RETRIES:
        return GiveUp(
            f"uncertain: {unknown} tries ended without an answer, so the mail may have arrived",
            uncertain=True,
        )
    ends = first_try + give_up_after
    if now >= ends and attempts > len(schedule):
        tried = f"not delivered after {attempts} tries in {_days(now - first_try)}"
        return GiveUp(f"uncertain: {tried}, of which {unknown} may have" if unknown else tried, unknown > 0)
    wait = schedule[min(attempts, len(schedule)) - 1]
    if outcome_unknown:
        wait = max(wait, UNKNOWN_WAIT)
    at = now + wait * (1 + SPREAD * jitter)
    if now < ends < at and not outcome_unknown:
        at = ends  # one last try when the time is up, instead of none after it
    return RetryAt(at)


def _days(length: timedelta) -> str:
    hours = int(length / timedelta(hours=1))
    return f"{hours // 24} days" if hours >= 48 else f"{hours} hours"
