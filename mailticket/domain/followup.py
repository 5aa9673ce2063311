"""Follow-ups: what the desk does while nobody writes. A pure function of a ticket's events.

    nudge1, nudge2   remind the customer whom the ticket waits for
    auto-resolve     they did not answer: the ticket is resolved, and they are told
    auto-close       nobody objected to a resolution
    auto-archive     a closed ticket is put away
    keep-in-loop     the customer has heard nothing for too long: remind the agent
    auto-unassign    whoever has the ticket leaves it lying: it goes back to the department

- Each step counts from the one before it, as it was really taken; so a daemon that was down over a
  weekend sends one reminder and not two, and no ticket is resolved right after a late reminder.
- A message of the customer and an answer to them start the row anew. Automatic mails and notes do not.
- A ticket that an agent lets wait until a moment (`#wait 3d`) comes back to them then: until it has come,
  the customer is not reminded, and nothing is resolved.
- An out-of-office of the requester that names a date moves what would follow behind the beginning of
  that date, for as long as they do not write themselves.
- The silence that keep-in-loop measures begins with the first message that nobody answered, or else
  with the last answer; it is not measured while the ticket waits for the customer or is resolved.
- A ticket lies for as long as its assignee does nothing on it (an answer, a note, a command: anything
  counts) while the customer, or a promise of the SLA plan, waits for the desk. What was before they got
  it, and the time in which it waited for somebody else, is not laid to their charge. Absence is no excuse:
  the customer waits all the same.

Durations count in the working time of the follow-up's schedule, which the caller passes compiled.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

from mailticket.config.desk import Desk, FollowUp
from mailticket.domain.schedule import NeverOpens, WorkingTime
from mailticket.domain.status import ACTIVE, Status

WRONG_CLOCK = timedelta(days=1)
"""An event later than this from now was written under a clock that was wrong; it counts as of now."""


class Step(enum.StrEnum):
    """What can be due; also the kinds of deadline."""

    NUDGE1 = "nudge1"
    NUDGE2 = "nudge2"
    RESOLVE = "auto-resolve"
    CLOSE = "auto-close"
    LOOP = "keep-in-loop"
    UNASSIGN = "auto-unassign"
    ARCHIVE = "auto-archive"


class Happened(enum.StrEnum):
    """What of a ticket's log matters here."""

    CREATED = "created"
    CUSTOMER = "customer"
    """A person outside wrote."""
    ANSWER = "answer"
    """An agent wrote to the customer."""
    STATUS = "status"
    TAKEN = "taken"
    """One of these steps."""
    ABSENT = "absent"
    """The requester's mail system says until when they are away."""
    ASSIGNED = "assigned"
    """Somebody else has it from now on, or nobody."""
    ACT = "act"
    """An agent did anything else on it: a note, a command."""
    WAKE = "wake"
    """An agent says until when a paused ticket waits, or that there is no such moment any more."""


@dataclass(frozen=True, slots=True)
class FollowEvent:
    """One of these, when (aware UTC).

    told  with a keep-in-loop step: the customer got an update too; by  key of the agent who did it
    until with a wake: when the ticket comes back; None for never
    """

    at: datetime
    kind: Happened
    status: str = ""
    step: Step | None = None
    told: bool = False
    returns_on: date | None = None
    by: str = ""
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Outlook:
    """What comes next.

    due           when each step is due that may be taken next; the others are not planned
    since         when the customer last heard from the desk, or wrote without being answered
    update        the customer is told where the ticket stands, with the next keep-in-loop step
    """

    due: dict[Step, datetime]
    since: datetime | None = None
    update: bool = False


def follow_up_of(desk: Desk, department: str) -> FollowUp | None:
    """The follow-up of a department's tickets; None where nothing happens by itself."""
    known = desk.departments.get(department)
    key = (known.follow_up if known else None) or desk.default_follow_up
    return desk.follow_ups.get(key) if key is not None else None


def outlook(
    plan: FollowUp,
    events: Iterable[FollowEvent],
    working_time: WorkingTime,
    now: datetime,
    *,
    assignee: str | None = None,
    promised: bool = False,
) -> Outlook:
    """What is due next for a ticket with these events, in the order of its log.

    assignee: key of the agent who has it; promised: its SLA plan promises something that is still to come
    """
    seen = _Seen(plan, working_time, now)
    for event in events:
        seen.take(event)
    return seen.outlook(assignee, promised=promised)


