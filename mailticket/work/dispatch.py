"""Outgoing mails: claim, render once, send outside any transaction, record.

Delivery is at least once. A mail is recorded as sent in a commit of its own right after the far
end took it, so a crash repeats at most the mails in flight, with the same Message-ID and bytes.
A server that is in trouble pauses the queue; a recipient that is, only delays its own mail.
"""

from __future__ import annotations

import contextlib
import queue
import random
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

import structlog
from sqlalchemy import Engine

from mailticket.config.settings import Settings
from mailticket.delivery.outcome import Deferred, Delivered, Failed, Outcome, Transport
from mailticket.delivery.render import Renderer
from mailticket.domain.retry import GiveUp, RetryAt, retry
from mailticket.errors import Temporary
from mailticket.store import outbox
from mailticket.store.engine import reading, transaction
from mailticket.store.outbox import ClaimedOut, Rendered
from mailticket.work.crash import crash_point
from mailticket.work.letters import write
from mailticket.work.material import Material, load_material
from mailticket.work.undelivered import Undelivered

log = structlog.get_logger()

LEASE = timedelta(minutes=15)
"""Longer than any try can take: the time-outs of a smarthost add up to less."""
_BATCH = 20
_RECORD_AGAIN = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
"""Seconds between tries to record what became of a mail, when the database is away."""
_PAUSE_FIRST = 5.0
_PAUSE_LAST = 120.0


