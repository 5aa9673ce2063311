"""The operator's rules, run over one mail in their order: which fire, and what they want done.

A rule that fires overrides what earlier ones set, and adds its tags and the like. One that stops, holds
or rejects is the last.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from mailticket.config.desk import Desk, Rule
from mailticket.domain.conditions import Unusable, Verdict, judge
from mailticket.domain.rule_facts import MailFacts

Occasion = Literal["new", "reply"]


@dataclass(frozen=True, slots=True)
class Asked:
    """Something a rule wants done, and which rule."""

    value: str
    rule: str

    @property
    def why(self) -> str:
        """The reason of the change it becomes."""
        return f'rule "{self.rule}"'


@dataclass(frozen=True, slots=True)
class Extras:
    """What rules want done beyond the ticket's own fields, in the order of the rules.

    fields  (key, value and rule) of custom fields, the last one for each key
    """

    tags: tuple[Asked, ...] = ()
    collaborators: tuple[Asked, ...] = ()
    fields: tuple[tuple[str, Asked], ...] = ()
    forward: tuple[Asked, ...] = ()
    webhooks: tuple[Asked, ...] = ()


NO_EXTRAS = Extras()


@dataclass(frozen=True, slots=True)
class Trial:
    """One rule, tried on a mail: whether it fired, and what decided that, in words."""

    rule: Rule
    fired: bool
    why: str


_ONE = ("department", "topic", "priority", "sla_plan", "agent", "team", "status", "canned", "reject", "hold")
_MANY = ("tags", "collaborators", "forward", "webhooks")


@dataclass(slots=True)
class Said:
    """What the rules have said so far: field -> value and rule."""

    values: dict[str, Asked] = field(default_factory=dict)
    many: dict[str, dict[str, Asked]] = field(default_factory=dict)
    acknowledge: bool = True
    acknowledge_why: str = ""
    reasons: list[str] = field(default_factory=list)
    fired: list[str] = field(default_factory=list)

    def hear(self, rule: Rule, facts: MailFacts) -> None:
        """Take down what a rule that fired wants."""
        then = rule.then
        for name in _ONE:
            value = getattr(then, name)
            if value is not None and not (name == "hold" and facts.released):
                self.values[name] = Asked(value, rule.name)
        if then.acknowledge is not None:
            self.acknowledge, self.acknowledge_why = then.acknowledge, f'rule "{rule.name}"'
        if then.reply_to is not None:
            self.values.pop("reply_to", None)
            if then.reply_to:
                self.values["reply_to"] = Asked(facts.reply_to, rule.name)
        for name in _MANY:
            for value in getattr(then, name):
                self.many.setdefault(name, {}).setdefault(value, Asked(value, rule.name))
        for key, value in then.fields.items():
            self.many.setdefault("fields", {})[key] = Asked(value, rule.name)

    def extras(self) -> Extras:
        """What is wanted beyond the ticket's own fields."""
        listed = {name: tuple(self.many.get(name, {}).values()) for name in _MANY}
        return Extras(**listed, fields=tuple(self.many.get("fields", {}).items()))

    def settle(self, name: str, label: str) -> str | None:
        """What only rules can say; the reason is kept."""
        asked = self.values.get(name)
        if asked is None:
            return None
        self.reasons.append(f'{label} "{asked.value}": {asked.why}')
        return asked.value


def run(facts: MailFacts, desk: Desk, occasion: Occasion) -> Said:
    """What the rules that fire on a mail want. Never raises for anything a mail holds."""
    said = Said()
    for rule, verdict in _verdicts(facts, desk, occasion):
        if isinstance(verdict, str):
            said.reasons.append(f'rule "{rule.name}": {verdict}')
        elif verdict.holds:
            said.fired.append(rule.name)
            said.reasons.append(f'rule "{rule.name}" matched: {verdict.words()}')
            said.hear(rule, facts)
    return said


def try_rules(facts: MailFacts, desk: Desk, occasion: Occasion) -> tuple[Trial, ...]:
    """Every rule of the desk, in order, and what became of it on this mail."""
    verdicts: dict[int, Verdict | str] = {}
    last = ""
    for rule, found in _verdicts(facts, desk, occasion):
        verdicts[id(rule)] = found
        last = rule.name
    trials: list[Trial] = []
    for rule in desk.rules:
        verdict = verdicts.get(id(rule))
        if verdict is None:
            aside = f"it looks at {'replies' if rule.on == 'reply' else 'new mails'} only"
            why = f'rule "{last}" was the last' if rule.is_on(occasion) else aside
            trials.append(Trial(rule, False, why))
        elif isinstance(verdict, str):
            trials.append(Trial(rule, False, verdict))
        else:
            trials.append(Trial(rule, verdict.holds, verdict.words(facts, desk)))
    return tuple(trials)


def _verdicts(facts: MailFacts, desk: Desk, occasion: Occasion) -> Iterator[tuple[Rule, Verdict | str]]:
    """The rules that are looked at, in order, each with its verdict, or why there can be none."""
    for rule in desk.rules:
        if not rule.is_on(occasion):
            continue
        try:
            verdict: Verdict | str = judge(rule, facts, desk)
        except Unusable as exc:
            verdict = str(exc)
        yield rule, verdict
        if _fires(verdict) and _ends(rule, facts):
            return


def _fires(verdict: Verdict | str) -> bool:
    return isinstance(verdict, Verdict) and verdict.holds


def _ends(rule: Rule, facts: MailFacts) -> bool:
    """Whether no later rule is looked at; a mail that a person let in is not held again."""
    return rule.stop or rule.then.reject is not None or (rule.then.hold is not None and not facts.released)
