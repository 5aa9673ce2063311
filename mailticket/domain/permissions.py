"""Who may do what to a ticket: an agent's role, and the departments an agent works in. All of it is here.

Two questions, both of which must be answered with yes (osTicket's roles and department access):

1. Does the agent have access to the ticket? With `access = "departments"` that is so for tickets of
   the departments the agent works in or manages, and for those that are the agent's own or a team's.
2. Does the agent's role allow it? The role named for the ticket's department counts, else the agent's,
   else the desk's default, else everything but manage. Whoever manages the department has every right.

Fails closed: a command nobody has given a right here needs `manage`.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from typing import Final

from mailticket.config.desk import Desk
from mailticket.domain.types import TicketFacts
from mailticket.mail.commands import Commands, Problem


class Permission(enum.StrEnum):
    """A right an agent may have; the words a role lists in `may`."""

    REPLY = "reply"
    """Answer the customer."""
    NOTE = "note"
    """Write a note."""
    ASSIGN = "assign"
    """Take a ticket, give it to somebody or to a team, give it back."""
    TRANSFER = "transfer"
    """Move a ticket to another department, or refer it to one."""
    CLOSE = "close"
    """Resolve, close and reopen a ticket."""
    MERGE = "merge"
    """Merge, link, split and move, and decide about held replies."""
    EDIT = "edit"
    """Priority, tags, topic, fields, due date, SLA plan, who takes part."""
    MANAGE = "manage"
    """What reaches beyond one ticket: bans, other agents' absences."""


ALL: Final = frozenset(Permission)
USUAL: Final = ALL - {Permission.MANAGE}
"""What an agent may do whom no role is given to."""

_DOING = {
    Permission.REPLY: "answer customers",
    Permission.NOTE: "write notes",
    Permission.ASSIGN: "assign tickets",
    Permission.TRANSFER: "transfer tickets",
    Permission.CLOSE: "resolve, close or reopen tickets",
    Permission.MERGE: "merge, split, link or move what is in tickets",
    Permission.EDIT: "change what is set on tickets",
    Permission.MANAGE: "do this; it takes the right to manage",
}

_ABOUT_ONESELF = ("help", "away", "back")
"""Commands that do nothing to the ticket whose alert was answered."""
_FREE = ("help", "ack", "undo", "send", "show", "list", "search", "away", "back")
_BY_RIGHT: Final = {
    Permission.REPLY: ("reply", "use"),
    Permission.NOTE: ("note", "remind", "time"),
    Permission.ASSIGN: ("assign", "take", "unassign", "team"),
    Permission.TRANSFER: ("transfer", "refer", "unrefer"),
    Permission.CLOSE: ("close", "resolve", "reopen", "status", "archive", "spam"),
    Permission.MERGE: (
        "merge", "unmerge", "link", "unlink", "block", "unblock", "split", "move", "approve", "deny",
    ),
    Permission.EDIT: (
        "priority", "tag", "untag", "due", "sla", "topic", "field", "wait", "hold", "unhold", "cc", "uncc",
        "owner", "requester", "subject", "language",
    ),
    Permission.MANAGE: ("ban", "unban"),
}  # fmt: skip
NEEDED: Final[dict[str, Permission | None]] = {
    **dict.fromkeys(_FREE),
    **{name: right for right, names in _BY_RIGHT.items() for name in names},
}
"""Command name -> the right it takes; None for what every agent may do with a ticket they have access to."""


def rights_of(desk: Desk, agent: str, department: str) -> frozenset[Permission]:
    """What an agent may do with the tickets of a department; nothing for somebody who is no agent."""
    one, home = desk.agents.get(agent), desk.departments.get(department)
    if one is None:
        return frozenset()
    if home is not None and home.manager == agent:
        return ALL
    role = desk.roles.get(role_of(desk, agent, department) or "")
    return USUAL if role is None else frozenset(Permission(right) for right in role.may)


def role_of(desk: Desk, agent: str, department: str) -> str | None:
    """The key of the role an agent has in a department; None for the usual rights."""
    one = desk.agents[agent]
    return one.roles.get(department) or one.role or desk.default_role


def why_no_access(desk: Desk, agent: str, ticket: TicketFacts) -> str | None:
    """Why an agent may not work on a ticket at all; None where nothing is against it."""
    one = desk.agents.get(agent)
    if one is None:
        return f"{agent} is no agent"
    if (one.access or desk.access) == "all" or _is_theirs(desk, agent, ticket):
        return None
    home = desk.departments.get(ticket.department)
    if any(_works_in(desk, agent, one) for one in (ticket.department, *ticket.referred)):
        return None
    where = home.name if home is not None else ticket.department
    return f"#{ticket.number} is in {where}, where you do not work, and it is not assigned to you"


def why_not(desk: Desk, agent: str, ticket: TicketFacts, wanted: Permission) -> str | None:
    """Why an agent may not do this to a ticket, in words for that agent; None where it is allowed."""
    return why_no_access(desk, agent, ticket) or _why_no_right(desk, agent, ticket, wanted)


def _why_no_right(desk: Desk, agent: str, ticket: TicketFacts, wanted: Permission) -> str | None:
    if wanted in rights_of(desk, agent, ticket.department):
        return None
    role = role_of(desk, agent, ticket.department)
    where = desk.departments[ticket.department].name if ticket.department in desk.departments else "the desk"
    name = desk.roles[role].name if role in desk.roles else None
    if name is None:
        return f"you may not {_DOING[wanted]}: only the manager of {where} may, or a role that lists it"
    return f'your role "{name}" in {where} does not let you {_DOING[wanted]}'


def refused(
    desk: Desk, agent: str, ticket: TicketFacts, parsed: Commands, standing_in_for: tuple[str, ...] = ()
) -> tuple[Problem, ...]:
    """What of an agent's mail about `ticket` the agent may not do; empty where all of it is allowed.

    standing_in_for: absent agents whose deputy the agent is, and whose tickets are therefore open to them.
    """
    if any(command.name in _ABOUT_ONESELF for command in parsed.commands):
        return ()
    closed = why_no_access(desk, agent, ticket)
    deputy = any(why_no_access(desk, one, ticket) is None for one in standing_in_for)
    if closed is not None and not deputy:
        return (Problem("", closed),)
    return tuple(_refused(desk, agent, ticket, parsed))


def _refused(desk: Desk, agent: str, ticket: TicketFacts, parsed: Commands) -> Iterator[Problem]:
    if parsed.body:
        wanted = Permission.NOTE if parsed.note else Permission.REPLY
        reason = _why_no_right(desk, agent, ticket, wanted)
        if reason is not None:
            yield Problem("", reason)
    for command in parsed.commands:
        right = NEEDED.get(command.name, Permission.MANAGE)
        reason = _why_no_right(desk, agent, ticket, right) if right is not None else None
        if reason is not None:
            yield Problem(command.line, reason)


def _works_in(desk: Desk, agent: str, department: str) -> bool:
    home = desk.departments.get(department)
    return home is not None and (home.manager == agent or agent in desk.members_of(department))


def _is_theirs(desk: Desk, agent: str, ticket: TicketFacts) -> bool:
    team = desk.teams.get(ticket.team or "")
    return ticket.assignee == agent or (team is not None and agent in (*team.members, team.lead))
