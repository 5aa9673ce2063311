"""A ticket that its assignee left lying goes back to the department, which gives it out anew."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from mailticket.config.desk import Desk, FollowUp
from mailticket.domain.clocks import spoken
from mailticket.domain.distribution import Choice, Pool, choose
from mailticket.domain.followup_notices import given_back_notices
from mailticket.domain.giving_out import given_back, wanted_again
from mailticket.domain.notify import Occasion, plan
from mailticket.domain.schedule import WorkingTimes
from mailticket.domain.types import TicketFacts
from mailticket.store.absences import presence
from mailticket.store.changes import apply_changes, record
from mailticket.store.models import Ticket
from mailticket.store.people import remembered
from mailticket.store.ticket_facts import ticket_facts
from mailticket.store.workload import workload
from mailticket.work.announce import announce
from mailticket.work.webhooks import tell_webhooks


def give_back(
    session: Session,
    ticket: Ticket,
    facts: TicketFacts,
    follow_up: FollowUp,
    desk: Desk,
    times: WorkingTimes,
    secret: bytes,
    cause: str,
    now: datetime,
) -> None:
    """Take the ticket from whoever has it, choose somebody else where the department does so, tell them.

    cause: unique name of this step. The caller holds the ticket and plans what comes next.
    """
    assert facts.assignee is not None  # or the step is not due, as below
    assert follow_up.unassign is not None
    around_the_clock = times.of(follow_up.schedule).around_the_clock
    lying = spoken(follow_up.unassign, days=around_the_clock)
    pool, choice = _chosen(session, facts, desk, times, now)
    changes = given_back(facts, desk, lying, pool, choice)
    done = apply_changes(session, ticket, changes, now)
    record(session, done.events)
    after = ticket_facts(session, ticket)
    occasion = Occasion(f"{facts.id}:{cause}", acknowledge=False)
    notices = [
        *plan(done.events, after, desk, occasion),
        *given_back_notices(after, desk, cause, facts.assignee, changes[0].why),
    ]
    announce(session, notices, after, desk, secret, now)
    tell_webhooks(session, done.events, after, desk, occasion.cause, now)


def _chosen(
    session: Session, facts: TicketFacts, desk: Desk, times: WorkingTimes, now: datetime
) -> tuple[Pool | None, Choice | None]:
    """Among whom it is given out, and who gets it; nothing where agents take tickets themselves."""
    person = remembered(session, facts.requester)
    wanted = wanted_again(facts, desk, person.language if person is not None else None)
    if wanted is None:
        return None, None
    load = workload(session, wanted.pool, wanted.customer, desk)
    away = presence(session)
    return wanted.pool, choose(wanted.pool, load, wanted.about, desk, away, times, now, but=wanted.but)
