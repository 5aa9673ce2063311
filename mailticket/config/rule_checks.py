"""What no rule can be checked for alone: names that must exist, actions that fit, rules that never fire."""

from __future__ import annotations

from collections.abc import Iterator

from mailticket.config.desk import ArrivalAddress, HelpTopic, Rule
from mailticket.config.field_values import FieldProblem, read_value
from mailticket.config.lifecycle import STATES, CustomField
from mailticket.config.pattern import regex_problem
from mailticket.config.problems import Path, did_you_mean
from mailticket.config.queue_references import STATUSES
from mailticket.config.rules import (
    NOT_ON_REPLIES,
    OPPOSITES,
    Condition,
    How,
    custom_field_of,
    is_of_ticket,
)
from mailticket.config.validate import Draft
from mailticket.config.written import addresses

_NAMED = {
    "time": ("schedules", "schedule"),
    "organisation": ("organisations", "organisation"),
    "ticket_department": ("departments", "department"),
    "ticket_topic": ("topics", "help topic"),
    "ticket_priority": ("priorities", "priority"),
    "ticket_agent": ("agents", "agent"),
    "ticket_team": ("teams", "team"),
}
"""Fields whose values are keys: the section, and the word for what it holds."""
_ONE_VALUE = frozenset({"sender", "sender_name", "sender_domain", "recipient", "reply_to", "subject", "body"})


def rules_have_different_names(draft: Draft) -> None:
    """Reasons name rules, so two must not share a name."""
    seen: set[str] = set()
    for index, rule in _rules(draft):
        if rule.name in seen:
            message = "is the name of an earlier rule too"
            draft.document.report(("rules", index, "name"), message, value=rule.name)
        seen.add(rule.name)


def patterns_are_supported(draft: Draft) -> None:
    """The rules' matcher runs in linear time, so it takes less than Python's regular expressions."""
    for path, test in _tests(draft):
        problem = regex_problem(test.value or "") if test.how in ("matches", "not_matches") else None
        if problem is not None:
            draft.document.report((*path, "value"), problem, value=test.value)


def conditions_name_what_exists(draft: Draft) -> None:
    """Schedules, departments and the like that conditions compare with are there."""
    for path, test in _tests(draft):
        if test.field not in _NAMED or test.how not in ("equal", "not_equal", "in", "not_in"):
            continue
        section, noun = _NAMED[test.field]
        known = draft.document.tree.get(section, {})
        if test.value not in known:
            hint = did_you_mean(test.value or "", known)
            draft.document.report((*path, "value"), f"names no {noun}", value=test.value, suggestion=hint)


def conditions_fit_what_tickets_have(draft: Draft) -> None:
    """Statuses and values of custom fields that conditions compare with are such as a ticket can have."""
    statuses = (*STATUSES, *draft.document.tree.get("statuses", {}))
    for path, test in _tests(draft):
        exactly = test.how in ("equal", "not_equal")
        if test.field == "ticket_status" and exactly and test.value not in statuses:
            hint = did_you_mean(test.value or "", statuses)
            draft.document.report((*path, "value"), "is no status", value=test.value, suggestion=hint)
        key = custom_field_of(test.field)
        if key is not None:
            _check_custom_field(draft, path, test, key)


def _check_custom_field(draft: Draft, path: Path, test: Condition, key: str) -> None:
    known = draft.document.tree.get("fields", {})
    if key not in known:
        hint = did_you_mean(key, known)
        message = "names no custom field"
        draft.document.report((*path, "field"), message, value=test.field, suggestion=hint)
        return
    field = draft.entries["fields"].get(key)
    if not isinstance(field, CustomField):
        return  # it has a mistake of its own
    if test.how in ("over", "under", "at_least", "at_most") and field.type != "number":
        message = f"compares numbers, and fields.{key} is a {field.type}"
        draft.document.report((*path, "how"), message, value=test.how)
    elif test.how in ("equal", "not_equal"):
        value = read_value(field, test.value or "")
        if isinstance(value, FieldProblem):
            draft.document.report((*path, "value"), f"cannot be: {value.reason}", value=test.value)
        elif value is None:
            message = "is no value: it takes one away"
            hint = 'Whether there is any is { how = "matches", value = "." }'
            draft.document.report((*path, "value"), message, value=test.value, suggestion=hint)


def actions_fit_the_mails(draft: Draft) -> None:
    """A reply has a ticket already; a new mail has none."""
    for index, rule in _rules(draft):
        if rule.is_on("reply"):
            for name in NOT_ON_REPLIES:
                if getattr(rule.then, name) is not None:
                    message = f'cannot be done with a reply, and the rule has on = "{rule.on}"'
                    hint = _INSTEAD.get(name, 'Write a rule of its own for it, with on = "new"')
                    draft.document.report(("rules", index, "then", name), message, suggestion=hint)
        if rule.on == "new":
            for path, test in _tests_of(index, rule):
                if is_of_ticket(test.field):
                    message = "is known of replies only, and the rule looks at new mails"
                    hint = 'Write on = "reply" in the rule'
                    draft.document.report((*path, "field"), message, suggestion=hint)


_INSTEAD = {"reject": 'A reply can be held: hold = "why it waits"'}


def fields_take_what_rules_give(draft: Draft) -> None:
    """Custom fields that rules set are there, and the values are such as they have."""
    fields = draft.document.tree.get("fields", {})
    for index, rule in _rules(draft):
        path: Path = ("rules", index, "then")
        for key, written in rule.then.fields.items():
            place = (*path, "fields", key)
            field = draft.entries["fields"].get(key)
            value = read_value(field, written) if isinstance(field, CustomField) else None
            if key not in fields:
                draft.document.report(place, "names no custom field", suggestion=did_you_mean(key, fields))
            elif isinstance(value, FieldProblem):
                draft.document.report(place, f"cannot be: {value.reason}", value=written)


