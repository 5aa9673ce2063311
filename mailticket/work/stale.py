"""Held answers expire, and their authors are told."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from mailticket.config.desk import Desk
from mailticket.domain.requests import HeldAnswer
from mailticket.domain.stale import LIFETIME, stale_notice
from mailticket.store.models import Ticket
from mailticket.store.stale import expired
from mailticket.store.ticket_facts import ticket_facts
from mailticket.work.announce import announce

_BATCH = 100


def expire_answers(session: Session, desk: Desk, secret: bytes, now: datetime) -> int:
    """Give up the answers that have waited too long; returns how many authors are told."""
    told = 0
    for row in expired(session, now - LIFETIME, now, _BATCH):
        if row.agent not in desk.agents:
            continue
        ticket = ticket_facts(session, session.get_one(Ticket, row.ticket_id))
        held = HeldAnswer(row.inbound_id, row.text, row.subject)
        notice = stale_notice(ticket, row.agent, desk, f"expired:{row.inbound_id}", (), held, expired=True)
        announce(session, [notice], ticket, desk, secret, now)
        told += 1
    return told
