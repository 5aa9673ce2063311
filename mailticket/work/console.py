"""Carries out what an agent asked of the mail console, and writes the one mail that answers.

Each ticket is decided as if its commands had come alone, by the same rules: permissions, transitions
and what they cause. So one line may fail because of what happened since, and the others are done.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from mailticket.config.desk import Desk
from mailticket.domain.by_number import ALL, examples
from mailticket.domain.change import Decision, ReturnToAgent
from mailticket.domain.console import (
    MOST_TICKETS,
    contradictions,
    is_list_number,
    spelled_out,
    texts_by_number,
    with_ticket_numbers,
)
from mailticket.domain.console_changes import AnswerConsole, ConsoleLine, ConsoleLook
from mailticket.domain.console_mail import ConsoleList, ConsoleMail, ConsoleOutcome, ConsoleRow, ConsoleStory
from mailticket.domain.decide_agent import decide_agent
from mailticket.domain.notice import REPLIED, Notice
from mailticket.domain.notify import Occasion, plan
from mailticket.domain.permissions import why_no_access
from mailticket.domain.returned import as_rows
from mailticket.domain.schedule import WorkingTimes
from mailticket.domain.statuses import status_name
from mailticket.domain.ticket_query import access_of, given_of_words, ticket_query
from mailticket.domain.timeline import actor_name
from mailticket.domain.types import Arrival, Audience, Facts, Outcome, TicketFacts, Trust
from mailticket.mail.types import Reading
from mailticket.store.apply import apply
from mailticket.store.changes import record
from mailticket.store.digests import keep_listing, numbers_of, ticket_of_number
from mailticket.store.due import replan
from mailticket.store.lifecycle_facts import with_lifecycle
from mailticket.store.merge import final_ticket
from mailticket.store.models import Ticket
from mailticket.store.queries import tickets_named
from mailticket.store.ticket_facts import ticket_facts
from mailticket.store.ticket_search import Found, find_tickets
from mailticket.store.ticket_story import story_of
from mailticket.store.undo import done_by
from mailticket.work.announce import announce
from mailticket.work.assigning import assigned
from mailticket.work.webhooks import tell_webhooks

MOST_LISTED = 50
_LONGEST_TEXT = 4_000


@dataclass
class Console:
    """One mail to the console at work; `mail` fills up with what the answer says."""

    session: Session
    reading: Reading
    arrival: Arrival
    facts: Facts
    asked: AnswerConsole
    trust: Trust
    desk: Desk
    secret: bytes
    times: Callable[[], WorkingTimes]
    now: datetime
    numbers: list[int] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)

    def answer(self) -> tuple[str, ...]:
        """Do it all and queue the answer; what was done, in words. Runs in the caller's transaction."""
        outcomes: list[ConsoleOutcome] = []
        listed = numbers_of(self.session, self.asked.listing) if self.asked.listing is not None else 0
        lines, astray = with_ticket_numbers(
            spelled_out(self.asked.lines, listed), self._number_listed, self.desk
        )
        problems = self.asked.problems or self._not_to_be_had(lines, listed) or as_rows(astray)
        if not problems:
            outcomes = [self._act(number, text) for number, text in texts_by_number(lines).items()]
        lists: list[ConsoleList] = []
        stories: list[ConsoleStory] = []
        for look in self.asked.looks if not problems else ():
            shown = self._show(look) if look.kind == "show" else self._list(look)
            (stories if isinstance(shown, ConsoleStory) else lists).append(shown)  # type: ignore[arg-type]
        issue = self.asked.listing
        if self.numbers:
            slot = f"mail:{self.arrival.inbound_id}"
            issue = keep_listing(self.session, self.asked.agent, slot, self.numbers, self.now)
        mail = ConsoleMail(
            problems=problems, outcomes=tuple(outcomes), lists=tuple(lists), stories=tuple(stories),
            by_number=examples(len(self.numbers) or listed, self.desk, self.asked.agent),
        )  # fmt: skip
        self._send(mail, issue)
        return tuple(self.reasons)

    def _send(self, mail: ConsoleMail, issue: int | None) -> None:
        agent = self.desk.agents[self.asked.agent]
        own = {address for address in agent.addresses if address.casefold() == self.asked.address}
        notice = Notice(
            template="console.answer",
            audience=Audience.INTERNAL,
            recipient=next(iter(own), self.asked.address),
            recipient_name=agent.name,
            identity=f"agent:{self.asked.agent}",
            ticket_id=None,
            entry_id=None,
            automatic=REPLIED,
            key=f"console:{self.arrival.inbound_id}",
            reason="you asked for it by mail",
            extra={"console": asdict(mail), "issue": issue or 0, "subject": self.asked.subject},
        )
        announce(self.session, [notice], None, self.desk, self.secret, self.now)

    def _not_to_be_had(self, lines: Sequence[ConsoleLine], listed: int) -> tuple[tuple[str, str, str], ...]:
        """Why the lines cannot be carried out, now that it is known what `all` stands for."""
        everything = next((line for line in self.asked.lines if line.numbers == (ALL,)), None)
        if everything is None:
            return self._unknown_numbers()
        if not 0 < listed <= MOST_TICKETS:
            none = "stands for the numbers of a list: answer the mail that has one"
            many = f"would change {listed} tickets, and one mail may change {MOST_TICKETS}"
            return ((everything.line, f"{ALL} {many if listed else none}", ""),)
        together = contradictions(lines, self.desk)
        return self._unknown_numbers() or as_rows(together)

    def _unknown_numbers(self) -> tuple[tuple[str, str, str], ...]:
        """Numbers that the answered mail has not: nobody can tell what was meant, so nothing is done."""
        found: list[tuple[str, str, str]] = []
        for line in self.asked.lines:
            for number in line.numbers if line.numbers != (ALL,) else ():
                if self._ticket_id(number) is None:
                    where = (
                        "the mail you answer has no number"
                        if is_list_number(number)
                        else "there is no ticket"
                    )
                    found.append((line.line, f"{where} {number}", ""))
        found += [
            (f"show {look.argument}", f"the mail you answer has no number {look.argument}", "")
            for look in self.asked.looks
            if look.kind == "show"
            and is_list_number(look.argument)
            and self._ticket_id(look.argument) is None
        ]
        return tuple(found)

    def _ticket_id(self, number: str) -> int | None:
        if is_list_number(number):
            listing = self.asked.listing
            return ticket_of_number(self.session, listing, int(number)) if listing is not None else None
        return self.session.execute(select(Ticket.id).where(Ticket.number == number)).scalar()

    def _number_listed(self, listed: str) -> str | None:
        found = self._ticket_id(listed)
        ticket = self.session.get(Ticket, found) if found is not None else None
        return ticket.number if ticket is not None else None

    def _act(self, number: str, text: str) -> ConsoleOutcome:
        """Carry out the commands for one ticket, as if they had come in a mail of their own."""
        named = self.session.get(Ticket, self._ticket_id(number), with_for_update=True)
        ticket = final_ticket(self.session, named, lock=True)
        if ticket is None or named is None:
            return ConsoleOutcome(number, "", "", False, "the ticket is gone")
        facts = ticket_facts(self.session, ticket, lock=True)
        closed = why_no_access(self.desk, self.asked.agent, facts)
        if closed is not None:
            return ConsoleOutcome(number, "", "", False, closed)
        decision = self._decided(facts, text)
        since = f"was merged into #{ticket.number} since; " if ticket.id != named.id else ""
        if decision.outcome is not Outcome.AGENT_ACTED:
            return self._outcome(number, ticket, False, since + _refusal(decision))
        done = self._apply(decision, ticket)
        if not done:
            words = f"nothing had to be done, it is {ticket.status.replace('-', ' ')}"
            return self._outcome(number, ticket, False, since + words)
        self.reasons.append(f"#{ticket.number}: {text}".replace("\n", ", "))
        return self._outcome(number, ticket, True, since + done)

    def _decided(self, ticket: TicketFacts, text: str) -> Decision:
        mail = replace(self.reading.mail, message_id="", attachments=(), to=(), cc=())
        content = replace(self.reading.content, reply=text, spans=(), confidence=1.0, method="console")
        typed = replace(self.reading, mail=mail, content=content)
        facts = self._facts(ticket, typed)
        decision = decide_agent(
            typed, ticket, self.asked.agent, self.trust, self.desk, (), facts=facts, entry=0, now=self.now
        )
        return assigned(self.session, decision, facts, typed, self.desk, self.times(), self.now)

    def _facts(self, ticket: TicketFacts, typed: Reading) -> Facts:
        """What the commands for one ticket may have to know, as if they had come in a mail about it."""
        session, desk, agent = self.session, self.desk, self.asked.agent
        facts = replace(
            self.facts,
            evidence=(),
            tickets={ticket.id: ticket},
            already_in=frozenset(),
            named=tickets_named(session, typed, desk, lock=True),
            done=done_by(session, typed, None, agent, [ticket.id], desk, lock=True),
            twin=None,
        )
        return with_lifecycle(session, facts, typed, self.arrival, desk, lock=True)

    def _apply(self, decision: Decision, ticket: Ticket) -> str:
        """What one ticket's decision did, in words; "" for nothing."""
        typed = replace(self.reading, mail=replace(self.reading.mail, message_id="", attachments=()))
        done = apply(self.session, decision, typed, self.arrival, self.now)
        if not done.events or done.ticket is None:
            return ""
        record(self.session, done.events, self.trust)
        replan(self.session, done.ticket, self.desk, self.times(), self.now)
        after = ticket_facts(self.session, done.ticket)
        occasion = Occasion(f"inbound:{self.arrival.inbound_id}:{ticket.id}", acknowledge=False)
        tell_webhooks(self.session, done.events, after, self.desk, occasion.cause, self.now)
        announce(
            self.session,
            plan(done.events, after, self.desk, occasion),
            after,
            self.desk,
            self.secret,
            self.now,
        )
        return "; ".join(dict.fromkeys(change.why for change in decision.changes))

    def _outcome(self, number: str, ticket: Ticket, done: bool, words: str) -> ConsoleOutcome:
        return ConsoleOutcome(number, ticket.number, ticket.subject, done, words)

    def _list(self, look: ConsoleLook) -> ConsoleList:
        given = given_of_words(look.argument, self.desk, queues=look.kind == "list")
        if isinstance(given, str):
            return ConsoleList(f"{look.kind} {look.argument}", trouble=given)
        if look.kind == "search":
            given = {"all": ["yes"], **given}
        query = ticket_query(given, self.desk, self.now, self._zone(), self.asked.agent)
        if isinstance(query, tuple):
            return ConsoleList(f"{look.kind} {look.argument}", trouble="; ".join(query))
        found = find_tickets(
            self.session,
            query,
            MOST_LISTED + 1,
            urgency={key: one.urgency for key, one in self.desk.priorities.items()},
            access=access_of(self.desk, self.asked.agent),
        )
        rows = tuple(self._row(one) for one in found[:MOST_LISTED])
        return ConsoleList(f"{look.kind} {look.argument}", rows, len(found) > MOST_LISTED)

    def _row(self, found: Found) -> ConsoleRow:
        ticket = found.ticket
        self.numbers.append(ticket.id)
        priority = self.desk.priorities.get(ticket.priority)
        agent = self.desk.agents.get(ticket.assignee or "")
        return ConsoleRow(
            n=len(self.numbers),
            number=ticket.number,
            subject=ticket.subject,
            status=self._status(found),
            priority=priority.name if priority else ticket.priority,
            assigned=agent.name if agent else ticket.assignee or "",
            requester=ticket.requester_name or ticket.requester_address,
            due=ticket.due_at.isoformat() if ticket.due_at else None,
            overdue=ticket.overdue_since.isoformat() if ticket.overdue_since else None,
            snippet="".join(piece.text for piece in found.pieces),
        )

    def _status(self, found: Found) -> str:
        """In people's words, and of another department's ticket why it stands in this list."""
        name = status_name(self.desk, found.ticket.status, found.ticket.custom_status)
        if not found.referred:
            return name
        home = self.desk.departments.get(found.ticket.department)
        return f"{name}, referred from {home.name if home is not None else found.ticket.department}"

    def _show(self, look: ConsoleLook) -> ConsoleStory:
        ticket_id = self._ticket_id(look.argument)
        ticket = self.session.get(Ticket, ticket_id) if ticket_id is not None else None
        facts = ticket_facts(self.session, ticket) if ticket is not None else None
        closed = why_no_access(self.desk, self.asked.agent, facts) if facts is not None else None
        if ticket is None or facts is None or closed is not None:
            return ConsoleStory(0, look.argument, trouble=closed or f"there is no ticket {look.argument}")
        self.numbers.append(ticket.id)
        names = {key: one.name for key, one in self.desk.agents.items()}
        moments = story_of(self.session, ticket.number, lambda actor: actor_name(actor, names))
        return ConsoleStory(
            n=len(self.numbers),
            number=ticket.number,
            subject=ticket.subject,
            facts=_facts(facts, self.desk),
            moments=tuple(
                (
                    one.at.isoformat(),
                    one.who,
                    f"{one.what} ({one.known})" if one.known else one.what,
                    one.why if not one.audience else "",
                    one.text[:_LONGEST_TEXT],
                )
                for one in moments
            ),
        )

    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self.desk.agents[self.asked.agent].time_zone or self.desk.time_zone)


def _refusal(decision: Decision) -> str:
    """Why nothing was done to a ticket."""
    for change in decision.changes:
        if isinstance(change, ReturnToAgent):
            told = (f"{why}; did you mean {meant}?" if meant else why for _, why, meant in change.problems)
            return "; ".join(told) or change.why
    return decision.reasons[-1] if decision.reasons else "nothing was done"


def _facts(ticket: TicketFacts, desk: Desk) -> tuple[tuple[str, str], ...]:
    agent = desk.agents.get(ticket.assignee or "")
    department = desk.departments.get(ticket.department)
    found = (
        ("Status", status_name(desk, ticket.status, ticket.custom_status)),
        ("Priority", ticket.priority),
        ("Department", department.name if department else ticket.department),
        ("Assigned to", agent.name if agent else ticket.assignee or "nobody"),
        ("From", f"{ticket.requester_name} <{ticket.requester}>".strip()),
        ("Tags", ", ".join(ticket.tags)),
    )
    return tuple((name, value) for name, value in found if value)
