"""Reports by mail: look which slots have begun, read the period's tickets, take each slot once.

Reading may take minutes on a large desk, so it happens before the transaction that takes the slot
and queues the mail. Of several daemons that read at the same moment one queues it.
"""

from __future__ import annotations

from datetime import datetime, time, tzinfo
from functools import partial

import structlog

from mailticket.config.desk import Desk, NamedReport
from mailticket.delivery.report_page import report_page
from mailticket.domain.digest_jobs import zone_of_agent
from mailticket.domain.notice import MadeFile
from mailticket.domain.report import ReportBuilder, SLAReport
from mailticket.domain.report_mail import last_period, report_mail, report_notice
from mailticket.domain.slots import Slot, rhythm, slot_due
from mailticket.store import blobs
from mailticket.store.digests import claim_slot, slot_taken
from mailticket.store.engine import reading, transaction
from mailticket.store.reports import stories
from mailticket.work.announce import announce
from mailticket.work.periodic import Periodic

log = structlog.get_logger()


class Reports(Periodic):
    """Makes the reports of the desk as configured now."""

    what = "report"

    def make_due(self) -> int:
        """Queue every report whose slot has begun and that nobody made yet; returns how many."""
        made = 0
        now, desk = self._clock(), self._desk()
        for key, report in desk.reports.items():
            for reader in report.readers if report.enabled else ():
                zone = zone_of_agent(desk, reader)
                slot = slot_due(now, rhythm(time(0), (), report.cron), zone)
                make = partial(self._make, key, report, reader, zone, desk)
                made += self._once(f"reports.{key}:{reader}", slot, make)
        return made

    def _make(self, key: str, report: NamedReport, reader: str, zone: tzinfo, desk: Desk, slot: Slot) -> bool:
        name = f"reports.{key}:{reader}"
        with reading(self._engine) as session:
            if slot_taken(session, name, slot):
                return False
        figures = self._report(report, slot.begins, zone, desk)
        told = report_mail(figures, report.name, zone)
        page = report_page(figures, f"{desk.name}: {report.name}", zone).encode()
        now = self._clock()
        with transaction(self._engine) as session:
            if not claim_slot(session, name, slot, now):
                return False
            named = f"{key}-{told.first}-{told.last}.html"
            file = MadeFile(named, "text/html", blobs.put(session, page))
            notice = report_notice(key, report, told, reader, desk, slot.name, (file,))
            announce(session, [notice], None, desk, self._secret, now)
        log.info("report.made", report=name, slot=slot.name)
        return True

    def _report(self, report: NamedReport, moment: datetime, zone: tzinfo, desk: Desk) -> SLAReport:
        since, until = last_period(report.period, moment, zone)
        builder = ReportBuilder(desk, self._schedules.now(), report.by, since, until)
        for batch in stories(self._engine, since, until):
            for story in batch:
                builder.add(story)
        return builder.result()
