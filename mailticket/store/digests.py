"""What digests are made of, which were made already, and what their numbers stand for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, func, insert, literal_column, select, update
from sqlalchemy.orm import Session

from mailticket.config.desk import Desk
from mailticket.domain.digest import Before, BouncedMail, DigestModel, TicketRow, digest
from mailticket.domain.digest_jobs import DigestJob, Queue
from mailticket.domain.digest_mail import Listing
from mailticket.domain.ledger import ledger, ledger_words
from mailticket.domain.movement import packed, unpacked
from mailticket.domain.schedule import WorkingTimes
from mailticket.domain.slots import Slot
from mailticket.domain.status import FINISHED
from mailticket.domain.types import EventKind
from mailticket.store.dialect import insert_new, table_of
from mailticket.store.due import LoggedEvent, clock_events
from mailticket.store.health import mail_health
from mailticket.store.models import DigestIssue, DigestNumber, DigestRun, Ticket, TicketEvent

KEPT = timedelta(days=90)
"""So long a digest's numbers stand for tickets."""
FIRST_LOOK_BACK = timedelta(days=1)
"""What a reader's first digest of a kind counts mail and bounces from."""
_MOST_BOUNCES = 50
_JUST_AFTER = timedelta(days=7)


def is_made(session: Session, digest: str, slot: Slot) -> bool:
    """Whether somebody made that digest, or the one after it.

    A clock set back over a slot's beginning makes the slot before it the newest again; where that one
    was missed, it must not be made up for behind the newer one. Slots of another year do not count:
    they are what a clock that was years ahead has left.
    """
    horizon = (slot.begins + _JUST_AFTER).date().isoformat()
    made = select(DigestRun.slot).where(
        DigestRun.digest == digest, DigestRun.slot >= slot.name, DigestRun.slot < horizon
    )
    return session.execute(made.limit(1)).first() is not None


def claim_slot(session: Session, digest: str, slot: Slot, now: datetime) -> bool:
    """Take a digest's slot for ourselves; False where it `is_made`."""
    if is_made(session, digest, slot):
        return False
    statement = insert_new(session, table_of(DigestRun), "digest", "slot", returning=("slot",))
    taken = session.execute(statement, [{"digest": digest, "slot": slot.name, "made_at": now}])
    return taken.first() is not None


def slot_taken(session: Session, digest: str, slot: Slot) -> bool:
    """Whether somebody made this digest or report already, so that reading for it can be spared."""
    return session.get(DigestRun, (digest, slot.name)) is not None


def gather_digest(session: Session, desk: Desk, job: DigestJob, now: datetime) -> DigestModel:
    """What a digest says at `now`."""
    before = last_issue(session, job.key)
    since = min(before.made_at, now) if before else now - FIRST_LOOK_BACK
    return digest(
        desk,
        job,
        open_tickets(session, job.queue, desk),
        now,
        before,
        bounces(session, job.queue, since),
        mail_health(session, since, now) if job.health else None,
    )


def last_issue(session: Session, digest: str) -> Before | None:
    """The newest issue of a digest, with what it was made from; None before the first."""
    row = session.execute(
        select(DigestIssue.made_at, DigestIssue.states)
        .where(DigestIssue.digest == digest)
        .order_by(DigestIssue.id.desc())
        .limit(1)
    ).one_or_none()
    return None if row is None or row.states is None else Before(row.made_at, unpacked(row.states))


def keep_issue(session: Session, model: DigestModel, slot: str, listing: Listing) -> int:
    """Keep a digest that is about to be mailed, to compare the next one with; returns its id."""
    session.execute(
        update(DigestIssue)
        .where(DigestIssue.digest == model.job.key, DigestIssue.states.is_not(None))
        .values(states=None)
    )
    session.execute(
        delete(DigestIssue).where(
            DigestIssue.digest == model.job.key, DigestIssue.made_at < model.made_at - KEPT
        )
    )
    issue = DigestIssue(
        digest=model.job.key,
        slot=slot,
        reader=model.job.reader,
        made_at=model.made_at,
        states=packed(model.states),
    )
    session.add(issue)
    session.flush()
    if listing.tickets:
        session.execute(
            insert(DigestNumber),
            [
                {"issue_id": issue.id, "number": number, "ticket_id": row.id}
                for number, row in enumerate(listing.tickets, start=1)
            ],
        )
    return issue.id


