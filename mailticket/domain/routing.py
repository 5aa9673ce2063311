"""Where a new ticket goes: arrival address, help-topic rules and defaults, with the reason in words.

The rules run in order; each that fires overrides what earlier ones set, and adds its tags. One that
stops, or rejects, is the last. Then every field comes from the first of these that names it
(osTicket's precedence, desks.md 1.6):

    department  rule, the arrival address's department, the topic's, the desk's default
    topic       rule
    priority    rule, topic, default
    SLA plan    rule, topic, department, default
    agent, team rule, else both from the topic
    acknowledge only if rule, topic and department all allow it

Everything is compared as text: surrounding blanks and, but for `matches`, case do not count.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from mailticket.config.desk import Condition, Department, Desk, HelpTopic, Rule
from mailticket.config.pattern import BadPattern, compile_pattern
from mailticket.domain.types import TicketFacts

TEXT_CAP = 65_536
"""Conditions look at so many characters of a field; rules are about words, not about attachments."""

_QUOTED_CAP = 60


@dataclass(frozen=True, slots=True)
class MailFacts:
    """What rules may ask about a mail: plain strings, "" for what the mail does not have.

    sender, recipient, reply_to   addresses without names
    headers                       (lower-case name, decoded value), in order
    trust                         how well the sender is known: a level of domain/types.py
    department_by_address         key of the department the arrival address belongs to
    """

    sender: str
    sender_name: str
    recipient: str
    reply_to: str
    subject: str
    body: str
    headers: tuple[tuple[str, str], ...] = ()
    department_by_address: str | None = None
    trust: str = "unknown"


@dataclass(frozen=True, slots=True)
class Route:
    """What the rules came to. `reasons` has one sentence per rule that fired and per field decided.

    reject  a sentence for the sender; where it is set no ticket is to be made
    fired   names of the rules that fired, in order
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