class Dispatcher:
    """Works off the outbox with as many connections as are configured, one thread each."""

    def __init__(
        self,
        engine: Engine,
        renderer: Renderer,
        transport: Callable[[], Transport],
        settings: Callable[[], Settings],
        clock: Callable[[], datetime],
    ) -> None:
        self._engine = engine
        self._renderer = renderer
        self._transport = transport
        self._settings = settings
        self._clock = clock
        self._known = settings()
        self._undelivered = Undelivered(settings)
        smarthost = self._known.delivery.smarthost
        self._width = smarthost.connections if smarthost else 1
        self._threads = ThreadPoolExecutor(self._width, thread_name_prefix="send")
        self._idle: queue.LifoQueue[Transport] = queue.LifoQueue()
        self._pause = 0.0

    def work_off(self, stopping: threading.Event) -> int:
        """Send all that is due until nothing is, or `stopping` is set; returns how many were tried."""
        tried = 0
        while not stopping.is_set():
            self._take_over()
            claimed = outbox.claim(self._engine, self._clock(), _BATCH, LEASE)
            if not claimed:
                return tried
            crash_point("outbox.after_claim")
            ready = self._rendered(claimed)
            trouble = threading.Event()
            send = partial(self._send_one, trouble=trouble, stopping=stopping)
            list(self._threads.map(send, ready))
            tried += len(ready)
            if trouble.is_set():
                self._pause = min(max(self._pause * 2, _PAUSE_FIRST), _PAUSE_LAST)
                log.warning("outbox.paused", seconds=self._pause)
                stopping.wait(self._pause)
            else:
                self._pause = 0.0
        return tried

    def close(self) -> None:
        """Close the connections."""
        self._threads.shutdown(wait=True, cancel_futures=True)
        self._hang_up()

    def _take_over(self) -> None:
        """After a reload, forget the templates read and the connections made under the old settings."""
        settings = self._settings()
        if settings is self._known:
            return
        folder = settings.service.templates
        self._renderer = Renderer([folder] if folder else [])
        self._hang_up()
        self._known = settings

    def _hang_up(self) -> None:
        while not self._idle.empty():
            self._idle.get_nowait().close()

    def _rendered(self, claimed: Sequence[ClaimedOut]) -> list[tuple[ClaimedOut, bytes]]:
        """The mails with the bytes to send; a broken template parks its mail and no other."""
        fresh = [mail for mail in claimed if mail.rendered is None]
        made: list[Rendered] = []
        if fresh:
            with reading(self._engine) as session:
                material = load_material(session, fresh)
                begun: dict[tuple[int | None, str], str] = {}
                for mail in fresh:
                    shown, reader = material[mail.id], (mail.ticket_id, mail.recipient)
                    letter = self._write(mail, replace(shown, subject=shown.subject or begun.get(reader)))
                    if letter is not None:
                        made.append(letter)
                        begun.setdefault(reader, letter.subject)
        data = outbox.store_rendered(self._engine, made)
        crash_point("outbox.after_render")
        data |= {mail.id: mail.rendered for mail in claimed if mail.rendered is not None}
        return [(mail, data[mail.id]) for mail in claimed if mail.id in data]

    def _write(self, mail: ClaimedOut, material: Material) -> Rendered | None:
        try:
            return write(self._renderer, mail, material, self._settings().desk, self._clock())
        except Exception as error:  # noqa: BLE001 -- whatever a template or address does, only this mail waits
            log.error("outbox.parked", outbox=mail.id, template=mail.template, reason=str(error))
            self._park(mail, f"it could not be written: {error}")
            return None

    def _park(self, mail: ClaimedOut, cause: str) -> None:
        """Set a mail aside until a person has mended what is wrong on our side."""
        now = self._clock()
        with transaction(self._engine) as session:
            ticket = self._undelivered.concerned(session, mail)
            if outbox.park(session, mail.id, cause, now) and ticket is not None:
                self._undelivered.unwritten(session, mail, ticket, cause, now)

    def _send_one(
        self, item: tuple[ClaimedOut, bytes], *, trouble: threading.Event, stopping: threading.Event
    ) -> None:
        mail, data = item
        if trouble.is_set() or stopping.is_set():
            with contextlib.suppress(Temporary):  # then the lease gives it back, only later
                outbox.release(self._engine, [mail.id], self._clock())
            return
        transport = self._borrow()
        try:
            outcome = transport.send(mail.envelope_from, mail.recipient, data)
        finally:
            self._idle.put(transport)
        crash_point("outbox.after_send")
        if isinstance(outcome, Deferred) and outcome.scope == "server":
            trouble.set()
        self._record_surely(mail, outcome, trouble, stopping)

    def _record_surely(
        self, mail: ClaimedOut, outcome: Outcome, trouble: threading.Event, stopping: threading.Event
    ) -> None:
        """Record an outcome, and while the database is away send nothing else: what is sent but not
        recorded goes out again when its lease ends."""
        for pause in (*_RECORD_AGAIN, None):
            try:
                self._record(mail, outcome)
            except Temporary as error:
                trouble.set()
                if pause is None or stopping.wait(pause):
                    log.error("outbox.not_recorded", outbox=mail.id, reason=str(error))
                    return
            else:
                return

    def _borrow(self) -> Transport:
        try:
            return self._idle.get_nowait()
        except queue.Empty:
            return self._transport()

    def _record(self, mail: ClaimedOut, outcome: Outcome) -> None:
        now = self._clock()
        match outcome:
            case Delivered():
                outbox.record_sent(self._engine, [mail.id], now)
                log.info("mail.sent", outbox=mail.id, template=mail.template)
            case Failed():
                self._fail(mail, outcome.response, now, refused=True)
                log.error("mail.refused", outbox=mail.id, response=outcome.response)
            case Deferred():
                self._defer(mail, outcome, now)

    def _defer(self, mail: ClaimedOut, outcome: Deferred, now: datetime) -> None:
        delivery = self._settings().delivery
        verdict = retry(
            attempts=mail.attempts,
            first_try=mail.created_at,
            now=now,
            schedule=delivery.retry,
            give_up_after=delivery.give_up_after,
            jitter=random.random(),  # noqa: S311 -- spreads retries, guards nothing
            unknown_outcomes=mail.unknown_outcomes + int(outcome.outcome_unknown),
            outcome_unknown=outcome.outcome_unknown,
        )
        match verdict:
            case RetryAt():
                outbox.record_deferred(
                    self._engine, mail.id, verdict.at, outcome.response, outcome.outcome_unknown
                )
                log.warning("mail.deferred", outbox=mail.id, until=verdict.at.isoformat())
            case GiveUp():
                self._fail(mail, f"{verdict.reason}: {outcome.response}", now, refused=False)
                log.error("mail.given_up", outbox=mail.id, reason=verdict.reason)

    def _fail(self, mail: ClaimedOut, cause: str, now: datetime, *, refused: bool) -> None:
        with transaction(self._engine) as session:
            ticket = self._undelivered.concerned(session, mail)
            if outbox.fail(session, mail.id, cause, now) and ticket is not None:
                self._undelivered.tell(session, mail, ticket, cause, now, refused=refused)
