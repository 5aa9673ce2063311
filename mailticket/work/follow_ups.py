"""Takes the steps of follow-ups when they have come: reminders, resolving, closing, honest updates.

A step that the customer has to be told of is only taken when the brakes on automatic mail let that
mail through: nobody is held to a reminder that was never sent.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from sqlalchemy.orm import Session

from mailticket.config.desk import Desk, FollowUp
from mailticket.domain.change import SetField
from mailticket.domain.followup import Outlook, Step, follow_up_of
from mailticket.domain.followup_notices import customer_notice, reminders
from mailticket.domain.guards import missing
from mailticket.domain.lifecycle_notices import not_ended
from mailticket.domain.schedule import NeverOpens, WorkingTimes
from mailticket.domain.status import StatusEvent, Transition, next_status
from mailticket.domain.types import Event, EventKind, TicketFacts
from mailticket.store import deadlines
from mailticket.store.absences import presence
from mailticket.store.alerts import NewAlert
from mailticket.store.changes import change_field, record
from mailticket.store.deadlines import DueDeadline
from mailticket.store.due import replan
from mailticket.store.followups import follow_up_outlook, last_answer
from mailticket.store.models import Ticket
from mailticket.store.ticket_facts import ticket_facts
from mailticket.work.announce import announce
from mailticket.work.giving_back import give_back
from mailticket.work.webhooks import tell_webhooks

log = structlog.get_logger()

AFTER_BRAKE = timedelta(hours=1)
"""A mail that the brakes stopped is tried again after this."""
AFTER_GUARD = timedelta(days=1)
"""A ticket of which something has to be known first is looked at again after this, or when it changes."""
_SYSTEM = "system"
_WHY = {
    Step.NUDGE1: "the customer has not answered: a reminder",
    Step.NUDGE2: "the customer has not answered: a second reminder",
    Step.RESOLVE: "the customer did not answer in time, reminders included: resolved by the desk itself",
    Step.CLOSE: "nobody objected to the solution: closed by the desk itself",
    Step.ARCHIVE: "closed for long: archived by the desk itself",
    Step.LOOP: "the customer has heard nothing for a while",
}


class FollowUps:
    """Handles the deadlines of follow-ups (`work.deadlines.Handler`)."""

    def __init__(self, times: Callable[[], WorkingTimes], secret: bytes) -> None:
        self._times = times
        self._secret = secret

    def handle(
        self, session: Session, ticket: Ticket, due: DueDeadline, desk: Desk, now: datetime
    ) -> list[NewAlert]:
        """Take the step if the ticket's events still call for it now; plan what comes next."""
        step, plan = Step(due.kind), follow_up_of(desk, ticket.department)
        seen = follow_up_outlook(session, ticket, desk, self._times(), now)
        at = seen.due.get(step)
        if plan is None or at is None or at > now:
            deadlines.plan(session, ticket.id, step, at, now)
            return []
        facts = ticket_facts(session, ticket)
        cause = f"{step}:{due.version}:{now.isoformat()}"
        lacking = missing(desk, facts) if step is Step.RESOLVE else ()
        if lacking:
            # the key names the moment it came due, so that looking again tells nobody twice
            notices = list(not_ended(facts, lacking, desk, f"{step}:{at.isoformat()}", "resolve"))
            announce(session, notices, facts, desk, self._secret, now)
            deadlines.plan(session, ticket.id, step, now + AFTER_GUARD, now)
            return []
        if step is Step.UNASSIGN:
            give_back(session, ticket, facts, plan, desk, self._times(), self._secret, cause, now)
        elif step is Step.LOOP:
            self._remind(session, facts, plan, seen, desk, cause, now)
        elif self._told(session, step, facts, plan, seen, desk, cause, now):
            self._take(session, ticket, step, desk, cause, now)
        else:
            deadlines.plan(session, ticket.id, step, now + AFTER_BRAKE, now)
            return []
        session.flush()
        replan(session, ticket, desk, self._times(), now)
        log.info("ticket.followed_up", ticket=ticket.number, step=str(step))
        return []

    def _told(
        self,
        session: Session,
        step: Step,
        facts: TicketFacts,
        plan: FollowUp,
        seen: Outlook,
        desk: Desk,
        cause: str,
        now: datetime,
    ) -> bool:
        """Queue what the customer is told of a step; False when the brakes stopped it."""
        answer = last_answer(session, facts.id)
        entry, since = answer if answer is not None else (None, seen.since)
        notice = customer_notice(step, plan, facts, cause, entry, since, self._resolves_at(step, plan, now))
        if notice is None:
            return True
        stopped = announce(session, [notice], facts, desk, self._secret, now).braked
        if stopped:
            log.warning("follow_up.braked", ticket=facts.number, step=str(step), reason=stopped[0])
        return not stopped

    def _resolves_at(self, step: Step, plan: FollowUp, now: datetime) -> datetime | None:
        """When the ticket is resolved if this reminder is the last one; None where another follows."""
        last = Step.NUDGE1 if plan.second_nudge is None else Step.NUDGE2
        if step is not last or plan.resolve is None:
            return None
        try:
            return self._times().of(plan.schedule).add(now, plan.resolve)
        except NeverOpens:
            return None

    def _take(
        self, session: Session, ticket: Ticket, step: Step, desk: Desk, cause: str, now: datetime
    ) -> None:
        events: list[Event] = []
        if step in (Step.RESOLVE, Step.CLOSE, Step.ARCHIVE):
            event_of = StatusEvent.ARCHIVED if step is Step.ARCHIVE else StatusEvent.TIMED_OUT
            moved = next_status(ticket.status, event_of)
            if isinstance(moved, Transition):
                change = SetField(ticket.id, "status", moved.new, _SYSTEM, _WHY[step])
                event = change_field(session, ticket, change, now)
                events += [event] if event is not None else []
        else:
            events.append(_event(ticket.id, step, now, told=False))
            ticket.version += 1
        record(session, events)
        tell_webhooks(session, events, ticket_facts(session, ticket), desk, f"{ticket.id}:{cause}", now)

    def _remind(
        self,
        session: Session,
        facts: TicketFacts,
        plan: FollowUp,
        seen: Outlook,
        desk: Desk,
        cause: str,
        now: datetime,
    ) -> None:
        """Remind the agents; with it, where the follow-up says so, the customer is told where it stands."""
        told = seen.update and self._told(session, Step.LOOP, facts, plan, seen, desk, cause, now)
        notices = list(
            reminders(facts, desk, cause, Outlook(seen.due, seen.since, told), now, presence(session))
        )
        announce(session, notices, facts, desk, self._secret, now)
        events = [_event(facts.id, Step.LOOP, now, told=told)]
        record(session, events)
        tell_webhooks(session, events, facts, desk, f"{facts.id}:{cause}", now)


def _event(ticket: int, step: Step, now: datetime, *, told: bool) -> Event:
    data = {"step": str(step), "told": told}
    return Event(EventKind.FOLLOWED_UP, ticket, None, _SYSTEM, now, _WHY[step], data)