def route(facts: MailFacts, desk: Desk) -> Route:
    """Where a new mail goes. Never raises for anything a mail holds.

    A pattern the configuration should have refused never matches, and the reasons say so.
    """
    said = _apply_rules(facts, desk)
    topic = said.settle("topic", "topic")
    by = desk.topics[topic] if topic is not None else HelpTopic(name="none")
    by_topic = f'topic "{topic}"'
    department = said.settle(
        "department",
        "department",
        (facts.department_by_address, f"mail to {facts.recipient}"),
        (by.department, by_topic),
    ) or said.default("department", desk.default_department)
    priority = said.settle("priority", "priority", (by.priority, by_topic)) or said.default(
        "priority", desk.default_priority
    )
    by_department = f'department "{department}"'
    sla_plan = said.settle(
        "sla_plan",
        "SLA plan",
        (by.sla_plan, by_topic),
        (desk.departments[department].sla_plan, by_department),
        (desk.default_sla_plan, _DEFAULT),
    )
    assigned = "agent" in said.values or "team" in said.values
    return Route(
        department=department,
        topic=topic,
        priority=priority,
        sla_plan=sla_plan,
        agent=said.settle("agent", "assigned to agent", (None if assigned else by.agent, by_topic)),
        team=said.settle("team", "assigned to team", (None if assigned else by.team, by_topic)),
        acknowledge=_acknowledge(said, (by, by_topic), (desk.departments[department], by_department)),
        reject=said.settle("reject", "rejected with"),
        tags=tuple(said.tags),
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


_DEFAULT = "the desk's default"


@dataclass(slots=True)
class _Said:
    """What the rules have said so far: field -> (value, by which rule)."""

    values: dict[str, tuple[str, str]] = field(default_factory=dict)
    acknowledge: bool = True
    acknowledge_why: str = ""
    tags: dict[str, None] = field(default_factory=dict)
    reasons: list[str] = field(default_factory=list)
    fired: list[str] = field(default_factory=list)

    def settle(self, name: str, label: str, *offers: tuple[str | None, str]) -> str | None:
        """The rules' value of a field, else the first offer (value, whose) there is; the reason is kept."""
        for value, whose in (self.values.get(name, (None, "")), *offers):
            if value is not None:
                self.reasons.append(f'{label} "{value}": {whose}')
                return value
        return None

    def default(self, name: str, value: str) -> str:
        """A default, for what nobody else has settled."""
        self.reasons.append(f'{name} "{value}": {_DEFAULT}')
        return value


_FIELDS = ("department", "topic", "priority", "sla_plan", "agent", "team", "reject")


def _apply_rules(facts: MailFacts, desk: Desk) -> _Said:
    said = _Said()
    for rule in desk.rules:
        why = _fires(rule, facts, said.reasons)
        if why is None:
            continue
        said.fired.append(rule.name)
        said.reasons.append(f'rule "{rule.name}" matched: {why}')
        by_rule = f'rule "{rule.name}"'
        for name in _FIELDS:
            value = getattr(rule.then, name)
            if value is not None:
                said.values[name] = value, by_rule
        if rule.then.acknowledge is not None:
            said.acknowledge, said.acknowledge_why = rule.then.acknowledge, by_rule
        said.tags.update(dict.fromkeys(rule.then.tags))
        if rule.stop or rule.then.reject is not None:
            break
    return said


def _acknowledge(said: _Said, topic: tuple[HelpTopic, str], department: tuple[Department, str]) -> bool:
    """Rule and topic and department have to allow it; the first that does not is the reason."""
    for allows, whose in (
        (said.acknowledge, said.acknowledge_why),
        (topic[0].acknowledge, topic[1]),
        (department[0].acknowledge, department[1]),
    ):
        if not allows:
            said.reasons.append(f"no acknowledgement: {whose}")
            return False
    return True


# -- conditions --------------------------------------------------------------------------------------


def _fires(rule: Rule, facts: MailFacts, reasons: list[str]) -> str | None:
    """Why the rule fires, or None. A rule without conditions always does."""
    if not rule.when:
        return "it has no conditions"
    met: list[str] = []
    for condition in rule.when:
        try:
            holds = _holds(condition, facts)
        except BadPattern as exc:
            reasons.append(f'rule "{rule.name}": its pattern "{_short(condition.value)}" is not used: {exc}')
            holds = False
        if holds:
            met.append(_in_words(condition))
        if rule.match == "any" and holds:
            return met[0]
        if rule.match == "all" and not holds:
            return None
    return " and ".join(met) if met else None


def _holds(condition: Condition, facts: MailFacts) -> bool:
    """A negation holds when no value of the field passes the plain test: also when there is no value."""
    how = condition.how
    test = _test(how.removeprefix("not_"), condition.value)
    return any(test(value[:TEXT_CAP].strip()) for value in _values(condition.field, facts)) is not (
        how.startswith("not_")
    )


def _test(how: str, value: str) -> Callable[[str], bool]:
    if how == "matches":
        return compile_pattern(value).found_in
    wanted = value.strip().casefold()
    match how:
        case "equal":
            return lambda text: text.casefold() == wanted
        case "contains":
            return lambda text: wanted in text.casefold()
        case "starts":
            return lambda text: text.casefold().startswith(wanted)
        case "ends":
            return lambda text: text.casefold().endswith(wanted)
        case _:
            raise ValueError(f"there is no comparison {how!r}")


def _values(name: str, facts: MailFacts) -> Iterator[str]:
    """The values of a field: one, but for headers, which may be missing or come several times."""
    if name.startswith("header:"):
        wanted = name.removeprefix("header:").strip().lower()
        yield from (value for key, value in facts.headers if key.lower() == wanted)
    elif name == "sender_domain":
        yield facts.sender.rpartition("@")[2]
    else:
        yield str(getattr(facts, name))


_HOW_WORDS = {
    "equal": "is",
    "not_equal": "is not",
    "contains": "contains",
    "not_contains": "does not contain",
    "starts": "starts with",
    "not_starts": "does not start with",
    "ends": "ends with",
    "not_ends": "does not end with",
    "matches": "matches",
    "not_matches": "does not match",
}


def _in_words(condition: Condition) -> str:
    name = condition.field.replace("header:", "header ").replace("_", " ")
    return f'{name} {_HOW_WORDS[condition.how]} "{_short(condition.value)}"'


def _short(text: str) -> str:
    return text if len(text) <= _QUOTED_CAP else text[: _QUOTED_CAP - 3] + "..."
