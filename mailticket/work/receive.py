"""Stored mails become tickets and thread entries: claim, read, decide, apply, announce.

A batch shares one transaction, each mail in its own savepoint, so that a burst costs few syncs and
a mail that fails undoes only itself. Failing means later: the mail stays, its try is counted, and
after the last one it is `failed`, visible and retryable.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from mailticket.config.desk import Desk
from mailticket.config.settings import Receive
from mailticket.domain.change import Decision
from mailticket.domain.clocks import promised_answer
from mailticket.domain.console_changes import AnswerConsole
from mailticket.domain.customer_notices import copied_to
from mailticket.domain.decide import decide
from mailticket.domain.notify import Occasion, plan
from mailticket.domain.receipt import with_receipt
from mailticket.domain.routing import Reaction, Route
from mailticket.domain.types import Arrival, Facts, Outcome
from mailticket.errors import Temporary
from mailticket.mail.authentication import Verdict
from mailticket.mail.types import Reading
from mailticket.store.apply import apply
from mailticket.store.bans import note_hit
from mailticket.store.changes import Applied, record
from mailticket.store.due import replan
from mailticket.store.engine import transaction
from mailticket.store.inbox import Claimed, InboundState, Inbox, finish
from mailticket.store.load import note_mail
from mailticket.store.queries import gather
from mailticket.store.ticket_facts import ticket_facts
from mailticket.work.announce import announce
from mailticket.work.assigning import assigned
from mailticket.work.console import Console
from mailticket.work.crash import crash_point
from mailticket.work.parsers import ParserPool, Unread
from mailticket.work.rehearse import rehearse
from mailticket.work.schedules import Schedules
from mailticket.work.verify import Verifier
from mailticket.work.webhooks import tell_webhooks

log = structlog.get_logger()

LEASE = timedelta(seconds=60)
"""How long a claimed mail is ours; after a crash another try begins when it ends."""
_LOCK_HELD = 0.025
"""Seconds a transaction goes on taking mails: with whole batches of 20 the slowest hundredth of SMTP
clients waited 0.5 s for their 250, with this 0.1 s (measured, at equal CPU)."""
_RETRY_FIRST = timedelta(seconds=5)
_RETRY_LAST = timedelta(minutes=10)
_MOST_KILLS = 2
"""Parser processes that a mail may cost; when it is tried again after that, only its headers are read."""
_STATES = {
    Outcome.IGNORED: InboundState.IGNORED,
    Outcome.HELD: InboundState.HELD,
    Outcome.STALE: InboundState.HELD,
    Outcome.REJECTED: InboundState.REJECTED,
    Outcome.RETURNED: InboundState.REJECTED,
}


@dataclass(frozen=True, slots=True)
class Read:
    """A claimed mail, and what it says; `unread` when its parser had to give up."""

    mail: Claimed
    reading: Reading
    unread: Unread | None
    verified: Verdict | None = None
    """What its DKIM signatures prove, where that was looked into."""


class Receiver:
    """Works off stored mails until stopped. One thread decides, another reads the next batch meanwhile."""

    def __init__(
        self,
        engine: Engine,
        inbox: Inbox,
        parsers: ParserPool,
        desk: Callable[[], Desk],
        secret: bytes,
        clock: Callable[[], datetime],
        settings: Receive,
        on_queued: Callable[[], None],
        verifier: Verifier | None = None,
    ) -> None:
        self._verifier = verifier or Verifier()
        self._engine = engine
        self._inbox = inbox
        self._parsers = parsers
        self._desk = desk
        self._secret = secret
        self._clock = clock
        self._settings = settings
        self._on_queued = on_queued
        self._schedules = Schedules(desk)
        self._ahead = ThreadPoolExecutor(1, thread_name_prefix="read-ahead")

    def work_off(self, stopping: threading.Event) -> int:
        """Work until nothing is due or `stopping` is set; returns how many mails were handled."""
        handled = 0
        batch: Future[list[Read]] = self._ahead.submit(self._claim_and_read)
        while True:
            mails = batch.result()
            if not mails:
                return handled
            if stopping.is_set():
                self._inbox.release([item.mail.id for item in mails])
                return handled
            batch = self._ahead.submit(self._claim_and_read)
            self._handle(mails)
            handled += len(mails)

    def close(self) -> None:
        """Stop reading ahead."""
        self._ahead.shutdown(wait=True, cancel_futures=True)

    def _claim_and_read(self) -> list[Read]:
        mails = self._inbox.claim(self._clock(), self._settings.batch, LEASE)
        if not mails:
            return []
        crash_point("receive.after_claim")
        results = self._read(mails)
        crash_point("receive.after_read")
        desk, budget = self._desk(), self._verifier.budget()
        return [
            Read(mail, reading, unread, self._verifier.verify(mail.raw, reading.mail, desk, budget))
            for mail, (reading, unread) in zip(mails, results, strict=True)
        ]

    def _read(self, mails: Sequence[Claimed]) -> list[tuple[Reading, Unread | None]]:
        willing = [mail for mail in mails if mail.parse_kills < _MOST_KILLS]
        read = iter(self._parsers.read_all([(mail.raw, mail.envelope_from) for mail in willing]))
        return [
            next(read)
            if mail.parse_kills < _MOST_KILLS
            else self._parsers.give_up(
                mail.raw, mail.envelope_from, f"{mail.parse_kills} tries had to be ended"
            )
            for mail in mails
        ]

    def _handle(self, batch: Sequence[Read]) -> None:
        done = 0
        while done < len(batch):
            count, failures = self._in_one_transaction(batch[done:])
            done += count
            for item, error in failures:
                self._put_back(item, error)
            self._on_queued()

    def _in_one_transaction(self, batch: Sequence[Read]) -> tuple[int, list[tuple[Read, Exception]]]:
        """Handle mails together, as many as fit into the time; how many, and those that failed.

        The write lock is held all the while, and whoever accepts a mail waits for it. When the commit
        itself fails, all did.
        """
        failures: list[tuple[Read, Exception]] = []
        count, began = 0, time.monotonic()
        try:
            with transaction(self._engine) as session:
                while count < len(batch) and time.monotonic() - began < _LOCK_HELD:
                    item = batch[count]
                    count += 1
                    try:
                        with session.begin_nested():
                            self._one(session, item)
                    except Exception as error:  # noqa: BLE001 -- whatever it is, it costs this mail a try and no other
                        failures.append((item, error))
                crash_point("receive.before_commit")
            crash_point("receive.after_commit")
        except Temporary as error:
            count = max(count, 1)
            return count, [(item, error) for item in batch[:count]]
        return count, failures

    def _one(self, session: Session, item: Read) -> None:
        now, desk = self._clock(), self._desk()
        arrival = arrival_of(item.mail)
        facts = gather(session, item.reading, arrival, desk, self._secret)
        facts = replace(facts, verified=item.verified)
        decision = decide(item.reading, arrival, facts, desk, now)
        asked = next((one for one in decision.changes if isinstance(one, AnswerConsole)), None)
        if asked is not None:
            decision, done = self._console(session, item, arrival, facts, decision, asked, now), Applied()
        else:
            times = self._schedules.now()
            decision = assigned(session, decision, facts, item.reading, desk, times, now)
            if decision.dry_run:
                self._rehearse(session, decision, item, arrival, desk, now)
                return
            done = apply(session, decision, item.reading, arrival, now)
        note_mail(
            session, item.reading, arrival, facts, decision, done.ticket.id if done.ticket else None, desk
        )
        note_hit(session, facts, arrival, now)
        braked = self._tell(session, decision, done, item, desk, now)
        decision = replace(decision, reasons=(*decision.reasons, *braked))
        _finish(session, item, decision, done, now)
        log.info(
            "mail.handled",
            inbound=item.mail.id,
            outcome=str(decision.outcome),
            ticket=done.ticket.number if done.ticket else None,
        )

    def _console(
        self,
        session: Session,
        item: Read,
        arrival: Arrival,
        facts: Facts,
        decision: Decision,
        asked: AnswerConsole,
        now: datetime,
    ) -> Decision:
        """Carry out a mail to the console; the decision with what came of it."""
        console = Console(
            session, item.reading, arrival, facts, asked, decision.trust, self._desk(), self._secret,
            self._schedules.now, now,
        )  # fmt: skip
        return replace(decision, reasons=(*decision.reasons, *console.answer()))

    def _rehearse(
        self, session: Session, decision: Decision, item: Read, arrival: Arrival, desk: Desk, now: datetime
    ) -> None:
        """Tell an agent what their mail would do."""
        notice, ticket = rehearse(session, decision, item.reading, arrival, desk, now)
        if notice is not None:
            announce(session, [notice], ticket, desk, self._secret, now)
        _finish(session, item, decision, Applied(), now)
        log.info("mail.rehearsed", inbound=item.mail.id, ticket=ticket.number)

    def _tell(
        self, session: Session, decision: Decision, done: Applied, item: Read, desk: Desk, now: datetime
    ) -> tuple[str, ...]:
        """Log the events, plan what is due next, queue the mails they call for.

        What joins a ticket silently moves no clock, and looking for that costs time with every entry
        the ticket has, so a storm of thousands would cost its square.
        """
        if not done.events and decision.agent is None:
            return ()
        record(session, done.events, decision.trust)
        ticket, promise = None, None
        if done.ticket is not None:
            if decision.quiet is None or decision.outcome is Outcome.NEW_TICKET:
                found = replan(session, done.ticket, desk, self._schedules.now(), now)
                promise = promised_answer(found.clocks, now)
            ticket = ticket_facts(session, done.ticket)
        copied = copied_to(item.reading.mail)
        cause = f"inbound:{item.mail.id}"
        if decision.quiet is None:
            tell_webhooks(session, done.events, ticket, desk, cause, now)
        occasion = Occasion(cause, decision.acknowledge, decision.quiet, promise, copied)
        notices = plan(done.events, ticket, desk, occasion)
        notices = with_receipt(notices, decision, done.events, ticket, desk, item.mail.id)
        return announce(session, notices, ticket, desk, self._secret, now).braked

    def _put_back(self, item: Read, error: Exception) -> None:
        mail = item.mail
        final = mail.attempts >= self._settings.max_attempts and not isinstance(error, Temporary)
        wait = min(_RETRY_FIRST * 2 ** min(mail.attempts, 16), _RETRY_LAST)
        log.error("mail.failed", inbound=mail.id, attempts=mail.attempts, final=final, exc_info=error)
        cause = str(error) if isinstance(error, Temporary) else f"{type(error).__name__}: {error}"
        try:
            retry_at = None if final else self._clock() + wait
            self._inbox.failed_try(mail.id, cause, retry_at, parse_killed=_killed(item))
        except Temporary as trouble:
            log.warning("mail.failure_not_recorded", inbound=mail.id, reason=str(trouble))


def arrival_of(mail: Claimed) -> Arrival:
    """How a claimed mail came, as the rules see it."""
    return Arrival(
        inbound_id=mail.id,
        recipient=mail.recipient,
        envelope_from=mail.envelope_from,
        source=mail.source,
        received_at=mail.received_at,
        content_digest=mail.content_digest,
        auth_user=mail.auth_user,
        released=mail.released,
    )


def _finish(session: Session, item: Read, decision: Decision, done: Applied, now: datetime) -> None:
    parsed = item.reading.mail
    finish(
        session,
        item.mail.id,
        state=_STATES.get(decision.outcome, InboundState.DONE),
        decision=decision_record(decision, item.reading),
        ticket_id=done.ticket.id if done.ticket else decision.ticket,
        message_id=parsed.message_id or None,
        sender=parsed.sender.address or parsed.sender.shown.address,
        subject=parsed.subject,
        now=now,
        parse_killed=_killed(item),
    )


def _killed(item: Read) -> bool:
    return item.unread is not None and item.unread.killed


ROUTED: Final = (
    "department", "topic", "priority", "sla_plan", "agent", "team", "status", "acknowledge", "canned",
    "reject", "hold",
)  # fmt: skip
"""What of a route is compared by `mailticket rules diff`, besides its tags and the like."""


def route_record(way: Route | Reaction) -> dict[str, Any]:
    """What rules came to for a mail, as JSON: what `mailticket rules diff` compares with."""
    extras = way.extras
    if isinstance(way, Reaction):
        named: dict[str, Any] = {name: asked.value for name, asked in way.values.items()}
        named |= {"acknowledge": way.acknowledge, "hold": way.hold}
    else:
        named = {name: getattr(way, name) for name in ROUTED}
    return {
        **named,
        "tags": [item.value for item in extras.tags],
        "collaborators": [item.value for item in extras.collaborators],
        "fields": {key: item.value for key, item in extras.fields},
        "forward": [item.value for item in extras.forward],
        "webhooks": [item.value for item in extras.webhooks],
        "fired": list(way.fired),
    }


def decision_record(decision: Decision, reading: Reading) -> dict[str, Any]:
    """A decision as JSON: what `explain` prints and `replay` compares."""
    kind = reading.classification
    return {
        "outcome": str(decision.outcome),
        "trust": str(decision.trust),
        "ticket": decision.ticket,
        "acknowledge": decision.acknowledge,
        "rejection": decision.rejection,
        "reasons": list(decision.reasons),
        "kind": str(kind.kind),
        "evidence": [f"{item.name}: {item.detail}" for item in kind.evidence],
        "defects": [item.code for item in reading.mail.defects],
        "route": route_record(decision.route) if decision.route is not None else None,
        "changes": [{"change": type(change).__name__, "why": change.why} for change in decision.changes],
    }
