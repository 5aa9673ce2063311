"""Deciding about a held reply by hand: what an agent does with `approve` by mail, an operator may do here."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from mailticket.config.desk import Desk
from mailticket.domain.holding import approve, deny
from mailticket.domain.notify import Occasion, plan
from mailticket.domain.schedule import WorkingTimes
from mailticket.errors import Permanent
from mailticket.store.changes import apply_changes, record
from mailticket.store.due import replan
from mailticket.store.models import Ticket
from mailticket.store.ticket_facts import ticket_facts
from mailticket.work.announce import announce
from mailticket.work.webhooks import tell_webhooks

OPERATOR = "operator"


def settle(
    session: Session,
    number: str,
    *,
    join: bool,
    desk: Desk,
    secret: bytes,
    times: WorkingTimes,
    now: datetime,
) -> str:
    """Let the held ticket `number` join, or keep it apart; returns the number of the ticket it is now.

    The same mails go out as if an agent had decided. Raises Permanent where there is nothing to decide.
    """
    held = session.execute(select(Ticket).where(Ticket.number == number).with_for_update()).scalar()
    if held is None:
        raise Permanent(f"there is no ticket #{number}")
    facts = ticket_facts(session, held, lock=True)
    changes = approve(facts, OPERATOR, OPERATOR, desk, now) if join else deny(facts, OPERATOR, OPERATOR)
    if isinstance(changes, str):
        raise Permanent(changes)
    done = apply_changes(session, held, changes, now)
    record(session, done.events)
    session.flush()
    ticket = done.ticket
    assert ticket is not None  # apply_changes was given one
    replan(session, ticket, desk, times, now)
    after = ticket_facts(session, ticket)
    occasion = Occasion(f"held:{held.id}:{held.version}", acknowledge=False)
    tell_webhooks(session, done.events, after, desk, occasion.cause, now)
    announce(session, plan(done.events, after, desk, occasion), after, desk, secret, now)
    return ticket.number
