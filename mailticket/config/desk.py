"""The desk as its operator describes it: who works here, where mail goes, what is promised when.

These are frozen values. The rules in `mailticket.domain` take them as they are, so there is one
definition of a department or an SLA plan and not two (docs/decisions/0002-desk-values.md).
References between sections are by key; `mailticket.config.loader` checks that each one exists.
"""

from __future__ import annotations

import re
from datetime import date, time, timedelta
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

_DURATION = re.compile(r"(\d+)\s*(w|d|h|m|s)")
_SECONDS = {"w": 604800, "d": 86400, "h": 3600, "m": 60, "s": 1}


def _duration(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    text = value.strip().lower()
    parts = _DURATION.findall(text)
    if not parts or _DURATION.sub("", text).strip():
        raise ValueError('a duration is written like "30m", "18h", "1h30m" or "2d"')
    return timedelta(seconds=sum(int(count) * _SECONDS[unit] for count, unit in parts))


Duration = Annotated[timedelta, BeforeValidator(_duration)]
"""A length of time written "45s", "30m", "18h", "1h30m", "2d" or "1w"."""


class Section(BaseModel):
    """Base of every section: immutable, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class Agent(Section):
    """Someone who works tickets. The first address is where alerts go; mail from any counts as theirs."""

    key: str = ""
    name: str
    addresses: tuple[str, ...] = Field(min_length=1)
    departments: tuple[str, ...] = ()
    time_zone: str | None = None

    @property
    def address(self) -> str:
        """Where alerts go."""
        return self.addresses[0]


class Department(Section):
    """A part of the house with mail addresses of its own; customers see those, never an agent's."""

    key: str = ""
    name: str
    addresses: tuple[str, ...] = Field(min_length=1)
    manager: str | None = None
    members: tuple[str, ...] = ()
    sla_plan: str | None = None
    signature: str = ""
    acknowledge: bool = True
    auto_assign_on_reply: bool = True

    @property
    def address(self) -> str:
        """The address its outgoing mail comes from."""
        return self.addresses[0]


class Team(Section):
    """Agents across departments who share work."""

    key: str = ""
    name: str
    lead: str | None = None
    members: tuple[str, ...] = ()


class Priority(Section):
    """How urgent a ticket is; urgency 1 is the most urgent."""

    key: str = ""
    name: str
    urgency: int = Field(ge=1)


class HelpTopic(Section):
    """What a ticket is about, and where such tickets go by default (osTicket's help topic)."""

    key: str = ""
    name: str
    department: str | None = None
    priority: str | None = None
    sla_plan: str | None = None
    agent: str | None = None
    team: str | None = None
    acknowledge: bool = True


How = Literal[
    "equal", "not_equal", "contains", "not_contains", "starts", "not_starts",
    "ends", "not_ends", "matches", "not_matches",
]  # fmt: skip


class Condition(Section):
    """One test of a mail.

    field  sender, sender_name, sender_domain, recipient, reply_to, subject, body, or "header:NAME"
    how    the comparison; all but `matches` ignore case; `matches` is a regular expression searched
           for in the first 64 kB of the field
    """

    field: str
    how: How
    value: str


class Actions(Section):
    """What a rule does when it fires. What is None stays as it is."""

    department: str | None = None
    topic: str | None = None
    priority: str | None = None
    sla_plan: str | None = None
    agent: str | None = None
    team: str | None = None
    acknowledge: bool | None = None
    reject: str | None = None
    tags: tuple[str, ...] = ()


class Rule(Section):
    """A help-topic rule for new tickets. Rules run in order; a later one overrides an earlier one."""

    name: str
    match: Literal["all", "any"] = "all"
    when: tuple[Condition, ...] = ()
    then: Actions
    stop: bool = False


class Schedule(Section):
    """When the desk works. `hours` maps a weekday ("mon" ... "sun") to intervals like "09:00-12:30".

    "00:00-24:00" is the whole day. `country` and `region` name public holidays (the `holidays`
    package's codes); `closed` are own closures; `open` are exceptions with hours of their own.
    """

    key: str = ""
    time_zone: str | None = None
    hours: dict[str, tuple[str, ...]]
    country: str | None = None
    region: str | None = None
    closed: tuple[date, ...] = ()
    open: dict[date, tuple[str, ...]] = {}


class SLAPlan(Section):
    """What is promised. Durations count in the hours of `schedule`; without one, around the clock."""

    key: str = ""
    name: str
    schedule: str | None = None
    first_response: Duration | None = None
    resolution: Duration | None = None
    repeat_alert: Duration | None = None
    """While overdue, alert again this often; None alerts once."""


class Digest(Section):
    """The managers' daily mail: what is open and overdue. Sent at a local time of each reader."""

    enabled: bool = True
    at: time = time(8, 0)
    weekdays: tuple[str, ...] = ("mon", "tue", "wed", "thu", "fri")
    when_empty: bool = False


class Brakes(Section):
    """Limits on automatic mail to outsiders (reliability: no loops). Counted in the database."""

    per_address_hour: int = Field(default=5, ge=0)
    per_address_day: int = Field(default=20, ge=0)
    per_domain_hour: int = Field(default=50, ge=0)
    total_hour: int = Field(default=300, ge=0)
    per_ticket_10_minutes: int = Field(default=10, ge=0)
    same_subject_hour: int = Field(default=2, ge=0)


class Desk(Section):
    """Everything the rules need to know, validated as a whole."""

    name: str
    instance: str
    """Short id of this installation, in loop headers and Message-IDs."""
    time_zone: str = "UTC"
    command_prefix: Literal["#", "/"] = "#"
    default_department: str
    default_priority: str = "normal"
    default_sla_plan: str | None = None
    subject_tag: str = "[#{number}]"
    departments: dict[str, Department]
    agents: dict[str, Agent] = {}
    teams: dict[str, Team] = {}
    priorities: dict[str, Priority]
    topics: dict[str, HelpTopic] = {}
    rules: tuple[Rule, ...] = ()
    sla_plans: dict[str, SLAPlan] = {}
    schedules: dict[str, Schedule] = {}
    digest: Digest = Digest()
    brakes: Brakes = Brakes()
    trusted_authserv_ids: tuple[str, ...] = ()
    reopen_window: Duration = timedelta(days=30)

    @cached_property
    def agent_by_address(self) -> dict[str, str]:
        """Canonical address -> agent key."""
        return {address.lower(): key for key, agent in self.agents.items() for address in agent.addresses}

    @cached_property
    def department_by_address(self) -> dict[str, str]:
        """Canonical address, without extension -> department key."""
        return {address.lower(): key for key, dept in self.departments.items() for address in dept.addresses}

    def members_of(self, department: str) -> tuple[str, ...]:
        """Keys of the agents who work in a department: its members and those who name it, in order."""
        listed = self.departments[department].members
        naming = tuple(key for key, agent in self.agents.items() if department in agent.departments)
        return tuple(dict.fromkeys((*listed, *naming)))
