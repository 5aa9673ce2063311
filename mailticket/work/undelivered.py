"""Outgoing mails that failed for good: the ticket's log says so, and an answer's author is told.

In the transaction that records the failure, so that it is told exactly once. An agent's answer that could
not be handed over is treated like one that bounced; of other mails the log and `mailticket status` tell.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import structlog
from sqlalchemy.orm import Session

from mailticket.config.settings import Settings
from mailticket.domain.decide_bounce import ANSWER, decide_undelivered
from mailticket.domain.notify import Occasion, plan
from mailticket.domain.types import Event, EventKind, OutgoingFacts
from mailticket.store.changes import apply_changes, record
from mailticket.store.due import replan
from mailticket.store.merge import final_ticket
from mailticket.store.models import Entry, Ticket
from mailticket.store.outbox import ClaimedOut
from mailticket.store.ticket_facts import ticket_facts
from mailticket.work.announce import announce
from mailticket.work.schedules import Schedules
from mailticket.work.webhooks import tell_webhooks

log = structlog.get_logger()


class Undelivered:
    """Tells of outgoing mails that failed for good."""

    def __init__(self, settings: Callable[[], Settings]) -> None:
        self._settings = settings
        self._schedules = Schedules(lambda: settings().desk)

    def concerned(self, session: Session, mail: ClaimedOut) -> Ticket | None:
        """The ticket that `mail` is about, locked; None where it is about none.

        To be called before the mail's own row is changed: merging takes the two in this order too.
        """
        if mail.ticket_id is None:
            return None
        return final_ticket(session, session.get(Ticket, mail.ticket_id, with_for_update=True), lock=True)

    def unwritten(
        self, session: Session, mail: ClaimedOut, ticket: Ticket, cause: str, now: datetime
    ) -> None:
        """Note on the ticket that `mail` could not be written, and waits for somebody to mend that."""
        why = f"the mail to {mail.recipient} waits for an operator: {cause}"
        self._note(session, mail, ticket, why, cause, now)

    def tell(
        self, session: Session, mail: ClaimedOut, ticket: Ticket, cause: str, now: datetime, *, refused: bool
    ) -> None:
        """Note on the ticket that `mail` did not arrive; of an answer, queue the alert to its author.

        cause: the server's answer, or why the tries are over. refused: the former.
        """
        if mail.template == ANSWER:
            self._tell(session, mail, ticket, cause, now, refused=refused)
        else:
            why = f"the mail to {mail.recipient} did not go out: {cause}"
            self._note(session, mail, ticket, why, cause, now)

    def _note(
        self, session: Session, mail: ClaimedOut, ticket: Ticket, why: str, cause: str, now: datetime
    ) -> None:
        data = {"template": mail.template, "address": mail.recipient, "outbox": mail.id, "cause": cause}
        record(session, [Event(EventKind.ERROR, ticket.id, None, "system", now, why, data)])

    def _tell(
        self, session: Session, mail: ClaimedOut, ticket: Ticket, cause: str, now: datetime, *, refused: bool
    ) -> None:
        entry = session.get(Entry, mail.entry_id) if mail.entry_id is not None else None
        author = entry.author if entry is not None else None
        outgoing = OutgoingFacts(mail.id, ticket.id, mail.entry_id, mail.recipient, mail.template, author)
        before = ticket_facts(session, ticket)
        changes = decide_undelivered(outgoing, before, cause, refused=refused)
        events = apply_changes(session, ticket, changes, now).events
        record(session, events)
        settings = self._settings()
        replan(session, ticket, settings.desk, self._schedules.now(), now)
        after = ticket_facts(session, ticket)
        occasion = Occasion(f"undelivered:{mail.id}", acknowledge=False)
        tell_webhooks(session, events, after, settings.desk, occasion.cause, now)
        secret = settings.service.secret_key.get_secret_value().encode()
        announce(session, plan(events, after, settings.desk, occasion), after, settings.desk, secret, now)
        log.info("mail.undelivered_told", outbox=mail.id, ticket=ticket.number)