def keep_listing(session: Session, agent: str, slot: str, tickets: Sequence[int], now: datetime) -> int:
    """Keep what the numbers of a list mailed to an agent stand for, in order; returns the issue's id."""
    digest = f"console:{agent}"
    session.execute(delete(DigestIssue).where(DigestIssue.digest == digest, DigestIssue.made_at < now - KEPT))
    issue = DigestIssue(digest=digest, slot=slot, reader=agent, made_at=now, states=None)
    session.add(issue)
    session.flush()
    rows = [
        {"issue_id": issue.id, "number": number, "ticket_id": ticket}
        for number, ticket in enumerate(tickets, start=1)
    ]
    session.execute(insert(DigestNumber), rows)
    return issue.id


def ticket_of_number(session: Session, issue: int, number: int) -> int | None:
    """The id of the ticket that a digest lists under a number; None for a number it does not have."""
    found: int | None = session.execute(
        select(DigestNumber.ticket_id).where(DigestNumber.issue_id == issue, DigestNumber.number == number)
    ).scalar_one_or_none()
    return found


def numbers_of(session: Session, issue: int) -> int:
    """How many tickets a mailed list has; they are numbered from 1."""
    query = select(func.max(DigestNumber.number)).where(DigestNumber.issue_id == issue)
    return session.execute(query).scalar() or 0


def open_tickets(session: Session, queue: Queue, desk: Desk) -> list[TicketRow]:
    """Every unfinished ticket of a queue, oldest first."""
    rows = session.execute(
        select(
            Ticket.id, Ticket.number, Ticket.subject, Ticket.status, Ticket.priority, Ticket.department,
            Ticket.assignee, Ticket.created_at, Ticket.due_at, Ticket.overdue_since,
            Ticket.last_message_at, Ticket.last_response_at,
        )
        .where(Ticket.status.not_in([str(item) for item in FINISHED]), *_within(queue))
        .order_by(Ticket.id)
    )  # fmt: skip
    urgency = {key: priority.urgency for key, priority in desk.priorities.items()}
    return [
        TicketRow(
            key, number, subject, status, priority, urgency.get(priority, 9), department, assignee, *moments
        )
        for key, number, subject, status, priority, department, assignee, *moments in rows
    ]


def bounces(session: Session, queue: Queue, since: datetime) -> list[BouncedMail]:
    """Mails about the queue's tickets that did not arrive, the newest first, finished tickets included."""
    rows = session.execute(
        select(Ticket.number, TicketEvent.at, TicketEvent.reason, TicketEvent.data)
        .join(Ticket, Ticket.id == TicketEvent.ticket_id)
        # a literal, so that both databases see that the partial index holds what is asked for
        .where(
            TicketEvent.kind == literal_column(f"'{EventKind.BOUNCED}'"),
            TicketEvent.at > since,
            *_within(queue),
        )
        .order_by(TicketEvent.at.desc(), TicketEvent.id.desc())
        .limit(_MOST_BOUNCES)
    )
    return [
        BouncedMail(row.number, row.data["address"], row.at, bool(row.data["permanent"]), row.reason)
        for row in rows
    ]


def ledgers(
    session: Session, rows: Sequence[TicketRow], desk: Desk, times: WorkingTimes, now: datetime
) -> dict[int, str]:
    """Where the time of these tickets went, in words, by ticket id."""
    if not rows:
        return {}
    query = select(Ticket.id, Ticket.sla_plan).where(Ticket.id.in_([row.id for row in rows]))
    plans = {row.id: row.sla_plan for row in session.execute(query)}
    logs: dict[int, list[LoggedEvent]] = {}
    for ticket, *event in session.execute(
        select(TicketEvent.ticket_id, TicketEvent.kind, TicketEvent.at, TicketEvent.data)
        .where(TicketEvent.ticket_id.in_(plans))
        .order_by(TicketEvent.id)
    ):
        logs.setdefault(ticket, []).append(LoggedEvent(*event))
    names = {key: agent.name for key, agent in desk.agents.items()}
    found: dict[int, str] = {}
    for ticket, log in logs.items():
        working = times.of_plan(desk.sla_plans.get(plans[ticket] or ""))
        lines = ledger(clock_events(log), working, now)
        found[ticket] = ledger_words(lines, working, lambda key: names.get(key, key))
    return found


def _within(queue: Queue) -> Iterable[ColumnElement[bool]]:
    if queue.departments is not None:
        yield Ticket.department.in_(queue.departments)
    if queue.teams is not None:
        yield Ticket.team.in_(queue.teams)
    if queue.topics is not None:
        yield Ticket.topic.in_(queue.topics)
    if queue.priorities is not None:
        yield Ticket.priority.in_(queue.priorities)
    if queue.own_of is not None:
        yield Ticket.assignee == queue.own_of
    if queue.unassigned:
        yield Ticket.assignee.is_(None)
