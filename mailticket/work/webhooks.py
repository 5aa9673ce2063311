"""Calls to web services: queue what events ask for; claim, send outside any transaction, record.

A service that does not answer is left alone for a while, so that it holds up no other; its calls wait in
the queue. Retries and giving up follow [delivery], as for mails.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from mailticket.config.desk import Desk, Webhook
from mailticket.config.settings import Settings
from mailticket.delivery.webhook import Answer, Later, Refused, Taken, post
from mailticket.domain.hooks import calls, concerned
from mailticket.domain.retry import GiveUp, RetryAt, retry
from mailticket.domain.types import Event, TicketFacts
from mailticket.errors import Temporary
from mailticket.store import webhooks
from mailticket.store.webhooks import ClaimedCall, told_entries
from mailticket.work.crash import crash_point

log = structlog.get_logger()

LEASE = timedelta(minutes=5)
"""Longer than any try can take: a call has at most two minutes."""
_BATCH = 20
_THREADS = 4
_LEFT_ALONE = timedelta(seconds=30)
"""A service that did not answer is tried again after this, with its next call that is due."""
_RECORD_AGAIN = (0.2, 1.0, 5.0)


def tell_webhooks(
    session: Session,
    events: Sequence[Event],
    ticket: TicketFacts | None,
    desk: Desk,
    cause: str,
    now: datetime,
) -> int:
    """Queue the calls that events ask for, in the caller's transaction; how many.

    ticket: as it is after the events; cause: unique name of what they belong to. Costs nothing where no
    web service is configured.
    """
    if not desk.webhooks or not any(True for _ in concerned(events, desk)):
        return 0
    entries = told_entries(session, {event.entry_id for event in events if event.entry_id is not None})
    return webhooks.enqueue(session, calls(events, ticket, entries, desk, cause), now)


class WebhookSender:
    """Works off the calls that are due."""

    def __init__(
        self, engine: Engine, settings: Callable[[], Settings], clock: Callable[[], datetime]
    ) -> None:
        self._engine = engine
        self._settings = settings
        self._clock = clock
        self._troubled: dict[str, datetime] = {}
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="webhook")

    def work_off(self, stopping: threading.Event) -> int:
        """Make all calls that are due until none is, or `stopping` is set; returns how many were tried."""
        tried = 0
        while not stopping.is_set():
            now = self._clock()
            self._troubled = {key: until for key, until in self._troubled.items() if until > now}
            claimed = webhooks.claim(self._engine, now, _BATCH, LEASE, self._troubled)
            if not claimed:
                return tried
            crash_point("webhook.after_claim")
            list(self._threads.map(lambda call: self._one(call, stopping), claimed))
            tried += len(claimed)
        return tried

    def close(self) -> None:
        """Wait for what is under way."""
        self._threads.shutdown(wait=True, cancel_futures=True)

    def _one(self, call: ClaimedCall, stopping: threading.Event) -> None:
        if stopping.is_set() or call.webhook in self._troubled:
            self._surely(lambda: webhooks.release(self._engine, [call.id], self._clock()), stopping)
            return
        webhook = self._settings().desk.webhooks.get(call.webhook)
        if webhook is None:
            why = "the configuration has no webhook of this name any more"
            self._surely(
                lambda: webhooks.record_failed(self._engine, call.id, why, None, self._clock()), stopping
            )
            return
        answer = make_call(webhook, call.key, call.event, call.body, self._clock())
        crash_point("webhook.after_send")
        if isinstance(answer, Later) and answer.status is None:
            self._troubled[call.webhook] = self._clock() + _LEFT_ALONE
        self._surely(lambda: self._record(call, answer), stopping)

    def _surely(self, record: Callable[[], None], stopping: threading.Event) -> None:
        """Record, again while the database is away; what cannot be recorded is repeated after its lease."""
        for pause in (*_RECORD_AGAIN, None):
            try:
                record()
            except Temporary as error:
                if pause is None or stopping.wait(pause):
                    log.error("webhook.not_recorded", reason=str(error))
                    return
            else:
                return

    def _record(self, call: ClaimedCall, answer: Answer) -> None:
        now = self._clock()
        match answer:
            case Taken():
                webhooks.record_sent(self._engine, call.id, answer.status, now)
                log.info("webhook.sent", call=call.id, webhook=call.webhook, status=answer.status)
            case Refused():
                webhooks.record_failed(self._engine, call.id, answer.why, answer.status, now)
                log.error("webhook.refused", call=call.id, webhook=call.webhook, reason=answer.why)
            case Later():
                self._defer(call, answer, now)

    def _defer(self, call: ClaimedCall, answer: Later, now: datetime) -> None:
        delivery = self._settings().delivery
        verdict = retry(
            attempts=call.attempts,
            first_try=call.created_at,
            now=now,
            schedule=delivery.retry,
            give_up_after=delivery.give_up_after,
            jitter=random.random(),  # noqa: S311 -- spreads retries, guards nothing
        )
        match verdict:
            case RetryAt():
                at = max(verdict.at, now + (answer.wait or timedelta(0)))
                webhooks.record_deferred(self._engine, call.id, at, answer.why, answer.status)
                log.warning("webhook.deferred", call=call.id, webhook=call.webhook, reason=answer.why)
            case GiveUp():
                why = f"{verdict.reason}: {answer.why}"
                webhooks.record_failed(self._engine, call.id, why, answer.status, now)
                log.error("webhook.given_up", call=call.id, webhook=call.webhook, reason=why)


def make_call(webhook: Webhook, key: str, event: str, body: str, now: datetime) -> Answer:
    """One call, now."""
    return post(
        webhook.url,
        webhook.secret.get_secret_value(),
        key=key,
        event=event,
        body=body.encode(),
        timeout=webhook.timeout,
        now=now,
    )