def tickets_begin_in_a_status(draft: Draft) -> None:
    """Rules and topics name a status of the house's own, or a state in which a ticket can begin."""
    known = (*STATES, *draft.document.tree.get("statuses", {}))
    named: list[tuple[Path, str | None]] = [
        (("rules", index, "then", "status"), rule.then.status) for index, rule in _rules(draft)
    ]
    for key, topic in draft.entries["topics"].items():
        assert isinstance(topic, HelpTopic)
        named.append((("topics", key, "status"), topic.status))
    for path, status in named:
        if status is not None and status not in known:
            hint = did_you_mean(status, known)
            draft.document.report(path, "is no status a ticket can begin in", value=status, suggestion=hint)


def copies_do_not_come_back(draft: Draft) -> None:
    """Nothing is forwarded to an address of the desk, and agents need not be let in as outsiders."""
    served = {address.lower(): key for address, key in _served(draft)}
    agents = {address.lower() for _, address in addresses(draft, "agents")}
    for index, rule in _rules(draft):
        for name in ("forward", "collaborators"):
            for place, address in enumerate(getattr(rule.then, name)):
                path: Path = ("rules", index, "then", name, place)
                if address.lower() in served:
                    message = f"is an address of departments.{served[address.lower()]}: it would come back"
                    hint = "To move the ticket there, write department = ..."
                    draft.document.report(path, message, value=address, suggestion=hint)
                elif name == "collaborators" and address.lower() in agents:
                    message = "is an agent's address: collaborators are outsiders"
                    hint = "An agent gets a ticket by agent = ..."
                    draft.document.report(path, message, value=address, suggestion=hint)


def arrivals_are_served(draft: Draft) -> None:
    """What mail to an address brings with it is said once, of an address that a department has."""
    served = {address.lower() for address, _ in _served(draft)}
    seen: dict[str, str] = {}
    for key, entry in draft.entries["arrivals"].items():
        assert isinstance(entry, ArrivalAddress)
        path: Path = ("arrivals", key, "address")
        if entry.address.lower() not in served:
            hint = did_you_mean(entry.address, served)
            draft.document.report(
                path, "is the address of no department", value=entry.address, suggestion=hint
            )
        first = seen.setdefault(entry.address.lower(), key)
        if first != key:
            draft.document.report(path, f"is the address of arrivals.{first} too", value=entry.address)


def rules_can_fire(draft: Draft) -> None:
    """Warn of a rule that never fires: it contradicts itself, or an earlier one ends all it looks at."""
    earlier: list[Rule] = []
    for index, rule in _rules(draft):
        odd = _contradiction(rule)
        if odd is not None:
            message = f"can never fire: no mail has a {odd.field} that fits all its conditions"
            draft.document.report(("rules", index), message, warning=True)
        before = next((one for one in earlier if _shadows(one, rule)), None)
        if before is not None:
            message = f'can never fire: whenever it would, "{before.name}" fires before it and is the last'
            hint = "Put it in front of that rule"
            draft.document.report(("rules", index), message, warning=True, suggestion=hint)
        earlier.append(rule)


def _shadows(first: Rule, later: Rule) -> bool:
    """Whether `first` fires and stops wherever `later` would fire, as far as equal conditions show."""
    if not first.stop and first.then.reject is None:
        return False  # a rule that holds lets a mail pass that a person released
    if first.on not in (later.on, "both"):
        return False
    if not first.when:
        return True
    if later.match == "any":
        return bool(later.when) and all(_implies((one,), first) for one in later.when)
    return later.match == "all" and _implies(later.when, first)


def _implies(given: tuple[Condition, ...], rule: Rule) -> bool:
    """Whether a rule fires for certain where all of `given` hold."""
    if rule.match == "all":
        return all(condition in given for condition in rule.when)
    return rule.match == "any" and any(condition in given for condition in rule.when)


def _contradiction(rule: Rule) -> Condition | None:
    """A test that cannot hold together with another one of the same rule."""
    if rule.match != "all":
        return None
    tests = [one for one in rule.when if one.group is None and one.how is not None and one.field]
    seen: set[tuple[str, How, str]] = set()
    is_equal: dict[str, str] = {}
    for test in tests:
        assert test.field is not None
        assert test.how is not None
        value = test.value or ""
        if (test.field, OPPOSITES[test.how], value) in seen:
            return test
        seen.add((test.field, test.how, value))
        if test.how == "equal" and test.field in _ONE_VALUE:
            plain = value.strip().casefold()
            if is_equal.setdefault(test.field, plain) != plain:
                return test
    return None


def _rules(draft: Draft) -> Iterator[tuple[int, Rule]]:
    for index, rule in draft.rules.items():
        assert isinstance(rule, Rule)
        yield index, rule


def _tests(draft: Draft) -> Iterator[tuple[Path, Condition]]:
    """Every test of every rule, with its place."""
    for index, rule in _rules(draft):
        yield from _tests_of(index, rule)


def _tests_of(index: int, rule: Rule) -> Iterator[tuple[Path, Condition]]:
    for place, condition in enumerate(rule.when):
        yield from _tests_in(condition, ("rules", index, "when", place))


def _tests_in(condition: Condition, path: Path) -> Iterator[tuple[Path, Condition]]:
    group = condition.group
    if group is None:
        yield path, condition
        return
    for place, inner in enumerate(group[1]):
        yield from _tests_in(inner, (*path, group[0], place))


def _served(draft: Draft) -> Iterator[tuple[str, str]]:
    """Every address of a department, and the department's key."""
    return ((address, str(path[1])) for path, address in addresses(draft, "departments"))
