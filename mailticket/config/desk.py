"""The desk as its operator describes it: who works here, where mail goes, what is promised when.

These are frozen values. The rules in `mailticket.domain` take them as they are, so there is one
definition of a department or an SLA plan and not two (docs/decisions/0002-desk-values.md).
References between sections are by key; `mailticket.config.loader` checks that each one exists.
"""

from __future__ import annotations

from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator

from mailticket.config.canned import Canned
from mailticket.config.lifecycle import CustomField, Requirement, Status, number_mask
from mailticket.config.mails import SENT_BY_DEFAULT, MailCode
from mailticket.config.people import (
    Absences,
    Access,
    Agent,
    DepartmentAlerts,
    Organisation,
    Role,
    Strategies,
    Team,
)
from mailticket.config.promise import Alerts, SLAPlan, Step
from mailticket.config.queues import SavedQueue
from mailticket.config.reports import Digest, FollowUp, NamedDigest, NamedReport
from mailticket.config.rules import TRUST_LEVELS, Actions, Condition, How, Level, NewStatus, Rule
from mailticket.config.section import Section
from mailticket.config.values import (
    Address,
    Addresses,
    Day,
    Duration,
    InstanceId,
    Intervals,
    LanguageTag,
    Line,
    NotThis,
    PositiveDuration,
    TimeZone,
    Weekday,
)
from mailticket.config.webhooks import Webhook

__all__ = [
    "TRUST_LEVELS", "Actions", "Agent", "Alerts", "ArrivalAddress", "Brakes", "Condition", "Department",
    "Desk", "Digest", "Duration", "FollowUp", "HelpTopic", "How", "NamedDigest", "NamedReport",
    "Organisation", "Priority", "Role", "Rule", "SLAPlan", "Schedule", "Section", "Step", "Team",
    "TrustPolicy", "Webhook",
]  # fmt: skip


class Department(Section):
    """A part of the house with mail addresses of its own; customers see those, never an agent's."""

    key: str = ""
    name: Line
    addresses: Addresses
    manager: str | None = None
    members: tuple[str, ...] = ()
    sla_plan: str | None = None
    follow_up: str | None = None
    language: LanguageTag | None = None
    """Of mails to customers of whom nothing tells theirs; None is the desk's."""
    signature: str = ""
    logo: Path | None = None
    """A small image below each mail to a customer."""
    logo_alt: Line | None = None
    """What stands there where images are not shown; None is the desk's name."""
    acknowledge: bool = True
    acknowledge_replies: bool = False
    tell_promise: bool = True
    """An acknowledgement says by when the SLA plan promises an answer."""
    mails: dict[MailCode, bool] = Field(default_factory=dict)
    """Which mails go, where it differs from the desk's."""
    auto_assign_on_reply: bool = True
    before_closing: tuple[Requirement, ...] = ()
    on_reopen: Literal["assignee", "unassigned"] = "assignee"
    """Who has a ticket that a customer's mail brings back: whoever had it, or nobody yet."""
    reopen_window: Duration | None = None
    """As the desk's, where it differs."""
    assign: Strategies = ()
    alerts: DepartmentAlerts = DepartmentAlerts()
    undo_hold: Duration | None = None
    """How long answers wait here; None is as long as the desk's."""

    @property
    def address(self) -> str:
        """The address its outgoing mail comes from."""
        return self.addresses[0]


class Priority(Section):
    """How urgent a ticket is; urgency 1 is the most urgent."""

    key: str = ""
    name: Line
    urgency: int = Field(ge=1)


class HelpTopic(Section):
    """What a ticket is about, and where such tickets go by default (osTicket's help topic)."""

    key: str = ""
    name: Line
    department: str | None = None
    priority: str | None = None
    sla_plan: str | None = None
    agent: str | None = None
    team: str | None = None
    status: NewStatus | None = None
    acknowledge: bool = True
    before_closing: tuple[Requirement, ...] = ()


class ArrivalAddress(Section):
    """What mail to one of the departments' addresses brings with it (osTicket's settings of an email)."""

    key: str = ""
    address: Address
    topic: str | None = None
    priority: str | None = None
    acknowledge: bool = True


class Schedule(Section):
    """When the desk works. `hours` maps a weekday ("mon" ... "sun") to intervals like "09:00-12:30".

    "00:00-24:00" is the whole day. `country` and `region` name public holidays (the `holidays`
    package's codes); `closed` are own closures; `open` are exceptions with hours of their own.
    """

    key: str = ""
    time_zone: TimeZone | None = None
    hours: dict[Weekday, Intervals]
    country: str | None = None
    region: str | None = None
    closed: tuple[Day, ...] = ()
    open: dict[Day, Intervals] = {}