@dataclass(slots=True)
class _Seen:
    """The events folded up.

    taken  the steps since the last human word, with when they were taken
    asked_at  since when the desk has something to do, None while it has not; given_at  when whoever has
    the ticket got it; acted  when each agent last did anything on it
    """

    plan: FollowUp
    working: WorkingTime
    now: datetime
    status: str = Status.OPEN
    status_at: datetime | None = None
    silent_since: datetime | None = None
    desk_spoke_last: bool = False
    told: bool = False
    away_until: datetime | None = None
    comes_back: datetime | None = None
    taken: dict[Step, datetime] = field(default_factory=dict)
    asked_at: datetime | None = None
    given_at: datetime | None = None
    acted: dict[str, datetime] = field(default_factory=dict)

    def take(self, event: FollowEvent) -> None:
        at = event.at if event.at <= self.now + WRONG_CLOCK else self.now
        if event.by:
            self.acted[event.by] = at
        match event.kind:
            case Happened.CREATED:
                self.status_at = self.silent_since = self.asked_at = self.given_at = at
            case Happened.CUSTOMER:
                self.asked_at = self.asked_at or at
                if self.desk_spoke_last or self.silent_since is None:
                    self._heard(at)
                self.desk_spoke_last, self.away_until = False, None
                self._anew(at)
            case Happened.ANSWER:
                self._heard(at)
                self.desk_spoke_last, self.asked_at = True, None
                self._anew(at)
            case Happened.STATUS:
                self._moved(event.status, at)
            case Happened.TAKEN if event.step is not None:
                self.taken[event.step] = at
                self.told = self.told or event.told
            case Happened.WAKE:
                self.comes_back = event.until
            case Happened.ABSENT if event.returns_on is not None:
                self.away_until = self._return(event.returns_on, at)
            case Happened.ASSIGNED:
                self.given_at = at

    def outlook(self, assignee: str | None, *, promised: bool) -> Outlook:
        found: dict[Step, datetime | None] = {}
        if self.status == Status.WAITING and self.comes_back is None:
            step, base, wait = self._while_waiting()
            found[step] = self._after(base, wait, minding_absence=True)
        elif self.status == Status.RESOLVED:
            found[Step.CLOSE] = self._after(self.status_at, self.plan.close, minding_absence=True)
        elif self.status == Status.CLOSED:
            found[Step.ARCHIVE] = self._after(self.status_at, self.plan.archive)
        elif self.status in ACTIVE or self.status == Status.ON_HOLD:
            found[Step.LOOP] = self._after(
                self.taken.get(Step.LOOP, self.silent_since), self.plan.keep_in_loop
            )
        if assignee is not None and self.status in ACTIVE:
            found[Step.UNASSIGN] = self._after(self._lies_since(assignee, promised), self.plan.unassign)
        update = self.plan.update_customer == "always" or (
            self.plan.update_customer == "once" and not self.told
        )
        return Outlook({step: at for step, at in found.items() if at is not None}, self.silent_since, update)

    def _heard(self, at: datetime) -> None:
        self.silent_since, self.told = at, False
        self.taken.pop(Step.LOOP, None)

    def _lies_since(self, assignee: str, promised: bool) -> datetime | None:
        """Since when the assignee has left the ticket lying; None where nobody waits for them."""
        begun = self.asked_at or (self.silent_since if promised else None)
        if begun is None:
            return None
        times = (begun, self.given_at, self.acted.get(assignee))
        return max(at for at in times if at is not None)

    def _anew(self, at: datetime) -> None:
        """Reminders and closing count from the last human word."""
        self.status_at = at
        for step in (Step.NUDGE1, Step.NUDGE2):
            self.taken.pop(step, None)

    def _moved(self, status: str, at: datetime) -> None:
        counted = self.status in ACTIVE or self.status == Status.ON_HOLD
        if status in ACTIVE and self.status not in ACTIVE:
            self.asked_at = at
        self.status, self.comes_back = status, None
        self._anew(at)
        if not counted and (status in ACTIVE or status == Status.ON_HOLD):
            self._heard(at)

    def _while_waiting(self) -> tuple[Step, datetime | None, timedelta | None]:
        first, second = self.taken.get(Step.NUDGE1), self.taken.get(Step.NUDGE2)
        if self.plan.nudge is not None and first is None:
            return Step.NUDGE1, self.status_at, self.plan.nudge
        if self.plan.second_nudge is not None and second is None:
            return Step.NUDGE2, first, self.plan.second_nudge
        reminded = [at for at in (first, second) if at is not None]
        return Step.RESOLVE, max(reminded, default=self.status_at), self.plan.resolve

    def _return(self, day: date, at: datetime) -> datetime:
        begins = datetime.combine(day, time(0), self.working.zone).astimezone(UTC)
        return min(begins, at + timedelta(days=self.plan.longest_absence))

    def _after(
        self, base: datetime | None, wait: timedelta | None, *, minding_absence: bool = False
    ) -> datetime | None:
        if base is None or wait is None:
            return None
        if minding_absence and self.away_until is not None:
            base = max(base, self.away_until)
        try:
            return self.working.add(base, wait)
        except NeverOpens:
            return None
