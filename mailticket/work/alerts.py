"""Alerts become mails: one per ticket while they are few, one summary for each reader when they are many.

What an alert says is found out when it is sent, not when it was raised: it may have waited for its
reader's morning, and what was done meanwhile is not told any more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from mailticket.config.desk import Desk
from mailticket.domain.alert_notices import Told, alert_notice, current_address, summary_notice
from mailticket.domain.by_number import examples
from mailticket.domain.clocks import Clock, target_words
from mailticket.domain.escalation import standing_words
from mailticket.domain.ledger import ledger, ledger_words
from mailticket.domain.schedule import WorkingTime, WorkingTimes
from mailticket.domain.status import FINISHED
from mailticket.domain.types import TicketFacts
from mailticket.store.alerts import WaitingAlert, claim_reader, sent, waiting
from mailticket.store.digests import keep_listing
from mailticket.store.due import Standing, standing
from mailticket.store.engine import transaction
from mailticket.store.models import Ticket
from mailticket.store.ticket_facts import ticket_facts
from mailticket.work.announce import announce

log = structlog.get_logger()

_MOST_LISTED = 50
"""Tickets listed in a summary; its counts are of all."""
_ENOUGH_OF_A_KEY = 24
"""Of an alert's key, a SHA-256 in hexadecimal digits, where there is room for 32 characters."""


class AlertRounds:
    """Sends what waits for its readers."""

    def __init__(
        self,
        engine: Engine,
        desk: Callable[[], Desk],
        times: Callable[[], WorkingTimes],
        secret: bytes,
        clock: Callable[[], datetime],
    ) -> None:
        self._engine = engine
        self._desk = desk
        self._times = times
        self._secret = secret
        self._clock = clock

    def send_due(self) -> int:
        """Queue the mails of all readers for whom alerts are due; returns how many readers that were."""
        readers = 0
        while True:
            now, desk = self._clock(), self._desk()
            with transaction(self._engine) as session:
                reader = claim_reader(session, now)
                if reader is None:
                    return readers
                told = self._round(session, reader, desk, now)
                sent(session, reader, told, now)
            readers += 1

    def _round(self, session: Session, reader: str, desk: Desk, now: datetime) -> bool:
        """Queue one reader's mails; True when there was anything left to tell."""
        newest: dict[int, WaitingAlert] = {}
        for alert in waiting(session, reader, now):
            before = newest.get(alert.ticket_id)
            # of several about one ticket the broken promise tells most, then the newest
            if before is None or alert.data["overdue"] or not before.data["overdue"]:
                newest[alert.ticket_id] = alert
        alerts = _unfinished(session, newest.values())
        if len(alerts) > desk.alerts.summary_over:
            return self._summary(session, reader, alerts, desk, now)
        told = [self._single(session, reader, alert, desk, now) for alert in alerts]
        return any(told)

    def _single(self, session: Session, reader: str, alert: WaitingAlert, desk: Desk, now: datetime) -> bool:
        ticket = session.get_one(Ticket, alert.ticket_id)
        found = standing(session, ticket, desk, self._times(), now)
        clock = _clock_of(found, alert.data["target"])
        if clock is None:
            return False
        facts = ticket_facts(session, ticket)
        told = current_address(_told(reader, alert), desk)
        if told is None:
            return False
        notice = alert_notice(told, facts, _words(found, clock, alert, desk, now))
        announce(session, [notice], facts, desk, self._secret, now)
        return True

    def _summary(
        self, session: Session, reader: str, alerts: Sequence[WaitingAlert], desk: Desk, now: datetime
    ) -> bool:
        told = current_address(_told(reader, alerts[-1]), desk)
        if told is None:
            return False
        rows: list[dict[str, Any]] = []
        listed: list[int] = []
        first = sorted(alerts, key=lambda alert: not alert.data["overdue"])[:_MOST_LISTED]
        for alert in first:
            ticket = session.get_one(Ticket, alert.ticket_id)
            found = standing(session, ticket, desk, self._times(), now)
            clock = _clock_of(found, alert.data["target"])
            if clock is not None:
                listed.append(ticket.id)
                rows.append(_row(ticket_facts(session, ticket), found, clock, desk))
        overdue = sum(bool(alert.data["overdue"]) for alert in alerts)
        counts = {"overdue_count": overdue, "soon_count": len(alerts) - overdue, "rows": rows}
        counts["more"] = len(alerts) - len(first)
        kind, _, key = reader.partition(":")
        issue = 0
        if kind == "agent" and rows:
            # an address that is nobody's here hears of it and cannot act, so its list has no numbers
            issue = keep_listing(session, key, f"alerts:{told.key[:_ENOUGH_OF_A_KEY]}", listed, now)
            rows[:] = [row | {"n": number} for number, row in enumerate(rows, start=1)]
            free = next((row["n"] for row in rows if not row["assigned"]), None)
            counts["by_number"] = examples(len(rows), desk, key, free)
        notice = summary_notice(told, counts, issue)
        announce(session, [notice], None, desk, self._secret, now)
        log.info("alerts.summary", reader=reader, tickets=len(alerts))
        return True


def _unfinished(session: Session, alerts: Iterable[WaitingAlert]) -> list[WaitingAlert]:
    """Without those of tickets that are resolved meanwhile."""
    listed = list(alerts)
    open_ones: set[int] = set()
    for start in range(0, len(listed), 500):
        ids = [alert.ticket_id for alert in listed[start : start + 500]]
        open_ones.update(
            session.execute(
                select(Ticket.id).where(
                    Ticket.id.in_(ids), Ticket.status.not_in([str(status) for status in FINISHED])
                )
            ).scalars()
        )
    return [alert for alert in listed if alert.ticket_id in open_ones]


def _clock_of(found: Standing, target: str) -> Clock | None:
    """The clock an alert was about, while it is unfinished."""
    return next((one for one in found.clocks if one.target == target and one.ended_at is None), None)


def _working(found: Standing, clock: Clock) -> WorkingTime:
    return found.target_times.get(clock.target, found.working_time)


def _told(reader: str, alert: WaitingAlert) -> Told:
    data = alert.data
    return Told(reader, data["address"], data["name"], data["why"], alert.key)


def _words(found: Standing, clock: Clock, alert: WaitingAlert, desk: Desk, now: datetime) -> dict[str, Any]:
    working = _working(found, clock)
    others = [
        [target_words(other.target), standing_words(other, _working(found, other))]
        for other in found.clocks
        if other is not clock and other.ended_at is None
    ]
    return {
        "what": target_words(clock.target),
        "standing": standing_words(clock, working),
        "overdue": clock.overdue,
        "due": clock.due_at.isoformat() if clock.due_at else None,
        "by_hand": clock.fixed is not None,
        "ledger": ledger_words(ledger(found.events, working, now), working, _namer(desk)),
        "others": others,
        "climbs": alert.data["climbs"],
    }


def _row(ticket: TicketFacts, found: Standing, clock: Clock, desk: Desk) -> dict[str, Any]:
    working = _working(found, clock)
    return {
        "number": ticket.number,
        "subject": ticket.subject,
        "what": target_words(clock.target),
        "standing": standing_words(clock, working),
        "assigned": _namer(desk)(ticket.assignee) if ticket.assignee else "",
    }


def _namer(desk: Desk) -> Callable[[str], str]:
    return lambda key: desk.agents[key].name if key in desk.agents else key
