"""Where a new ticket goes, and what else the rules want done, each with the reason in words.

The rules run in order; each that fires overrides what earlier ones set, and adds its tags and the
like. One that stops, holds or rejects is the last. Then every field comes from the first source that
names it, in the order of `precedence.PRECEDENCE`.

A reply has a ticket already: there the rules change what they name, and nothing has a default.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mailticket.config.desk import ArrivalAddress, Department, Desk, HelpTopic, Organisation
from mailticket.domain.precedence import ACKNOWLEDGED_BY, PRECEDENCE, Source
from mailticket.domain.rule_facts import MailFacts
from mailticket.domain.rule_run import NO_EXTRAS, Asked, Extras, Said, run
from mailticket.domain.types import TicketFacts
from mailticket.mail.address import without_extension

__all__ = [
    "Asked", "Extras", "MailFacts", "Reaction", "Route", "Settled", "plan_after_transfer", "react", "route",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Settled:
    """One value of a new ticket, and where it came from: 'rule "a"', 'topic "b"', "the desk's default"."""

    name: str
    value: str
    source: Source
    by: str


@dataclass(frozen=True, slots=True)
class Route:
    """What the rules came to. `reasons` has one sentence per rule that fired and per field decided.

    canned       the canned reply that goes out in place of the acknowledgement
    use_reply_to the requester is whom Reply-To names, if that can be
    hold         why the mail waits for a person; where it is set no ticket is to be made
    reject       a sentence for the sender; where it is set no ticket is to be made
    fired        names of the rules that fired, in order
    settled      where the values came from
    """

    department: str
    topic: str | None
    priority: str
    sla_plan: str | None
    agent: str | None
    team: str | None
    acknowledge: bool
    reject: str | None
    tags: tuple[str, ...]
    reasons: tuple[str, ...]
    fired: tuple[str, ...]
    status: str = "open"
    canned: str | None = None
    use_reply_to: Asked | None = None
    hold: str | None = None
    extras: Extras = NO_EXTRAS
    settled: tuple[Settled, ...] = ()


@dataclass(frozen=True, slots=True)
class Reaction:
    """What rules want done with a reply, and with its ticket.

    values       field ("department", "priority", "sla_plan", "agent", "team") -> value and rule
    acknowledge  False where a rule forbids it
    hold         why the reply waits for a person
    """

    values: dict[str, Asked]
    acknowledge: bool
    hold: str | None
    extras: Extras
    reasons: tuple[str, ...]
    fired: tuple[str, ...]


def route(facts: MailFacts, desk: Desk) -> Route:
    """Where a new mail goes. Never raises for anything a mail holds.

    A rule whose conditions the configuration should have refused never fires, and the reasons say so.
    """
    said = run(facts, desk, "new")
    offers = _Offers(said, facts, desk)
    settled = {name: offers.settle(name) for name in PRECEDENCE}
    topic, department = offers.topic, offers.department
    agent, team = offers.assignee()
    return Route(
        department=department,
        topic=topic,
        priority=settled["priority"] or desk.default_priority,
        sla_plan=settled["SLA plan"],
        agent=agent,
        team=team,
        status=settled["status"] or "open",
        acknowledge=offers.acknowledge(),
        reject=said.settle("reject", "rejected with"),
        hold=said.settle("hold", "held"),
        canned=said.settle("canned", "answered with the canned reply"),
        use_reply_to=said.values.get("reply_to"),
        tags=tuple(dict.fromkeys(tag.value for tag in said.extras().tags)),
        extras=said.extras(),
        settled=tuple(offers.settled),
        reasons=tuple(said.reasons),
        fired=tuple(said.fired),
    )


def react(facts: MailFacts, desk: Desk) -> Reaction:
    """What the rules want done with a reply. Never raises for anything a mail holds."""
    said = run(facts, desk, "reply")
    hold = said.settle("hold", "held")
    names = ("department", "priority", "sla_plan", "agent", "team")
    return Reaction(
        values={name: said.values[name] for name in names if name in said.values},
        acknowledge=said.acknowledge,
        hold=hold,
        extras=said.extras(),
        reasons=tuple(said.reasons),
        fired=tuple(said.fired),
    )


def plan_after_transfer(desk: Desk, ticket: TicketFacts, department: str) -> str | None:
    """The SLA plan of a ticket that moves to `department`; its own where a rule, topic or agent gave it."""
    home = desk.departments.get(ticket.department)
    usual = (home.sla_plan if home is not None else None) or desk.default_sla_plan
    topic = desk.topics.get(ticket.topic or "")
    if ticket.sla_plan != usual or (topic is not None and topic.sla_plan is not None):
        return ticket.sla_plan
    return desk.departments[department].sla_plan or desk.default_sla_plan


# -- precedence ------------------------------------------------------------------------------------------

_ASSIGNEE = (("assigned to agent", "agent"), ("assigned to team", "team"))
_ATTRIBUTES = {"SLA plan": "sla_plan"}
_DEFAULTS = {
    "topic": "default_topic",
    "department": "default_department",
    "priority": "default_priority",
    "SLA plan": "default_sla_plan",
}
_NO_TOPIC = HelpTopic(name="none")


class _Offers:
    """What every source says about each value; `settle` asks them in their order."""

    def __init__(self, said: Said, facts: MailFacts, desk: Desk) -> None:
        self.said = said
        self.facts = facts
        self.desk = desk
        self.arrival: ArrivalAddress | None = (
            desk.arrival_by_address.get(without_extension(facts.recipient)) if desk.arrivals else None
        )
        self.organisation = desk.organisation_of(facts.sender) if desk.organisations else None
        self.topic: str | None = None
        self.department = desk.default_department
        self.settled: list[Settled] = []

    def settle(self, name: str) -> str | None:
        """The value of the first source that has one; the reason is kept. None where nobody has."""
        found = None
        for source in PRECEDENCE[name]:
            offers = self._of(source, name)
            if offers:
                for label, value in offers:
                    self._keep(label, value, source)
                found = offers[0][1]
                break
        if name == "topic":
            self.topic = found
        elif name == "department":
            self.department = found or self.desk.default_department
        return found

    def assignee(self) -> tuple[str | None, str | None]:
        """The agent and the team that were settled."""
        found = {item.name: item.value for item in self.settled}
        return found.get("assigned to agent"), found.get("assigned to team")

    def acknowledge(self) -> bool:
        """Whether nobody forbids it; the first who does is the reason."""
        for source in ACKNOWLEDGED_BY:
            if not self._allows(source):
                by = self.said.acknowledge_why if source is Source.RULE else self._by(source)
                self.said.reasons.append(f"no acknowledgement: {by}")
                return False
        return True

    def _keep(self, label: str, value: str, source: Source) -> None:
        by = self.said.values[_rule_field(label)].why if source is Source.RULE else self._by(source)
        self.settled.append(Settled(label, value, source, by))
        self.said.reasons.append(f'{label} "{value}": {by}')

    def _of(self, source: Source, name: str) -> Sequence[tuple[str, str]]:
        """(what it is called, value) of what a source says; nothing where it says nothing."""
        pairs = _ASSIGNEE if name == "assignee" else ((name, _ATTRIBUTES.get(name, name)),)
        offers = ((label, self._value(source, name, attribute)) for label, attribute in pairs)
        return [(label, value) for label, value in offers if value is not None]

    def _value(self, source: Source, name: str, attribute: str) -> str | None:
        if source is Source.RULE:
            asked = self.said.values.get(attribute)
            return asked.value if asked is not None else None
        if source is Source.MAIL:
            return _marked_priority(self.facts, self.desk) if self.desk.priority_from_mail else None
        if source is Source.ADDRESS and name == "department":
            return self.facts.department_by_address
        if source is Source.ORGANISATION and attribute == "agent":
            attribute = "account_manager"
        found: str | None = getattr(self._entry(source), _default_of(source, name, attribute), None)
        return found

    def _entry(self, source: Source) -> ArrivalAddress | HelpTopic | Organisation | Department | Desk | None:
        if source is Source.ADDRESS:
            return self.arrival
        if source is Source.TOPIC:
            return self.desk.topics.get(self.topic, _NO_TOPIC) if self.topic is not None else None
        if source is Source.ORGANISATION:
            return self.desk.organisations.get(self.organisation or "")
        return self.desk.departments.get(self.department) if source is Source.DEPARTMENT else self.desk

    def _allows(self, source: Source) -> bool:
        if source is Source.RULE:
            return self.said.acknowledge
        entry = self._entry(source)
        return entry is None or isinstance(entry, Organisation) or entry.acknowledge

    def _by(self, source: Source) -> str:
        match source:
            case Source.MAIL:
                return "the sender marked the mail so"
            case Source.ADDRESS:
                return f"mail to {self.facts.recipient}"
            case Source.TOPIC:
                return f'topic "{self.topic}"'
            case Source.ORGANISATION:
                return f'organisation "{self.organisation}"'
            case Source.DEPARTMENT:
                return f'department "{self.department}"'
            case _:
                return "the desk's default"


def _rule_field(label: str) -> str:
    return _ATTRIBUTES.get(label, label.removeprefix("assigned to "))


def _default_of(source: Source, name: str, attribute: str) -> str:
    return _DEFAULTS.get(name, "") if source is Source.DESK else attribute


_IMPORTANT = {"1": "high", "2": "high", "4": "low", "5": "low",
              "high": "high", "urgent": "high", "low": "low", "non-urgent": "low"}  # fmt: skip
_MARKS = ("importance", "x-priority", "x-msmail-priority", "priority")


def _marked_priority(facts: MailFacts, desk: Desk) -> str | None:
    """The priority high or low, where the desk has it and the sender marked the mail so."""
    for name in _MARKS:
        marked = (facts.header(name) or "").strip().lower()
        priority = _IMPORTANT.get(marked) or _IMPORTANT.get(marked[:1] if name == "x-priority" else "")
        if priority is not None and priority in desk.priorities:
            return priority
    return None
