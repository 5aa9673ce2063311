"""What must be known before a ticket is resolved or closed, and how to say it. Pure.

A department and a help topic may ask for (`before_closing`):

    topic      what it is about
    assignee   whose work it was
    answer     the customer was answered, some time or in this very mail
    solution   what was done about it: an answer or a note of an agent since the customer last wrote, or
               in this very mail, or the words after #close

and a custom field for a value of its own (`required`). Commands of one mail count together, in any
order. Agents and the desk's own follow-ups are asked; a customer who closes is not, and a ticket that
is resolved already was asked before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from mailticket.config.desk import Desk
from mailticket.domain.change import AddEntry, Change, SetField
from mailticket.domain.status import FINISHED, Status
from mailticket.domain.tie_changes import SetCustomField
from mailticket.domain.types import EntryKind, TicketFacts

_ENDS = (Status.RESOLVED, Status.CLOSED)


@dataclass(frozen=True, slots=True)
class Missing:
    """Something that is not known yet, as a sentence for an agent; `command`, without prefix, gives it."""

    reason: str
    command: str


@dataclass(frozen=True, slots=True)
class _Said:
    """What the mail itself adds."""

    answered: bool = False
    explained: bool = False


def why_not_ended(
    desk: Desk, ticket: TicketFacts, changes: Sequence[Change] = (), *, solution: str = ""
) -> tuple[Missing, ...]:
    """What is missing for these changes, if they end a ticket that is not ended yet; () where nothing is.

    solution: the words after #close.
    """
    ends = any(isinstance(one, SetField) and one.name == "status" and one.value in _ENDS for one in changes)
    if not ends or ticket.status in FINISHED:
        return ()
    return missing(desk, _after(ticket, changes), _said(changes, solution))


def missing(desk: Desk, ticket: TicketFacts, said: _Said | None = None) -> tuple[Missing, ...]:
    """What has to be known before this ticket may end, and is not."""
    return (*_requirements(desk, ticket, said or _Said()), *_fields(desk, ticket))


def _requirements(desk: Desk, ticket: TicketFacts, said: _Said) -> Iterator[Missing]:
    home, topic = desk.departments.get(ticket.department), desk.topics.get(ticket.topic or "")
    asked = {
        **dict.fromkeys(home.before_closing if home is not None else (), home.name if home else ""),
        **dict.fromkeys(topic.before_closing if topic is not None else (), topic.name if topic else ""),
    }
    for requirement, who in asked.items():
        match requirement:
            case "topic" if ticket.topic is None:
                yield Missing(f"{who} wants a help topic before a ticket ends", "topic NAME")
            case "assignee" if ticket.assignee is None:
                yield Missing(f"{who} wants an assignee before a ticket ends", "take")
            case "answer" if ticket.last_response_at is None and not said.answered:
                yield Missing(f"{who} wants the customer answered before a ticket ends", "reply")
            case "solution" if not (said.answered or said.explained or _explained(ticket)):
                why = f"{who} wants a solution before a ticket ends: an answer, a note, or words after #close"
                yield Missing(why, "close WHAT WAS DONE")


def _explained(ticket: TicketFacts) -> bool:
    told = [at for at in (ticket.last_response_at, ticket.last_note_at) if at is not None]
    return bool(told) and (ticket.last_message_at is None or max(told) >= ticket.last_message_at)


def _fields(desk: Desk, ticket: TicketFacts) -> Iterator[Missing]:
    for key, field in desk.fields.items():
        wanted = field.required and field.belongs_to(ticket.department, ticket.topic)
        if wanted and ticket.fields.get(key) is None:
            example = field.choices[0] if field.choices else "VALUE"
            yield Missing(
                f"{field.name} is not set, and has to be before a ticket ends", f"field {key} {example}"
            )


def _said(changes: Iterable[Change], solution: str) -> _Said:
    entries = [one for one in changes if isinstance(one, AddEntry)]
    answered = any(one.kind is EntryKind.RESPONSE for one in entries)
    noted = any(one.kind is EntryKind.NOTE for one in entries)
    return _Said(answered, noted or bool(solution.strip()))


def _after(ticket: TicketFacts, changes: Iterable[Change]) -> TicketFacts:
    """The ticket as these changes leave it, as far as it is asked about here."""
    for change in changes:
        match change:
            case SetField(name="topic"):
                ticket = replace(ticket, topic=change.value)
            case SetField(name="assignee"):
                ticket = replace(ticket, assignee=change.value)
            case SetField(name="department"):
                ticket = replace(ticket, department=change.value or ticket.department)
            case SetCustomField():
                ticket = replace(ticket, fields={**ticket.fields, change.key: change.value})
            case _:
                pass
    return ticket
