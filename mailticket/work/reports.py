"""Reports by mail: look which slots have begun, read the period's tickets, take each slot once.

Reading may take minutes on a large desk, so it happens before the transaction that takes the slot
and queues the mail. Of several daemons that read at the same moment one queues it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, time, tzinfo

import structlog
from sqlalchemy import Engine

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
from mailticket.work.schedules import Schedules

log = structlog.get_logger()


class Reports:
    """Makes the reports of the desk as configured now."""

    def __init__(
        self, engine: Engine, desk: Callable[[], Desk], secret: bytes, clock: Callable[[], datetime]
    ) -> None:
        self._engine = engine
        self._desk = desk
        self._secret = secret
        self._clock = clock
        self._schedules = Schedules(desk)
        self._seen: dict[str, str] = {}

    def make_due(self) -> int:
        """Queue every report whose slot has begun and that nobody made yet; returns how many.

        A report that cannot be made is logged and tried again with the next look; it costs no other.
        """
        made = 0
        now, desk = self._clock(), self._desk()
        for key, report in desk.reports.items():
            for reader in report.readers if report.enabled else ():
                zone = zone_of_agent(desk, reader)
                slot = slot_due(now, rhythm(time(0), (), report.cron), zone)
                name = f"reports.{key}:{reader}"
                if slot is None or self._seen.get(name) == slot.name:
                    continue
                try:
                    made += self._make(key, report, reader, slot, zone, desk)
                except Exception:
                    log.exception("report.failed", report=name, slot=slot.name)
                    continue
                self._seen[name] = slot.name  # spares the database a question with every look
        return made

    def _make(self, key: str, report: NamedReport, reader: str, slot: Slot, zone: tzinfo, desk: Desk) -> bool:
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
