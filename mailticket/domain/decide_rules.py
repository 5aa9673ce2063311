"""What rules want done becomes changes: on a new ticket, and on the ticket of a reply.

Whatever a rule does is done by "system", and the reason names the rule.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from mailticket.config.desk import Desk
from mailticket.domain import statuses
from mailticket.domain.access import collaborator
from mailticket.domain.assignment import after_transfer
from mailticket.domain.change import AddParticipant, CallWebhook, Change, ForwardCopy, SetField, Tag
from mailticket.domain.fields import FieldProblem, read_value, shown
from mailticket.domain.routing import Asked, Extras, Reaction, Route, plan_after_transfer
from mailticket.domain.tie_changes import SetCustomField
from mailticket.domain.trust import TrustFinding
from mailticket.domain.types import Facts, FieldValue, TicketFacts, Trust
from mailticket.mail.address import canonical, without_extension
from mailticket.mail.header_out import mailable
from mailticket.mail.types import ParsedMail

SYSTEM = "system"
_WAS_THERE = ("delivered-to", "x-original-to", "x-forwarded-to", "resent-to", "envelope-to")
"""Headers in which the servers on the way of a mail write whom it was brought to."""
_FIELDS = (
    ("department", "department"),
    ("priority", "priority"),
    ("sla_plan", "sla_plan"),
    ("agent", "assignee"),
    ("team", "team"),
)
"""What a rule calls it -> the ticket's field."""


@dataclass(frozen=True, slots=True)
class Requester:
    """Whose ticket it is: the sender, or whom Reply-To names. reasons: why, where a rule asked for it."""

    address: str
    name: str
    trust: TrustFinding
    reasons: tuple[str, ...] = ()


def requester_of(mail: ParsedMail, facts: Facts, trust: TrustFinding, way: Route, desk: Desk) -> Requester:
    """Whose ticket a new mail opens.

    Whoever writes a mail can write any Reply-To. So what proves the sender proves nothing about the
    address there: it counts as unknown, whatever the sender counts as, and is let in only where it is
    one plain address of an outsider.
    """
    sender = Requester(facts.sender or "", mail.sender.shown.name, trust)
    asked = way.use_reply_to
    if asked is None:
        return sender
    problem = _why_not(mail, trust, desk)
    if problem is not None:
        return Requester(sender.address, sender.name, trust, (f"{asked.why}: {problem}",))
    wanted = mail.reply_to[0]
    address, _ = collaborator(desk, wanted.address)
    assert address is not None
    why = f"{asked.why}: the ticket is {address}'s, where {sender.address} wants answers to go"
    doubt = f"nothing proves that {address} wrote it"
    return Requester(address, wanted.name, TrustFinding(Trust.UNKNOWN, (doubt,)), (why, doubt))


def _why_not(mail: ParsedMail, trust: TrustFinding, desk: Desk) -> str | None:
    """Why Reply-To cannot name the requester; None where it can."""
    if trust.level is Trust.FAILED:
        return "the sender was found forged, so nobody else's name is taken from the mail"
    if len(mail.reply_to) != 1:
        return "Reply-To names nobody" if not mail.reply_to else "Reply-To names several addresses"
    address, problem = collaborator(desk, mail.reply_to[0].address)
    return None if address is not None else f"Reply-To cannot name the requester: {problem}"


def opening_changes(way: Route, mail: ParsedMail, present: frozenset[str], desk: Desk) -> Iterator[Change]:
    """What a new ticket begins with, where that is more than its opening says."""
    if way.status != "open":
        by = next((item.by for item in way.settled if item.name == "status"), "the rules")
        yield statuses.status_change(desk, None, way.status, SYSTEM, by)
    yield from rule_fields(way.extras, None, (way.department, way.topic), desk)
    yield from extra_changes(way.extras, mail, None, present, desk)


def rule_fields(
    extras: Extras, ticket: TicketFacts | None, home: tuple[str, str | None], desk: Desk
) -> Iterator[Change]:
    """The custom fields that rules set.

    ticket  None for the one the mail opens
    home    its department and its topic
    """
    for key, asked, value in _values(extras, home, desk):
        if isinstance(value, FieldProblem) or (ticket is not None and ticket.fields.get(key) == value):
            continue
        done = f"{desk.fields[key].name} is {shown(value) or 'taken away'}"
        yield SetCustomField(
            ticket.id if ticket is not None else None, key, value, SYSTEM, f"{asked.why}: {done}"
        )


