"""The scheduler rings; the database remembers.

APScheduler only says "look": what is due is a row, claimed where several daemons share a database,
and what it causes has a unique key. A tick that runs late, twice or on three machines changes
nothing. Jobs coalesce and have no misfire limit, or APScheduler would drop one that is a second
late (measured on 3.11.3).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from mailticket.config.desk import Desk
from mailticket.domain.clocks import Overdue
from mailticket.domain.digest import digest_slot
from mailticket.domain.notify import Occasion, digest_notice, plan
from mailticket.domain.types import Event, EventKind
from mailticket.store import aliases, deadlines
from mailticket.store.changes import record
from mailticket.store.deadlines import DueDeadline
from mailticket.store.digests import claim_slot, gather_digest
from mailticket.store.due import SLA, replan
from mailticket.store.engine import transaction
from mailticket.store.models import Ticket
from mailticket.store.queries import ticket_facts
from mailticket.work.announce import announce
from mailticket.work.schedules import Schedules

log = structlog.get_logger()

_BATCH = 50
_SLA_EVERY = 1
_DIGEST_EVERY = 2
_CHALLENGES_EVERY = 10
"""Seconds. A look at nothing costs 0.2 ms, and a reader should not have to wait for the next one."""


class Ticks:
    """The scheduled work of one daemon."""

    def __init__(
        self,
        engine: Engine,
        desk: Callable[[], Desk],
        secret: bytes,
        clock: Callable[[], datetime],
        on_queued: Callable[[], None],
    ) -> None:
        self._engine = engine
        self._desk = desk
        self._secret = secret
        self._clock = clock
        self._on_queued = on_queued
        self._schedules = Schedules(desk)
        self._slots_seen: dict[str, str] = {}
        options: dict[str, Any] = {"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        self._scheduler = BackgroundScheduler(
            timezone="UTC", executors={"default": ThreadPoolExecutor(2)}, job_defaults=options
        )
        self._scheduler.add_job(self._guarded, "interval", [self.deadlines], seconds=_SLA_EVERY)
        self._scheduler.add_job(self._guarded, "interval", [self.digests], seconds=_DIGEST_EVERY)
        self._scheduler.add_job(self._guarded, "interval", [self.challenges], seconds=_CHALLENGES_EVERY)

    def start(self) -> None:
        """Begin ringing, the first time at once."""
        self._scheduler.start()
        for job in self._scheduler.get_jobs():
            job.modify(next_run_time=self._now_of_scheduler())

    def close(self) -> None:
        """Stop ringing and wait for what runs."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=True)

    def deadlines(self) -> int:
        """Work off the deadlines that have come; returns how many."""
        handled = 0
        while True:
            with transaction(self._engine) as session:
                due = deadlines.claim_due(session, self._clock(), _BATCH)
                for item in due:
                    self._one_deadline(session, item)
            handled += len(due)
            if len(due) < _BATCH:
                break
        if handled:
            self._on_queued()
        return handled

    def digests(self) -> int:
        """Queue the digests whose time has come; returns how many."""
        made = 0
        now, desk = self._clock(), self._desk()
        for manager in sorted({item.manager for item in desk.departments.values() if item.manager}):
            slot = digest_slot(desk, manager, now)
            if slot is None or self._slots_seen.get(manager) == slot:
                continue
            made += self._digest(desk, manager, slot, now)
            self._slots_seen[manager] = slot
        if made:
            self._on_queued()
        return made

    def _digest(self, desk: Desk, manager: str, slot: str, now: datetime) -> bool:
        """Queue one digest, unless somebody did; True when there is now one to send."""
        with transaction(self._engine) as session:
            if not claim_slot(session, f"daily:{manager}", slot, now):
                return False
            model = gather_digest(session, desk, manager, now)
            if model.empty and not desk.digest.when_empty:
                return False
            announce(session, [digest_notice(model, desk, slot)], None, desk, self._secret, now)
        return True

    def challenges(self) -> int:
        """Give up questions to agents that had no answer in time; returns how many."""
        now = self._clock()
        with transaction(self._engine) as session:
            return aliases.expire(session, now - self._desk().trust.challenge_expires, now)

    def _one_deadline(self, session: Session, due: DueDeadline) -> None:
        """Ask the clocks what a deadline means now; alert, and plan the next one."""
        now, desk = self._clock(), self._desk()
        ticket = session.get(Ticket, due.ticket_id, with_for_update=True)
        if ticket is None or due.kind != SLA:
            deadlines.clear(session, due.ticket_id, due.kind)
            return
        standing = replan(session, ticket, desk, self._schedules.now(), now)
        if isinstance(standing.verdict, Overdue):
            self._alert(session, ticket, standing.verdict, due, desk, now)
            if standing.verdict.next_at is None:
                deadlines.clear(session, ticket.id, SLA)
            else:
                deadlines.plan(session, ticket.id, SLA, standing.verdict.next_at)

    def _alert(
        self,
        session: Session,
        ticket: Ticket,
        verdict: Overdue,
        due: DueDeadline,
        desk: Desk,
        now: datetime,
    ) -> None:
        if ticket.overdue_since is None:
            ticket.overdue_since = verdict.since
        ticket.version += 1
        data = {"target": verdict.target, "since": verdict.since.isoformat(), "alert": verdict.number}
        event = Event(EventKind.OVERDUE, ticket.id, None, "system", now, verdict.reason, data)
        record(session, [event])
        session.flush()
        facts = ticket_facts(session, ticket)
        occasion = Occasion(f"overdue:{ticket.id}:{due.version}", acknowledge=False)
        announce(session, plan([event], facts, desk, occasion), facts, desk, self._secret, now)
        log.info("ticket.overdue", ticket=ticket.number, target=verdict.target)

    def _guarded(self, job: Callable[[], int]) -> None:
        try:
            job()
        except Exception:
            log.exception("tick.failed", job=job.__name__)

    def _now_of_scheduler(self) -> datetime:
        return datetime.now(self._scheduler.timezone)
