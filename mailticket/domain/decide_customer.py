"""What an outsider's mail does: a reply joins its ticket, anything else opens one."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from mailticket.config.desk import Desk
from mailticket.domain.access import invited, may_add_by_cc
from mailticket.domain.change import AddEntry, AddParticipant, Change, Decision, OpenTicket, SetField
from mailticket.domain.decide_rules import (
    Requester,
    home_after,
    left_undone,
    opening_changes,
    reply_changes,
    requester_of,
)
from mailticket.domain.fields import field_changes
from mailticket.domain.finished import NOTHING_NEW, adds_nothing, after_reopening, thanks_only
from mailticket.domain.matching import Match
from mailticket.domain.numbers import mask_of
from mailticket.domain.routing import Extras, Reaction, Route, react, route
from mailticket.domain.rule_facts import rule_facts
from mailticket.domain.sender_commands import SPAM
from mailticket.domain.several import home_of, same_mail, ties
from mailticket.domain.status import FINISHED, NewLinkedTicket, Refused, StatusEvent, next_status
from mailticket.domain.trust import TrustFinding, allowed
from mailticket.domain.types import Arrival, Audience, EntryKind, Facts, Outcome, TicketFacts
from mailticket.mail.address import without_extension
from mailticket.mail.header_out import mailable
from mailticket.mail.threading import without_tags
from mailticket.mail.types import Reading

NO_SUBJECT = "(no subject)"
_NOTHING = Reaction({}, acknowledge=True, hold=None, extras=Extras(), reasons=(), fired=())


def join(
    reading: Reading,
    arrival: Arrival,
    facts: Facts,
    ticket: TicketFacts,
    trust: TrustFinding,
    desk: Desk,
    now: datetime,
    *,
    conflict: tuple[str, ...] = (),
) -> Decision | NewLinkedTicket:
    """The decision for a human reply to `ticket` by one who takes part in it.

    conflict: numbers of other tickets that weaker pointers of the mail name.
    Returns NewLinkedTicket where the ticket was closed too long ago to be opened again.
    """
    kept = _only_kept(reading, facts, ticket, trust, desk)
    if kept is not None:
        return kept
    moved = next_status(
        ticket.status,
        StatusEvent.CUSTOMER_REPLIED,
        closed_at=ticket.closed_at,
        reopen_window=desk.reopen_window_of(ticket.department),
        now=now,
    )
    if isinstance(moved, NewLinkedTicket):
        return moved
    assert facts.sender is not None
    reaction = _NOTHING
    if desk.rules_on_replies:
        reaction = react(rule_facts(reading, arrival, facts, trust.level, now, ticket), desk)
    if reaction.hold is not None:
        waits = f"the reply waits for a person: mailticket inbox release {arrival.inbound_id}"
        reasons = (*trust.reasons, *reaction.reasons, waits)
        return Decision(Outcome.HELD, (), reasons, trust.level, ticket.id, route=reaction)
    why = _reply_reason(facts.sender, ticket, conflict, desk)
    changes: list[Change] = [_message(reading, facts, ticket.id, trust, why, conflict)]
    if not isinstance(moved, Refused) and moved.new != ticket.status:
        changes.append(SetField(ticket.id, "status", moved.new, facts.sender, moved.reason))
        changes += after_reopening(ticket, desk) if ticket.status in FINISHED else []
    changes += _colleague(reading, facts.sender, ticket)
    changes += _by_cc(reading, facts, ticket.id, ticket.requester, ticket.participants, trust, desk)
    changes += reply_changes(reaction, reading.mail, ticket, desk)
    unanswered = why_unanswered(reading, facts.sender, desk)
    also = (*left_undone(reaction.extras, reading.mail, home_after(reaction, ticket), desk), *unanswered)
    return Decision(
        Outcome.THREADED,
        tuple(changes),
        (*trust.reasons, *reaction.reasons, *(change.why for change in changes), *also),
        trust.level,
        ticket.id,
        acknowledge=(
            not unanswered and reaction.acknowledge and allowed(desk.trust, "acknowledge", trust.level)
        ),
        route=None if reaction is _NOTHING else reaction,
    )


def _changes_nothing(
    reading: Reading, facts: Facts, ticket: TicketFacts, trust: TrustFinding, what: str, evidence: str
) -> Decision:
    """A thanks, or nothing at all, is kept with the ticket, which stays as it is."""
    why = f"{what}: the ticket stays {ticket.status}"
    entry = replace(_message(reading, facts, ticket.id, trust, why), thanks=evidence)
    return Decision(Outcome.THREADED, (entry,), (*trust.reasons, why), trust.level, ticket.id)


def _only_kept(
    reading: Reading, facts: Facts, ticket: TicketFacts, trust: TrustFinding, desk: Desk
) -> Decision | None:
    """The decision for a reply that is kept on the ticket and does nothing to it; None for any other."""
    if SPAM in ticket.tags and ticket.status in FINISHED:
        why = "the ticket was closed as spam: kept there, and nobody is told"
        return record_automatic(reading, facts, ticket, trust, why)
    thanks = thanks_only(reading, ticket, facts, desk)
    if thanks is not None:
        why = f"a mere thanks, because {thanks.evidence}"
        return _changes_nothing(reading, facts, ticket, trust, why, thanks.evidence)
    if adds_nothing(reading, ticket, facts):
        why = f"an empty reply, because {NOTHING_NEW}"
        return _changes_nothing(reading, facts, ticket, trust, why, NOTHING_NEW)
    return None


def _colleague(reading: Reading, sender: str, ticket: TicketFacts) -> list[AddParticipant]:
    """Whoever writes without having taken part yet does from now on."""
    if sender in ticket.participants:
        return []
    told = f"{sender} belongs to the customer's organisation, whose people share their tickets"
    return [AddParticipant(ticket.id, sender, reading.mail.sender.shown.name, sender, told)]


def why_unanswered(reading: Reading, sender: str, desk: Desk) -> tuple[str, ...]:
    """Why no automatic mail answers this one whatever the desk's policy: it would come back, or cannot go."""
    found: list[str] = []
    if without_extension(sender) in desk.department_by_address:
        found.append(f"not acknowledged: {sender} is an address of this desk")
    for item in reading.mail.reply_to:
        if without_extension(item.address) in desk.department_by_address:
            found.append(
                f"not acknowledged: answers are asked for at {item.address}, an address of this desk"
            )
            break
    if not mailable(sender):
        found.append(f"not acknowledged: no mail can be written to {sender}")
    return tuple(found)


