"""Between deciding about a mail and applying it: who gets the ticket, where nobody was named."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from mailticket.config.desk import Desk
from mailticket.domain.absence import Presence
from mailticket.domain.change import Decision, OpenTicket
from mailticket.domain.distribution import choose
from mailticket.domain.giving_out import deputised, given, wanted
from mailticket.domain.schedule import WorkingTimes
from mailticket.domain.types import Facts
from mailticket.mail.types import Reading
from mailticket.store.absences import presence
from mailticket.store.workload import workload


def assigned(
    session: Session,
    decision: Decision,
    facts: Facts,
    reading: Reading,
    desk: Desk,
    times: WorkingTimes,
    now: datetime,
    *,
    lock: bool = True,
) -> Decision:
    """The decision, with whoever the ticket is given to. Reads what that rests on only where it is needed.

    lock: nobody else gives out tickets until the transaction ends; False for dry runs.
    """
    known: Presence | None = None
    if any(isinstance(one, OpenTicket) and one.assignee is not None for one in decision.changes):
        known = presence(session)
        decision = deputised(decision, desk, known, now)
    ticket = wanted(decision, facts, desk, facts.person.language or reading.writer.spoken)
    if ticket is None:
        return decision
    load = workload(session, ticket.pool, ticket.customer, desk, lock=lock)
    known = known or presence(session)
    choice = choose(ticket.pool, load, ticket.about, desk, known, times, now, but=ticket.but)
    return given(decision, ticket.pool, choice)
