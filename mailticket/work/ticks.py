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

from mailticket.config.desk import Desk
from mailticket.domain.eventchain import seal_key
from mailticket.domain.followup import Step
from mailticket.store import aliases
from mailticket.store.autocounts import prune
from mailticket.store.due import SLA
from mailticket.store.engine import reading, transaction
from mailticket.store.later import REMIND, WAKE
from mailticket.store.links import WAITED
from mailticket.store.seals import is_sealed, make_seal
from mailticket.work.absences import end_absences
from mailticket.work.alerts import AlertRounds
from mailticket.work.deadlines import DeadlineWork, Handler
from mailticket.work.digests import Digests
from mailticket.work.escalations import Escalations
from mailticket.work.follow_ups import FollowUps
from mailticket.work.later import Later
from mailticket.work.reports import Reports
from mailticket.work.schedules import Schedules
from mailticket.work.stale import expire_answers
from mailticket.work.waiting import Waiting

log = structlog.get_logger()

_PRUNE_BATCH = 500
_SLA_EVERY = 1
_DIGEST_EVERY = 2
_CHALLENGES_EVERY = 10
_ABSENCES_EVERY = 10
_REPORTS_EVERY = 20
_SEAL_EVERY = 60
_PRUNE_EVERY = 300
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
        self._seal_key = seal_key(secret)
        self._clock = clock
        self._on_queued = on_queued
        self._schedules = Schedules(desk)
        escalations = Escalations(self._schedules.now, secret)
        follow_ups = FollowUps(self._schedules.now, secret)
        handlers: dict[str, Handler] = {SLA: escalations.handle}
        later = Later(self._schedules.now, secret)
        handlers |= {WAKE: later.wake, REMIND: later.remind}
        handlers[WAITED] = Waiting(self._schedules.now, secret).handle
        handlers |= {str(step): follow_ups.handle for step in Step}
        self._deadlines = DeadlineWork(engine, desk, clock, handlers)
        self._alerts = AlertRounds(engine, desk, self._schedules.now, secret, clock)
        self._digests = Digests(engine, desk, secret, clock)
        self._reports = Reports(engine, desk, secret, clock)
        options: dict[str, Any] = {"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        self._scheduler = BackgroundScheduler(
            timezone="UTC",
            executors={"default": ThreadPoolExecutor(2), "reports": ThreadPoolExecutor(1)},
            job_defaults=options,
        )
        self._scheduler.add_job(self._guarded, "interval", [self.deadlines], seconds=_SLA_EVERY)
        self._scheduler.add_job(self._guarded, "interval", [self.digests], seconds=_DIGEST_EVERY)
        self._scheduler.add_job(self._guarded, "interval", [self.absences], seconds=_ABSENCES_EVERY)
        self._scheduler.add_job(self._guarded, "interval", [self.challenges], seconds=_CHALLENGES_EVERY)
        # a report may take minutes, in which nothing else waits for it
        self._scheduler.add_job(
            self._guarded, "interval", [self.reports], seconds=_REPORTS_EVERY, executor="reports"
        )
        self._scheduler.add_job(self._guarded, "interval", [self.seal], seconds=_SEAL_EVERY)
        self._scheduler.add_job(self._guarded, "interval", [self.prune], seconds=_PRUNE_EVERY)

    def start(self) -> None:
        """Begin ringing, the first time at once."""
        self._scheduler.start()
        for job in self._scheduler.get_jobs():
            job.modify(next_run_time=self._now_of_scheduler())

    def close(self) -> None:
        """Stop ringing and wait for what runs."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=True)

    def prune(self) -> int:
        """Forget what no limit counts any more, in small batches; returns how many rows."""
        gone = 0
        while True:
            with transaction(self._engine) as session:
                batch = prune(session, self._clock(), _PRUNE_BATCH)
            gone += batch
            if batch < _PRUNE_BATCH:
                return gone

    def seal(self) -> int:
        """Seal what the event log has new; returns how many events. The seal goes to the log as well."""
        sealed = 0
        while True:
            with reading(self._engine) as session:
                if is_sealed(session):
                    return sealed
            with transaction(self._engine) as session:
                seal = make_seal(session, self._seal_key, self._clock())
            if seal is None:
                return sealed
            sealed += seal.count
            log.info("log.sealed", seal=seal.number, events=seal.count, digest=seal.digest)

    def deadlines(self) -> int:
        """Work off the deadlines that have come, and tell their readers; returns how many there were."""
        handled = self._deadlines.work_off()
        told = self._alerts.send_due()
        if handled or told:
            self._on_queued()
        return handled

    def digests(self) -> int:
        """Queue the digests whose time has come; returns how many."""
        made = self._digests.make_due()
        if made:
            self._on_queued()
        return made

    def reports(self) -> int:
        """Queue the reports whose time has come; returns how many."""
        made = self._reports.make_due()
        if made:
            self._on_queued()
        return made

    def absences(self) -> int:
        """End the absences that have run out; returns how many agents are told."""
        told = end_absences(self._engine, self._desk(), self._secret, self._clock())
        if told:
            self._on_queued()
        return told

    def challenges(self) -> int:
        """Give up questions to agents, and their held answers, that had no word in time; returns how many."""
        now, desk = self._clock(), self._desk()
        with transaction(self._engine) as session:
            asked = aliases.expire(session, now - desk.trust.challenge_expires, now)
            answers = expire_answers(session, desk, self._secret, now)
        if answers:
            self._on_queued()
        return asked + answers

    def _guarded(self, job: Callable[[], int]) -> None:
        try:
            job()
        except Exception:
            log.exception("tick.failed", job=job.__name__)

    def _now_of_scheduler(self) -> datetime:
        return datetime.now(self._scheduler.timezone)
