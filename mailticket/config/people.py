"""Those who work at the desk and those who write to it: agents, teams, roles, organisations."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from mailticket.config.section import Section
from mailticket.config.values import (
    Addresses,
    Days,
    Domains,
    LanguageTag,
    Line,
    NotThis,
    PositiveDuration,
    TimeZone,
)

Right = Literal["reply", "note", "assign", "transfer", "close", "merge", "edit", "manage"]
"""What an agent may be allowed: domain/permissions.py (Permission) says what each means."""

Access = Literal["all", "departments"]
"""Whose tickets an agent may work on: everybody's, or those of the agent's own departments."""


Strategy = Literal["sticky", "skill", "round_robin", "least_loaded"]
"""A word of how tickets are given out: domain/distribution.py says what each means."""

_LAST = ("round_robin", "least_loaded")


def _strategies(value: tuple[Strategy, ...]) -> tuple[Strategy, ...]:
    if len(set(value)) != len(value):
        raise NotThis("names one way twice")
    early = next((one for one in value[:-1] if one in _LAST), None)
    if early is not None:
        raise NotThis(f'has something behind "{early}", which always finds somebody')
    if "skill" in value and value[-1] not in _LAST:
        raise NotThis('needs "round_robin" or "least_loaded" behind "skill": several may know the same')
    return value


Strategies = Annotated[tuple[Strategy, ...], AfterValidator(_strategies)]
"""How tickets are given out, tried from left to right; () leaves it to the agents."""


Hearer = Literal["concerned", "assignee", "team", "lead", "department", "manager", "account_manager"]
"""Who can hear of something: domain/alert_switches.py says who each is."""


class DepartmentAlerts(Section):
    """Who hears of what happens to a department's tickets; () is nobody."""

    new_ticket: tuple[Hearer, ...] = ("concerned",)
    new_message: tuple[Hearer, ...] = ("concerned",)
    note: tuple[Hearer, ...] = ("concerned",)
    assignment: tuple[Hearer, ...] = ("concerned",)
    transfer: tuple[Hearer, ...] = ("concerned",)
    overdue: tuple[Hearer, ...] = ("concerned",)


class Absences(Section):
    """What is made of agents' out-of-office replies to alerts.

    longest  a return date further away is not believed; undated: how long one that names no date counts
    """

    learn: bool = True
    longest: PositiveDuration = timedelta(days=30)
    undated: PositiveDuration = timedelta(days=7)


class Role(Section):
    """What the agents who have it may do with a ticket."""

    key: str = ""
    name: Line
    may: tuple[Right, ...] = ()


class Agent(Section):
    """Someone who works tickets. The first address is where alerts go; mail from any counts as theirs."""

    key: str = ""
    name: Line
    addresses: Addresses
    departments: tuple[str, ...] = ()
    time_zone: TimeZone | None = None
    language: LanguageTag | None = None
    """Of the mails to this agent; None is the desk's."""
    schedule: str | None = None
    """When this agent works and reads alerts; None at any hour."""
    deputy: str | None = None
    away: tuple[Days, ...] = ()
    role: str | None = None
    roles: dict[str, str] = Field(default_factory=dict)
    """Department -> role, where it differs from `role`."""
    access: Access | None = None
    skills: tuple[Line, ...] = ()
    """Topics, tags and languages the agent knows: for assignment by skill."""
    most_open: int | None = Field(default=None, ge=1)
    """Open tickets up to which the agent is given further ones."""
    receipts: Literal["all", "errors"] | None = None
    """Whether this agent gets a receipt for each mail; None is what the desk has."""

    @property
    def address(self) -> str:
        """Where alerts go."""
        return self.addresses[0]


class Team(Section):
    """Agents across departments who share work."""

    key: str = ""
    name: Line
    lead: str | None = None
    members: tuple[str, ...] = ()
    assign: Strategies = ()
    quiet: tuple[str, ...] = ()
    """Members who hear only of their own tickets."""


class Organisation(Section):
    """A house whose people write to the desk, known by the domains of their addresses.

    account_manager, team  get its tickets where no rule or topic names anybody
    share                  its people may join each other's tickets
    """

    key: str = ""
    name: Line
    domains: Domains
    account_manager: str | None = None
    team: str | None = None
    priority: str | None = None
    sla_plan: str | None = None
    share: bool = False
