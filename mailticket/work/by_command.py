"""An agent's command lines carried out from the command line: the same rules, the same mails, no mail read.

Whoever may run the program is trusted to say whose name stands in the log. The lines are read, judged
and applied exactly as in that agent's own mail: permissions, guards, one transaction, clocks planned anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage

from sqlalchemy import select
from sqlalchemy.orm import Session

from mailticket.config.desk import Desk
from mailticket.domain.change import AddEntry, Decision
from mailticket.domain.decide_agent import decide_agent
from mailticket.domain.notify import Occasion, plan
from mailticket.domain.schedule import WorkingTimes
from mailticket.domain.types import Arrival, Facts, Outcome, Trust
from mailticket.errors import Permanent
from mailticket.mail.nearest import nearest
from mailticket.mail.numbering import as_kept
from mailticket.mail.read import read
from mailticket.mail.types import Reading
from mailticket.store.changes import apply_changes, record
from mailticket.store.due import replan
from mailticket.store.lifecycle_facts import with_lifecycle
from mailticket.store.models import Ticket
from mailticket.store.queries import tickets_named
from mailticket.store.ticket_facts import ticket_facts
from mailticket.work.announce import announce
from mailticket.work.webhooks import tell_webhooks

_INTRODUCTION = "not carried out, so nothing was done and nothing sent: "


@dataclass(frozen=True, slots=True)
class Done:
    """What was done, in words, and the number of the ticket it ended at."""

    number: str
    reasons: tuple[str, ...]


def carry_out(
    session: Session,
    number: str,
    lines: Sequence[str],
    agent: str,
    *,
    desk: Desk,
    secret: bytes,
    times: WorkingTimes,
    now: datetime,
) -> Done:
    """Do to a ticket what command lines (without prefix) say, as `agent`.

    times: the desk's, compiled. Nothing is done unless all of it can be: Permanent then has the reasons.
    """
    if agent not in desk.agents:
        near = nearest(agent, desk.agents)
        raise Permanent(f"there is no agent {agent}" + (f"; did you mean {near}?" if near else ""))
    ticket = _locked(session, as_kept(number))
    if ticket.merged_into_id is not None:
        into = session.get_one(Ticket, ticket.merged_into_id)
        raise Permanent(f"#{ticket.number} was merged into #{into.number}: do it there")
    reading = _as_mail(lines, agent, desk)
    facts = _facts(session, ticket, reading, agent, desk, now)
    decision = decide_agent(
        reading, facts.tickets[ticket.id], agent, Trust.AUTHENTICATED, desk, (), facts=facts, entry=0, now=now
    )
    _refused(decision)
    done = apply_changes(session, ticket, decision.changes, now)
    record(session, done.events)
    assert done.ticket is not None  # apply_changes was given one
    session.flush()
    replan(session, done.ticket, desk, times, now)
    after = ticket_facts(session, done.ticket)
    occasion = Occasion(f"command:{ticket.id}:{ticket.version}:{now.isoformat()}", acknowledge=False)
    announce(session, plan(done.events, after, desk, occasion), after, desk, secret, now)
    tell_webhooks(session, done.events, after, desk, occasion.cause, now)
    return Done(after.number, tuple(change.why for change in decision.changes))


def _locked(session: Session, number: str) -> Ticket:
    ticket = session.execute(select(Ticket).where(Ticket.number == number).with_for_update()).scalar()
    if ticket is None:
        raise Permanent(f"there is no ticket #{number}")
    return ticket


def _as_mail(lines: Sequence[str], agent: str, desk: Desk) -> Reading:
    """The lines as the reading of a mail by that agent."""
    mail = EmailMessage()
    mail["From"], mail["Subject"] = desk.agents[agent].address, "command line"
    mail.set_content("\n".join(f"{desk.command_prefix}{line}" for line in lines))
    return read(mail.as_bytes(), desk.agents[agent].address)


def _facts(
    session: Session, ticket: Ticket, reading: Reading, agent: str, desk: Desk, now: datetime
) -> Facts:
    address = desk.agents[agent].address
    facts = Facts(
        department=None,
        sender=address,
        sender_agent=agent,
        known_sender=True,
        tickets={ticket.id: ticket_facts(session, ticket, lock=True)},
        named=tickets_named(session, reading, desk, lock=True),
    )
    here = Arrival(0, "", address, "command", now, "")
    return with_lifecycle(session, facts, reading, here, desk, lock=True)


def _refused(decision: Decision) -> None:
    """Raises Permanent where the lines cannot be carried out, or hold words that only a mail can bring."""
    if decision.outcome is not Outcome.AGENT_ACTED:
        raise Permanent(decision.reasons[-1].removeprefix(_INTRODUCTION))
    if any(isinstance(change, AddEntry) for change in decision.changes):
        raise Permanent("notes and answers are written by mail")