class Brakes(Section):
    """Limits against loops and storms, all counted in the database.

    The first ones are on automatic mail to outsiders: what is over them is not sent. Those from
    `same_text_hour` on are on what one sender writes: what is over them is kept without alerts.
    """

    per_address_hour: int = Field(default=5, ge=0)
    per_address_day: int = Field(default=20, ge=0)
    per_domain_hour: int = Field(default=50, ge=0)
    per_template_hour: int = Field(default=300, ge=0)
    total_hour: int = Field(default=300, ge=0)
    per_ticket_10_minutes: int = Field(default=10, ge=0)
    per_ticket_hour: int = Field(default=25, ge=0)
    per_ticket_10_hours: int = Field(default=100, ge=0)
    same_subject_hour: int = Field(default=2, ge=0)
    same_text_hour: int = Field(default=2, ge=0, le=1000)
    same_subject_tickets_hour: int = Field(default=19, ge=0, le=1000)
    new_tickets_hour: int = Field(default=30, ge=0, le=1000)
    mails_hour: int = Field(default=100, ge=0, le=1000)
    reopenings_day: int = Field(default=5, ge=0, le=1000)


class TrustPolicy(Section):
    """Who is believed, and how well a sender must be known for what.

    Mail that our own mail server proved forged ("failed") never acts, never joins a ticket and is
    never acknowledged, whatever stands here. By default it still opens a ticket, silently: mail that
    was forwarded on its way often fails DMARC, and an honest customer's words must not end in a pile
    that nobody reads.
    """

    authserv_ids: tuple[Line, ...] = ()
    agent_acts: Literal["token", "authenticated"] = "authenticated"
    join: Literal["token", "authenticated", "known"] = "known"
    open_ticket: Level = "failed"
    acknowledge: Literal["token", "authenticated", "known", "unknown"] = "unknown"
    verify: Literal["off", "dkim"] = "off"
    returns_per_hour: int = Field(default=10, ge=0)
    challenge_expires: PositiveDuration = timedelta(days=1)