def _reply_reason(sender: str, ticket: TicketFacts, conflict: tuple[str, ...], desk: Desk) -> str:
    who = "the customer" if sender == ticket.requester else "a collaborator"
    if sender not in ticket.participants:
        who = "a colleague of the customer"
    if not conflict:
        return f"a reply of {who}"
    named = ", ".join(f"#{number}" for number in conflict)
    return (
        f"a reply of {who}; other signs point at {named}: if it belongs there, answer with "
        f"{desk.command_prefix}move {conflict[0]}"
    )


def _by_cc(
    reading: Reading,
    facts: Facts,
    ticket: int | None,
    requester: str,
    present: frozenset[str],
    trust: TrustFinding,
    desk: Desk,
) -> list[AddParticipant]:
    """Those the requester sent a copy to, where that lets them take part."""
    sender = facts.sender or ""
    if not reading.mail.cc or not may_add_by_cc(desk, sender, requester, trust.level):
        return []
    return [
        AddParticipant(ticket, address, name, sender, f"the requester sent {address} a copy")
        for address, name in invited(reading.mail.cc, facts, desk, present)
    ]


def record_automatic(
    reading: Reading, facts: Facts, ticket: TicketFacts, trust: TrustFinding, why: str
) -> Decision:
    """An automatic mail that belongs to `ticket`: kept there, inside, and told to nobody."""
    entry = AddEntry(
        ticket=ticket.id,
        kind=EntryKind.NOTE,
        audience=Audience.INTERNAL,
        author=facts.sender or "system",
        author_name=reading.mail.sender.shown.name or facts.sender or "",
        trust=trust.level,
        text=reading.content.reply or reading.mail.text,
        full_text=reading.mail.text,
        html=reading.mail.html,
        why=why,
        automatic=True,
        returns_on=reading.classification.returns_on,
    )
    return Decision(Outcome.RECORDED, (entry,), (*trust.reasons, why), trust.level, ticket.id)


