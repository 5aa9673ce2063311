"""A dry run: a decision is carried out for real, looked at, and undone before anybody could see it.

So it tells exactly what would happen, in the words of the receipt, and nothing else has to know of it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy.orm import Session

from mailticket.config.desk import Desk
from mailticket.domain.change import Decision
from mailticket.domain.notice import Notice
from mailticket.domain.notify import Occasion, plan
from mailticket.domain.receipt import receipt_notice, receipt_of
from mailticket.domain.types import Arrival, Outcome, TicketFacts
from mailticket.mail.types import Reading
from mailticket.store.apply import apply
from mailticket.store.models import Ticket
from mailticket.store.ticket_facts import ticket_facts


def rehearse(
    session: Session, decision: Decision, reading: Reading, arrival: Arrival, desk: Desk, now: datetime
) -> tuple[Notice | None, TicketFacts]:
    """The receipt of what `decision` would do, and its ticket as it is. Nothing stays of it."""
    savepoint = session.begin_nested()
    try:
        done = apply(session, replace(decision, outcome=Outcome.AGENT_ACTED), reading, arrival, now)
        session.flush()
        after = ticket_facts(session, done.ticket) if done.ticket else None
        cause = f"inbound:{arrival.inbound_id}"
        notices = plan(done.events, after, desk, Occasion(cause, acknowledge=False))
        receipt = receipt_of(decision, done.events, notices, arrival.inbound_id, desk)
    finally:
        savepoint.rollback()
    assert decision.ticket is not None  # an agent's mail about nothing is not rehearsed
    ticket = ticket_facts(session, session.get_one(Ticket, decision.ticket))
    return receipt_notice(receipt, decision, ticket, desk, cause), ticket
