"""Absences that have run out: they end by themselves, and who did not know of theirs is told."""

from __future__ import annotations

from datetime import datetime

import structlog
from sqlalchemy import Engine

from mailticket.config.desk import Desk
from mailticket.domain.absence import Source
from mailticket.domain.absence_notices import back_notice
from mailticket.store.absences import expire
from mailticket.store.engine import transaction
from mailticket.work.announce import announce

log = structlog.get_logger()


def end_absences(engine: Engine, desk: Desk, secret: bytes, now: datetime) -> int:
    """End what has run out by `now`; returns how many agents are told.

    Whoever said themselves until when they are away needs no mail about it; whoever's mailbox said so
    learns here that it counted.
    """
    told = 0
    with transaction(engine) as session:
        for absence in expire(session, now):
            log.info("agent.back", agent=absence.agent, source=str(absence.source))
            if absence.source is not Source.AUTO_REPLY or absence.here or absence.agent not in desk.agents:
                continue
            reason = "the absence your mailbox told of is over"
            notice = back_notice(absence.agent, reason, desk, f"absence:{absence.id}", absence.until)
            told += announce(session, [notice], None, desk, secret, now).queued
    return told
