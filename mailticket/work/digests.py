"""The digest job: look which slots have begun, take each once, write the mail.

What it says is read first, without holding up any writer: over 100,000 tickets that takes seconds.
Then one short transaction takes its slot, keeps what the next one is compared with, and queues the
mail. So a daemon that dies in between leaves nothing behind, and of several that look at the same
moment one makes it.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial

import structlog

from mailticket.config.desk import Desk
from mailticket.domain.digest import DigestModel, TicketRow
from mailticket.domain.digest_jobs import DigestJob, digest_jobs, zone_of_agent
from mailticket.domain.digest_mail import Listing, digest_mail, digest_notice, numbered
from mailticket.domain.schedule import WorkingTimes
from mailticket.domain.slots import Slot, slot_due
from mailticket.store.digests import claim_slot, gather_digest, is_made, keep_issue, ledgers
from mailticket.store.engine import reading, transaction
from mailticket.work.announce import announce
from mailticket.work.periodic import Periodic

log = structlog.get_logger()


class Digests(Periodic):
    """Makes the digests of the desk as configured now."""

    what = "digest"
    _known: tuple[WorkingTimes, list[DigestJob]] | None = None

    def make_due(self) -> int:
        """Queue every digest whose slot has begun and that nobody made yet; returns how many."""
        made = 0
        now, desk = self._clock(), self._desk()
        for job in self._jobs(desk):
            slot = slot_due(now, job.beat, zone_of_agent(desk, job.reader))
            made += self._once(job.key, slot, partial(self._make, job, desk, now))
        return made

    def _jobs(self, desk: Desk) -> list[DigestJob]:
        times = self._schedules.now()
        if self._known is None or self._known[0] is not times:
            self._known = (times, digest_jobs(desk, times))
        return self._known[1]

    def _make(self, job: DigestJob, desk: Desk, now: datetime, slot: Slot) -> bool:
        with reading(self._engine) as session:
            if is_made(session, job.key, slot):
                return False
            model = gather_digest(session, desk, job, now)
            listing = numbered(model)
            why = ledgers(session, _overdue(model, listing), desk, self._schedules.now(), now)
        with transaction(self._engine) as session:
            if not claim_slot(session, job.key, slot, now):
                return False
            if model.empty and not job.when_empty:
                return False
            issue = keep_issue(session, model, slot.name, listing)
            notice = digest_notice(model, digest_mail(model, desk, listing, why, issue), desk, slot.name)
            announce(session, [notice], None, desk, self._secret, now)
        log.info("digest.made", digest=job.key, slot=slot.name, open=model.open_count)
        return True


def _overdue(model: DigestModel, listing: Listing) -> list[TicketRow]:
    late = {line.ticket.id for section in model.sections for line in section.overdue}
    return [row for row in listing.tickets if row.id in late]