def _values(
    extras: Extras, home: tuple[str, str | None], desk: Desk
) -> Iterator[tuple[str, Asked, FieldValue | FieldProblem]]:
    for key, asked in extras.fields:
        field = desk.fields.get(key)
        if field is None:
            yield key, asked, FieldProblem(f"there is no field {key}")
        elif not field.belongs_to(*home):
            yield key, asked, FieldProblem(f"tickets of this department and topic have no {field.name}")
        else:
            yield key, asked, read_value(field, asked.value)


def extra_changes(
    extras: Extras, mail: ParsedMail, ticket: TicketFacts | None, present: frozenset[str], desk: Desk
) -> Iterator[Change]:
    """Everything rules want beyond the ticket's own fields.

    ticket   None for the one the mail opens, whose tags it has from the start
    present  addresses of those who take part already
    """
    where = ticket.id if ticket is not None else None
    if ticket is not None:
        for tag in extras.tags:
            if tag.value not in ticket.tags:
                yield Tag(where, tag.value, True, SYSTEM, tag.why)
    for asked in extras.collaborators:
        address, _ = collaborator(desk, asked.value)
        if address is not None and address not in present:
            yield AddParticipant(where, address, "", SYSTEM, asked.why)
    for asked in extras.forward:
        if would_loop(mail, asked.value, desk) is None:
            yield ForwardCopy(where, asked.value, SYSTEM, f"{asked.why}: a copy goes to {asked.value}")
    for asked in extras.webhooks:
        yield CallWebhook(where, asked.value, SYSTEM, f"{asked.why}: {asked.value} is told")


def left_undone(extras: Extras, mail: ParsedMail, home: tuple[str, str | None], desk: Desk) -> Iterator[str]:
    """A sentence for each copy that is not sent, and for each field that is not set."""
    for key, asked, value in _values(extras, home, desk):
        if isinstance(value, FieldProblem):
            yield f"{asked.why}: {key} is not set: {value.reason}"
    for asked in extras.forward:
        problem = would_loop(mail, asked.value, desk)
        if problem is not None:
            yield f"{asked.why}: no copy to {asked.value}: {problem}"


def would_loop(mail: ParsedMail, address: str, desk: Desk) -> str | None:
    """Why a copy of this mail must not go to an address; None where it may."""
    wanted = canonical(address)
    if without_extension(wanted) in desk.department_by_address:
        return "it is an address of this desk"
    if mail.sender.address is not None and canonical(mail.sender.address) == wanted:
        return "the mail comes from there"
    if any(wanted in canonical(value) for name in _WAS_THERE for value in mail.header_all(name)):
        return "the mail has been there already"
    return None if mailable(wanted) else "no mail can be written to it"


def reply_changes(reaction: Reaction, mail: ParsedMail, ticket: TicketFacts, desk: Desk) -> Iterator[Change]:
    """What the rules do to the ticket of a reply. What it has already is no change."""
    named = {field: reaction.values[name] for name, field in _FIELDS if name in reaction.values}
    for field, asked in named.items():
        if getattr(ticket, field) != asked.value:
            yield SetField(ticket.id, field, asked.value, SYSTEM, asked.why)
    moved = named.get("department")
    if moved is not None and moved.value != ticket.department:
        yield from _followed(moved, named, ticket, desk)
    yield from rule_fields(reaction.extras, ticket, home_after(reaction, ticket), desk)
    yield from extra_changes(reaction.extras, mail, ticket, ticket.participants, desk)


def home_after(reaction: Reaction, ticket: TicketFacts) -> tuple[str, str | None]:
    """The department and the topic of a ticket once the rules have had their way."""
    moved = reaction.values.get("department")
    return moved.value if moved is not None else ticket.department, ticket.topic


def _followed(moved: Asked, named: dict[str, Asked], ticket: TicketFacts, desk: Desk) -> Iterator[Change]:
    """What a transfer brings with it: no assignee from elsewhere, and the new department's plan."""
    if "assignee" not in named:
        released = after_transfer(desk, moved.value, ticket.assignee, ticket.team)
        if released is not None:
            yield SetField(ticket.id, "assignee", released.agent, SYSTEM, released.reason)
    plan = plan_after_transfer(desk, ticket, moved.value)
    if "sla_plan" not in named and plan != ticket.sla_plan:
        where = desk.departments[moved.value].name
        yield SetField(ticket.id, "sla_plan", plan, SYSTEM, f"the ticket is now in {where}")
