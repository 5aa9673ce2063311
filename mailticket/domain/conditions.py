"""Whether a mail is as a rule wants it, and which condition decided it, in words.

Text is compared without blanks around it and, but for `matches`, without minding case. A field may
have several values (a header, the addressees, the files): a test holds when it does for any of them,
and its negation when it holds for none, so also when there is no value at all. What is not a number
is neither over nor under anything.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from mailticket.config.desk import Condition, Desk, Rule, Schedule
from mailticket.config.field_values import FieldProblem, read_value, shown
from mailticket.config.pattern import BadPattern, compile_pattern
from mailticket.config.rules import OPPOSITES, TRUST_LEVELS, How, custom_field_of, parse_amount, sort_of
from mailticket.domain.rule_facts import MailFacts
from mailticket.domain.schedule import BadSchedule, WorkingTime

TEXT_CAP = 65_536
"""Conditions look at so many characters of a field; rules are about words, not about attachments."""

_QUOTED_CAP = 60
_SHOWN = 3
_LEADING_NUMBER = re.compile(r"\s*([-+]?\d{1,15}(?:\.\d{1,6})?)")


class Unusable(ValueError):
    """A condition cannot be judged, which the configuration should have refused; the text says why."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a rule's conditions hold, and the tests that decided it."""

    holds: bool
    decided: tuple[tuple[Condition, bool], ...]

    def words(self, facts: MailFacts | None = None, desk: Desk | None = None) -> str:
        """The tests that decided it as they came out; with `facts`, what stood there where one failed."""
        if not self.decided:
            return "it has no conditions"
        told = [in_words(test, held) for test, held in self.decided]
        if facts is not None and desk is not None:
            for place, (test, held) in enumerate(self.decided):
                told[place] += "" if held else _instead(test, facts, desk)
        return " and ".join(dict.fromkeys(told))


def judge(rule: Rule, facts: MailFacts, desk: Desk) -> Verdict:
    """Whether a rule fires on a mail. Raises `Unusable`; never anything else, whatever the mail holds."""
    if not rule.when:
        return Verdict(True, ())
    return _group(rule.match, rule.when, facts, desk)


def _group(kind: str, conditions: Sequence[Condition], facts: MailFacts, desk: Desk) -> Verdict:
    """All of them, any, or none: it ends with the first that decides, and else all together do."""
    decided: tuple[tuple[Condition, bool], ...] = ()
    ends_when = kind != "all"
    for condition in conditions:
        group = condition.group
        if group is not None:
            one = _group(group[0], group[1], facts, desk)
        else:
            held = holds(condition, facts, desk)
            one = Verdict(held, ((condition, held),))
        if one.holds is ends_when:
            return Verdict(kind == "any", one.decided)
        decided += one.decided
    return Verdict(kind != "any", decided)


def holds(test: Condition, facts: MailFacts, desk: Desk) -> bool:
    """Whether a single test holds. Raises `Unusable`."""
    field, how, value = test.field, test.how, test.value
    if field is None or how is None or value is None:
        raise Unusable("it is no test")
    if field == "time":
        return _is_open(value, facts, desk) is (how == "in")
    wanted = OPPOSITES[how] if how.startswith("not_") else how
    passes = _test(field, wanted, _as_kept(field, value, desk) if wanted == "equal" else value)
    return any(passes(found[:TEXT_CAP].strip()) for found in values_of(field, facts, desk)) is (wanted == how)


def _as_kept(field: str, value: str, desk: Desk) -> str:
    """What a custom field is compared with, written as tickets keep it: "21.11.2026" as "2026-11-21"."""
    known = desk.fields.get(custom_field_of(field) or "")
    read = read_value(known, value) if known is not None else None
    return value if read is None or isinstance(read, FieldProblem) else shown(read)


def _test(field: str, how: How, value: str) -> Callable[[str], bool]:
    sort = sort_of(field)
    if sort == "trust":
        return _trust_test(how, value)
    if sort == "number" or how in ("over", "under", "at_least", "at_most"):
        return _number_test(how, value)
    if how == "matches":
        try:
            return compile_pattern(value).found_in
        except BadPattern as exc:
            raise Unusable(f'its pattern "{short(value)}" is not used: {exc}') from exc
    if field == "kind" and value == "automatic":
        return lambda text: text != "human"
    return _text_test(how, value.strip().casefold())


def _text_test(how: How, wanted: str) -> Callable[[str], bool]:
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
            raise Unusable(f"there is no comparison {how!r} of texts")


def _number_test(how: How, value: str) -> Callable[[str], bool]:
    try:
        bound = parse_amount(value)
    except ValueError as exc:
        raise Unusable(f'its value "{short(value)}" {exc}') from exc

    def passes(text: str) -> bool:
        found = _LEADING_NUMBER.match(text)
        return found is not None and _compare(how, float(found[1]), bound)

    return passes


def _trust_test(how: How, value: str) -> Callable[[str], bool]:
    """Levels from the worst to the best, so that "at least known" means known or better."""
    worst_first = [str(level) for level in reversed(TRUST_LEVELS)]
    if value not in worst_first:
        raise Unusable(f'there is no trust level "{short(value)}"')
    bound = worst_first.index(value)
    return lambda text: text in worst_first and _compare(how, worst_first.index(text), bound)