def open_ticket(
    reading: Reading,
    arrival: Arrival,
    facts: Facts,
    match: Match,
    trust: TrustFinding,
    desk: Desk,
    now: datetime,
    *,
    predecessor: TicketFacts | None = None,
) -> Decision:
    """The decision for a mail that begins something new."""
    assert facts.sender is not None
    again = same_mail(facts, desk, trust)
    if again is not None:
        return again
    home = home_of(reading.mail, arrival, facts, desk)
    arrival, facts = home.arrival, home.facts
    way = route(rule_facts(reading, arrival, facts, trust.level, now), desk)
    reasons = (*match.reasons, *trust.reasons, *way.reasons)
    if way.reject is not None:
        return Decision(Outcome.REJECTED, (), reasons, trust.level, rejection=way.reject, route=way)
    if way.hold is not None:
        return _held_by_rule(way, reasons, arrival, trust)
    who = requester_of(reading.mail, facts, trust, way, desk)
    own = who.address == facts.sender
    opening = _opening(reading, who, match, way, predecessor, desk.subject_tag)
    change = replace(opening, numbers=mask_of(desk, now))
    entry = _message(
        reading, facts, None, who.trust, "the mail that opened the ticket", reply=change.held, who=who
    )
    copied = _by_cc(reading, facts, None, who.address, frozenset(), trust, desk) if own else []
    present = frozenset({who.address, *(one.address for one in copied)})
    fields, misfits = field_changes(reading, way.department, way.topic, desk)
    tied = ties(home, way.department, facts.twin, desk)
    extras = (*tied, *fields, *opening_changes(way, reading.mail, present, desk))
    human = not reading.classification.automatic and allowed(desk.trust, "acknowledge", who.trust.level)
    unanswered = why_unanswered(reading, who.address, desk)
    undone = left_undone(way.extras, reading.mail, (way.department, way.topic), desk)
    told = (*who.reasons, *misfits, *undone, change.why, *unanswered)
    return Decision(
        Outcome.NEW_TICKET,
        (change, entry, *copied, *extras),
        (*reasons, *told),
        who.trust.level,
        acknowledge=human and way.acknowledge and not unanswered,
        route=way,
    )


def _held_by_rule(way: Route, reasons: tuple[str, ...], arrival: Arrival, trust: TrustFinding) -> Decision:
    why = f"it waits for a person: mailticket inbox release {arrival.inbound_id}"
    return Decision(Outcome.HELD, (), (*reasons, why), trust.level, route=way)


def _opening(
    reading: Reading,
    who: Requester,
    match: Match,
    way: Route,
    predecessor: TicketFacts | None,
    subject_tag: str,
) -> OpenTicket:
    why = f"a new ticket in {way.department}"
    suspected = match.suspected if predecessor is None else None
    held = suspected is not None and match.held
    if suspected is not None:
        why += f"; it may be about #{suspected.number}, which the sender takes no part in"
    if held:
        why += ", and is held until somebody decides whether it belongs there"
    if predecessor is not None:
        why += f", following #{predecessor.number}, which was closed too long ago to be opened again"
    return OpenTicket(
        subject=without_tags(reading.mail.subject, subject_tag) or NO_SUBJECT,
        requester=who.address,
        requester_name=who.name,
        department=way.department,
        topic=way.topic,
        priority=way.priority,
        sla_plan=way.sla_plan,
        assignee=way.agent,
        team=way.team,
        tags=way.tags,
        suspected=suspected.id if suspected else None,
        suspected_number=suspected.number if suspected else None,
        predecessor=predecessor.id if predecessor else None,
        why=why,
        held=held,
        canned=way.canned,
    )


def _message(
    reading: Reading,
    facts: Facts,
    ticket: int | None,
    trust: TrustFinding,
    why: str,
    conflict: tuple[str, ...] = (),
    *,
    reply: bool = True,
    who: Requester | None = None,
) -> AddEntry:
    """The mail as an entry. reply: only its new text is shown, the whole is kept beside it.

    who: whose words they count as, where that is not simply the sender.
    """
    return AddEntry(
        ticket=ticket,
        kind=EntryKind.MESSAGE,
        audience=Audience.CUSTOMER,
        author=who.address if who else facts.sender or "",
        author_name=who.name if who else reading.mail.sender.shown.name,
        trust=trust.level,
        text=reading.content.reply if reply else reading.mail.text.strip(),
        full_text=reading.mail.text if reply else None,
        html=reading.mail.html,
        why=why,
        aliases=facts.unseen,
        conflict=conflict,
    )
