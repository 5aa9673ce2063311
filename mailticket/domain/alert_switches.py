"""Who hears of what, as a department switches it (osTicket's alerts and notices). Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from mailticket.config.desk import Desk
from mailticket.config.people import Hearer
from mailticket.domain.assignment import listening
from mailticket.domain.types import TicketFacts

Occasion = Literal["new_ticket", "new_message", "note", "assignment", "transfer", "overdue"]
"""What happened; each is an option of `DepartmentAlerts`."""


def hearers(what: Occasion, concerned: Iterable[str], ticket: TicketFacts, desk: Desk) -> tuple[str, ...]:
    """Keys of the agents who hear of it, each once; may be nobody, where the department says so.

    concerned: whom it concerns by itself, which is what "concerned" stands for.
    """
    usual = tuple(concerned)
    home = desk.departments.get(ticket.department)
    if home is None:
        return usual
    words: tuple[Hearer, ...] = getattr(home.alerts, what)
    found = (
        agent for word in words for agent in (usual if word == "concerned" else _are(word, ticket, desk))
    )
    return tuple(dict.fromkeys(found))


def _are(word: Hearer, ticket: TicketFacts, desk: Desk) -> tuple[str, ...]:
    home, team = desk.departments[ticket.department], desk.teams.get(ticket.team or "")
    match word:
        case "assignee":
            one = ticket.assignee
        case "team":
            return listening(team) if team is not None else ()
        case "lead":
            one = team.lead if team is not None else None
        case "department":
            return desk.members_of(ticket.department)
        case "manager":
            one = home.manager
        case _:
            key = desk.organisation_of(ticket.requester)
            one = desk.organisations[key].account_manager if key is not None else None
    return (one,) if one is not None else ()