def _compare(how: How, found: float, bound: float) -> bool:
    match how:
        case "equal":
            return found == bound
        case "over":
            return found > bound
        case "under":
            return found < bound
        case "at_least":
            return found >= bound
        case "at_most":
            return found <= bound
        case _:
            raise Unusable(f"there is no comparison {how!r} of numbers")


def _is_open(key: str, facts: MailFacts, desk: Desk) -> bool:
    schedule = desk.schedules.get(key)
    if schedule is None:
        raise Unusable(f'there is no schedule "{short(key)}"')
    if facts.at is None:
        return False
    try:
        return _ready(schedule.model_dump_json(), desk.time_zone).is_open(facts.at)
    except BadSchedule as exc:
        raise Unusable(f'schedule "{key}": {exc}') from exc


@lru_cache(maxsize=64)
def _ready(schedule: str, time_zone: str) -> WorkingTime:
    """A schedule made ready for use, once: a year of holidays costs 0.3 s."""
    return WorkingTime(Schedule.model_validate_json(schedule), time_zone)


# -- what a mail has -----------------------------------------------------------------------------------


def values_of(field: str, facts: MailFacts, desk: Desk) -> Iterator[str]:
    """The values of a field of a mail, as text; none where the mail has no such thing."""
    if field.startswith("header:"):
        wanted = field.removeprefix("header:").strip().lower()
        yield from (value for key, value in facts.headers if key.lower() == wanted)
    elif (key := custom_field_of(field)) is not None:
        value = facts.ticket.fields.get(key) if facts.ticket is not None else None
        if value is not None:
            yield shown(value)
    elif field.startswith("ticket_"):
        yield from _of_ticket(field.removeprefix("ticket_"), facts)
    elif field == "organisation":
        organisation = desk.organisation_of(facts.sender)
        if organisation is not None:
            yield organisation
    else:
        yield from _of_mail(field, facts)


def _of_mail(field: str, facts: MailFacts) -> Iterator[str]:
    match field:
        case "sender_domain":
            yield facts.sender.rpartition("@")[2]
        case "addressee":
            yield from facts.addressees
        case "attachment_name":
            yield from (name for name, _ in facts.files)
        case "attachment_type":
            yield from (kind for _, kind in facts.files)
        case "attachments":
            yield str(len(facts.files))
        case "first_contact":
            yield "no" if facts.known_sender else "yes"
        case "bounced":
            yield "yes" if facts.history.bounced else "no"
        case "open_tickets":
            yield str(facts.history.open_tickets)
        case _:
            yield str(getattr(facts, field))


def _of_ticket(name: str, facts: MailFacts) -> Iterator[str]:
    ticket = facts.ticket
    if ticket is None:
        return
    if name == "tag":
        yield from ticket.tags
        return
    value = getattr(ticket, "assignee" if name == "agent" else name)
    if value is not None:
        yield str(value)
    if name == "status" and ticket.custom_status is not None:
        yield ticket.custom_status


# -- in words --------------------------------------------------------------------------------------------

_HOW_WORDS: dict[How, str] = {
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
    "over": "is over",
    "under": "is under",
    "at_least": "is at least",
    "at_most": "is at most",
    "in": "is within",
    "not_in": "is outside",
}
_TRUTHS = {
    ("first_contact", "yes"): "the sender has never written before",
    ("first_contact", "no"): "the sender has written before",
    ("bounced", "yes"): "mail to the sender has come back",
    ("bounced", "no"): "mail to the sender has not come back",
}


def in_words(test: Condition, held: bool = True) -> str:
    """A test that held, or one that did not: 'subject contains "x"', 'subject does not contain "x"'."""
    how: How = test.how or "equal"
    if not held:
        how = OPPOSITES[how]
    field, value = test.field or "", test.value or ""
    if sort_of(field) == "yes or no":
        truth = value if how == "equal" else {"yes": "no", "no": "yes"}.get(value, value)
        return _TRUTHS.get((field, truth), f"{field} is {truth}")
    name = field.replace("header:", "header ").replace("field:", "field ").replace("_", " ")
    return f'{name} {_HOW_WORDS[how]} "{short(value)}"'


def rule_in_words(rule: Rule) -> str:
    """What a rule asks of a mail: 'subject contains "a" or (trust is "known" and size is over "5 MB")'."""
    if not rule.when:
        return "every mail"
    return _group_in_words(rule.match, rule.when)


def _group_in_words(kind: str, conditions: Sequence[Condition]) -> str:
    told = []
    for one in conditions:
        group = one.group
        if group is None:
            told.append(in_words(one))
        else:
            inner = _group_in_words(*group)
            several = len(group[1]) > 1 and group[0] != "none" and len(conditions) + (kind == "none") > 1
            told.append(f"({inner})" if several else inner)
    if kind == "none":
        return f"none of ({'; '.join(told)})"
    return (" and " if kind == "all" else " or ").join(told)


def _instead(test: Condition, facts: MailFacts, desk: Desk) -> str:
    """What the mail has in the place of what was asked, where that is short enough to help."""
    field = test.field or ""
    if field in ("body", "time") or sort_of(field) == "yes or no":
        return ""
    found = [value for value in values_of(field, facts, desk) if value]
    if not found:
        return " (there is none)"
    shown = ", ".join(f'"{short(value)}"' for value in found[:_SHOWN])
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return f" (it is {shown}{more})"


def short(text: str) -> str:
    """A text cut to what fits into a sentence."""
    return text if len(text) <= _QUOTED_CAP else text[: _QUOTED_CAP - 3] + "..."