class Desk(Section):
    """Everything the rules need to know, validated as a whole."""

    name: Line
    instance: InstanceId
    """Short id of this installation, in loop headers and Message-IDs; no two may share one."""
    time_zone: TimeZone = "UTC"
    command_prefix: Literal["#", "/"] = "#"
    default_department: str
    default_priority: str = "normal"
    default_sla_plan: str | None = None
    default_topic: str | None = None
    acknowledge: bool = True
    """Whether mails are acknowledged at all."""
    priority_from_mail: bool = False
    """Whether a mail marked as important or unimportant by its sender gets the priority high or low."""
    default_follow_up: str | None = None
    default_role: str | None = None
    """The role of agents without one; None: everything but manage."""
    access: Access = "all"
    """Whose tickets an agent may work on, unless their own section says otherwise."""
    url: Line | None = None
    """The house's web page, for templates."""
    mails: dict[MailCode, bool] = Field(default_factory=dict)
    """Which mails go, where it differs from what is usual."""
    acknowledge_after: Duration = timedelta(seconds=10)
    """How long an acknowledgement waits for an answer that makes it needless."""
    satisfaction_after: Duration = timedelta(hours=1)
    """How long after a ticket's end the customer is asked whether they are satisfied."""
    language: LanguageTag = "en"
    """Of mails to people of whom nothing tells theirs."""
    subject_tag: Line = "[#{number}]"
    console_address: Address | None = None
    """Where agents ask for lists by mail; None: `console@` at the default department's domain."""
    departments: dict[str, Department]
    agents: dict[str, Agent] = {}
    teams: dict[str, Team] = {}
    roles: dict[str, Role] = {}
    organisations: dict[str, Organisation] = {}
    statuses: dict[str, Status] = {}
    fields: dict[str, CustomField] = {}
    priorities: dict[str, Priority]
    topics: dict[str, HelpTopic] = {}
    arrivals: dict[str, ArrivalAddress] = {}
    rules: tuple[Rule, ...] = ()
    webhooks: dict[str, Webhook] = {}
    sla_plans: dict[str, SLAPlan] = {}
    schedules: dict[str, Schedule] = {}
    digest: Digest = Digest()
    digests: dict[str, NamedDigest] = {}
    reports: dict[str, NamedReport] = {}
    canned: dict[str, Canned] = {}
    follow_ups: dict[str, FollowUp] = {}
    absence: Absences = Absences()
    queues: dict[str, SavedQueue] = {}
    alerts: Alerts = Alerts()
    brakes: Brakes = Brakes()
    trust: TrustPolicy = TrustPolicy()
    unknown_senders: Literal["accept", "hold"] = "accept"
    """What becomes of a mail that would open a ticket for an address not on file."""
    reopen_window: Duration = timedelta(days=30)
    ticket_numbers: Line = "######"
    """What numbers look like: letters, {year}, {month}, and a random digit for each #."""
    two_departments: Literal["refer", "link"] = "refer"
    """What one mail to several departments makes: one ticket referred to the others, or linked ones."""
    held_asks: Literal["owner", "requester"] = "owner"
    """Who decides whether a stranger's reply joins a ticket."""
    cc_adds: Literal["requester", "agents", "nobody"] = "agents"
    """Whose Cc makes collaborators, once it is proven who wrote; agents always can with #cc."""
    acknowledge_on_behalf: bool = False
    """Whether a customer is told of a ticket that an agent opened for them."""
    agent_signatures: Literal["strip", "keep"] = "strip"
    """Whether customers see what agents' mail programs put below their words."""
    ban_spammers: bool = False
    """Whether #spam bans the sender too."""
    subject_window: Duration = timedelta(days=14)
    """How long a reply without any pointer finds its ticket by person and subject; 0 never."""
    stale_guard: bool = True
    """Whether an answer waits whose author had not seen the newest message or answer."""
    undo_hold: Duration = timedelta(seconds=30)
    """How long an agent's answer waits before it is sent, so that it can be taken back; 0 not at all."""
    receipts: Literal["all", "errors"] = "all"
    """Whether agents get a receipt for each mail that did something, or hear only of what went wrong."""
    one_tap_expires: PositiveDuration = timedelta(days=30)
    """How long the one-tap links of a mail work, in whole days."""

    @field_validator("subject_tag")
    @classmethod
    def _holds_the_number(cls, value: str) -> str:
        if value.count("{number}") != 1 or "{" in value.replace("{number}", ""):
            raise NotThis('must hold "{number}" once and no other brace', 'The default is "[#{number}]"')
        return value

    @field_validator("ticket_numbers")
    @classmethod
    def _is_a_mask(cls, value: str) -> str:
        return number_mask(value)

    def reopen_window_of(self, department: str) -> timedelta:
        """How long a customer's mail brings a finished ticket of a department back."""
        home = self.departments.get(department)
        own = home.reopen_window if home is not None else None
        return self.reopen_window if own is None else own

    @cached_property
    def agent_by_address(self) -> dict[str, str]:
        """Canonical address -> agent key."""
        return {address.lower(): key for key, agent in self.agents.items() for address in agent.addresses}

    @cached_property
    def department_by_address(self) -> dict[str, str]:
        """Canonical address, without extension -> department key."""
        return {address.lower(): key for key, dept in self.departments.items() for address in dept.addresses}

    @cached_property
    def _organisation_by_domain(self) -> dict[str, str]:
        return {
            domain.lower(): key
            for key, organisation in self.organisations.items()
            for domain in organisation.domains
        }

    @cached_property
    def console(self) -> str:
        """The canonical address of the mail console."""
        if self.console_address is not None:
            return self.console_address.lower()
        return f"console@{self.departments[self.default_department].address.rpartition('@')[2].lower()}"

    def organisation_of(self, address: str) -> str | None:
        """The key of the organisation an address belongs to, by its domain or one above it."""
        domain = address.rpartition("@")[2].lower()
        while domain:
            if domain in self._organisation_by_domain:
                return self._organisation_by_domain[domain]
            domain = domain.partition(".")[2]
        return None

    @cached_property
    def arrival_by_address(self) -> dict[str, ArrivalAddress]:
        """Canonical address, without extension -> what mail to it brings with it."""
        return {arrival.address.lower(): arrival for arrival in self.arrivals.values()}

    @cached_property
    def rules_on_replies(self) -> bool:
        """Whether any rule looks at replies."""
        return any(rule.is_on("reply") for rule in self.rules)

    @cached_property
    def asked(self) -> frozenset[str]:
        """The fields of a mail that any rule asks about."""
        return frozenset(test.field for rule in self.rules for test in rule.tests() if test.field)

    def home_of(self, department: str) -> Department:
        """A department by its key; the default one for tickets of a department that was taken away since."""
        found = self.departments.get(department)
        return self.departments[self.default_department] if found is None else found

    def sends(self, department: str, code: str) -> bool:
        """Whether a department sends a mail, by its template's code; one that has no switch always goes."""
        home = self.home_of(department)
        usual = dict(SENT_BY_DEFAULT) | {
            "ticket.autoresp": home.acknowledge,
            "message.autoresp": home.acknowledge_replies,
        }
        for switched in (home.mails, self.mails, usual):
            if code in switched:
                return bool(switched[code])
        return True

    def members_of(self, department: str) -> tuple[str, ...]:
        """Keys of the agents who work in a department: its members and those who name it, in order."""
        home = self.departments.get(department)
        listed = home.members if home is not None else ()
        naming = tuple(key for key, agent in self.agents.items() if department in agent.departments)
        return tuple(dict.fromkeys((*listed, *naming)))
