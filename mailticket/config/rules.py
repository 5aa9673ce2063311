"""The operator's rules: what a mail has to be like, and what is then done with it.

A condition is one test of a mail, or a group of conditions (`all`, `any`, `none`) to any depth. What a
field is decides which comparisons go with it, and that is checked when the configuration is loaded: a
rule that could never mean anything is a mistake, not a rule that never fires.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, field_validator, model_validator

from mailticket.config.problems import did_you_mean
from mailticket.config.section import Section
from mailticket.config.values import Address, Line, NotThis

How = Literal[
    "equal", "not_equal", "contains", "not_contains", "starts", "not_starts",
    "ends", "not_ends", "matches", "not_matches", "over", "under", "at_least", "at_most", "in", "not_in",
]  # fmt: skip
HOWS: tuple[How, ...] = get_args(How)
OPPOSITES: dict[How, How] = {
    "equal": "not_equal", "contains": "not_contains", "starts": "not_starts", "ends": "not_ends",
    "matches": "not_matches", "over": "at_most", "at_least": "under", "in": "not_in",
}  # fmt: skip
OPPOSITES |= {second: first for first, second in OPPOSITES.items()}
"""One of each pair holds wherever the other does not."""

Level = Literal["token", "authenticated", "known", "unknown", "failed"]
"""How well a sender is known, best first: domain/types.py (Trust) says what each means."""
TRUST_LEVELS: tuple[Level, ...] = get_args(Level)

KINDS = (
    "human", "automatic", "auto-reply", "out-of-office", "bulk", "list", "notification", "bounce",
    "read-receipt", "feedback-report", "challenge",
)  # fmt: skip
"""What sort of mail it is (mail/types.py, MailKind); "automatic" is all but "human"."""

Sort = Literal["text", "number", "yes or no", "trust", "kind", "schedule", "language"]

_TEXT: tuple[How, ...] = HOWS[:10]
_NUMBER: tuple[How, ...] = ("equal", "not_equal", "over", "under", "at_least", "at_most")
COMPARISONS: dict[Sort, tuple[How, ...]] = {
    "text": _TEXT,
    "number": _NUMBER,
    "yes or no": ("equal", "not_equal"),
    "trust": ("equal", "not_equal", "at_least", "at_most"),
    "kind": ("equal", "not_equal"),
    "schedule": ("in", "not_in"),
    "language": ("equal", "not_equal"),
}
FIELDS: dict[str, Sort] = {
    **dict.fromkeys(
        ("sender", "sender_name", "sender_domain", "recipient", "addressee", "reply_to", "reply_to_name"),
        "text",
    ),
    **dict.fromkeys(("organisation", "subject", "body", "attachment_name", "attachment_type"), "text"),
    **dict.fromkeys(("size", "attachments", "open_tickets"), "number"),
    **dict.fromkeys(("first_contact", "bounced"), "yes or no"),
    "language": "language",
    "trust": "trust",
    "kind": "kind",
    "time": "schedule",
    **dict.fromkeys(
        ("ticket_department", "ticket_topic", "ticket_priority", "ticket_status", "ticket_agent"), "text"
    ),
    **dict.fromkeys(("ticket_team", "ticket_tag"), "text"),
}
"""What conditions can ask about, besides "header:NAME" and "field:KEY", compared as text or as numbers."""

OF_TICKETS = frozenset(name for name in FIELDS if name.startswith("ticket_"))
"""What only a reply has, besides custom fields: the ticket it goes to."""
OF_HISTORY = frozenset({"open_tickets", "bounced"})
"""What costs a question to the database."""

_OSTICKET_FIELDS = {"name": "sender_name", "email": "sender"}
_OSTICKET_HOWS = {"dn_contain": "not_contains", "match": "matches", "not_match": "not_matches"}
_HEADER_NAME = re.compile(r"[!-9;-~]{1,76}", re.ASCII)
_UNITS = {"": 1, "B": 1, "KB": 1000, "MB": 1_000_000, "GB": 1_000_000_000}
_AMOUNT = re.compile(r"([-+]?\d{1,15}(?:\.\d{1,6})?)\s?([kKMG]?B)?", re.ASCII)
_LANGUAGE = re.compile(r"[a-z]{2,3}", re.ASCII)
_DEEPEST = 8


def sort_of(field: str) -> Sort:
    """What a field is; a header or a custom field is text."""
    return FIELDS.get(field, "text")


def custom_field_of(field: str | None) -> str | None:
    """The key of the custom field that a condition looks at; None where it looks at something else."""
    return field.removeprefix("field:") if field is not None and field.startswith("field:") else None


def is_of_ticket(field: str | None) -> bool:
    """Whether only a reply has it."""
    return field in OF_TICKETS or custom_field_of(field) is not None


def parse_amount(text: str) -> float:
    """ "12" -> 12, "2.5 MB" -> 2500000. Raises ValueError (`NotThis`)."""
    found = _AMOUNT.fullmatch(text.strip())
    if found is None:
        raise NotThis('must be a number, with a unit where it is a size: 12 or "5 MB"')
    return float(found[1]) * _UNITS[(found[2] or "").upper()]


def _condition_field(value: str) -> str:
    head, colon, name = value.partition(":")
    if head.lower() == "header" and colon:
        if not _HEADER_NAME.fullmatch(name.strip()):
            raise NotThis('must name a header like "header:X-Spam-Flag"')
        return f"header:{name.strip()}"
    if head.lower() == "field" and name.strip():
        return f"field:{name.strip()}"
    plain = value.lower().replace("-", "_")
    plain = _OSTICKET_FIELDS.get(plain, plain)
    if plain not in FIELDS:
        raise NotThis("is no field of a mail", did_you_mean(plain, (*FIELDS, "header:NAME", "field:KEY")))
    return plain


def _how(value: Any) -> Any:
    return _OSTICKET_HOWS.get(value, value) if isinstance(value, str) else value


def _as_text(value: Any) -> Any:
    """Numbers and truths may be written as such."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value) if isinstance(value, (int, float)) else value


ConditionField = Annotated[str, AfterValidator(_condition_field)]
"""What of a mail a condition looks at."""

NewStatus = Line
"""In which status a ticket begins: a key of [statuses], or one of `lifecycle.STATES`."""


class Condition(Section):
    """One test of a mail (`field`, `how`, `value`), or a group of conditions: one of `all`, `any`, `none`.

    Text is compared without blanks around it and, but for `matches`, without minding case. `matches` is a
    regular expression, searched for in the first 64 kB of the field in time linear in the text.
    """

    field: ConditionField | None = None
    how: Annotated[How, BeforeValidator(_how)] | None = None
    value: Annotated[str, BeforeValidator(_as_text)] | None = None
    all: tuple[Condition, ...] = ()
    any: tuple[Condition, ...] = ()
    none: tuple[Condition, ...] = ()

    @property
    def group(self) -> tuple[Literal["all", "any", "none"], tuple[Condition, ...]] | None:
        """Which group it is, and of what; None for a test."""
        if self.all:
            return "all", self.all
        if self.any:
            return "any", self.any
        return ("none", self.none) if self.none else None

    def tests(self) -> Iterator[Condition]:
        """The tests in it, groups taken apart."""
        group = self.group
        if group is None:
            yield self
        else:
            for one in group[1]:
                yield from one.tests()

    @field_validator("how")
    @classmethod
    def _fits(cls, how: How | None, info: ValidationInfo) -> How | None:
        field = info.data.get("field")
        if field is None or how is None:
            return how
        sort = sort_of(field)
        either = field.startswith(("header:", "field:"))
        fitting = (*_TEXT, *_NUMBER[2:]) if either else COMPARISONS[sort]
        if how not in fitting:
            raise NotThis(f"does not go with {field}", f"What goes with it is {', '.join(fitting)}")
        return how

    @field_validator("value")
    @classmethod
    def _means_something(cls, value: str | None, info: ValidationInfo) -> str | None:
        field, how = info.data.get("field"), info.data.get("how")
        if value is None or field is None or how is None:
            return value
        return _checked_value(value, field, how)

    @model_validator(mode="after")
    def _is_one_thing(self) -> Self:
        test = [name for name in ("field", "how", "value") if getattr(self, name) is not None]
        groups = [name for name in ("all", "any", "none") if getattr(self, name)]
        if (len(groups) == 1 and test) or len(groups) > 1:
            raise NotThis(f"is one thing only, not {', '.join((*groups, *test))} together")
        if not groups and len(test) < 3:
            missing = [name for name in ("field", "how", "value") if name not in test]
            written = f"lacks {' and '.join(missing)}" if test else "is empty"
            raise NotThis(f"{written}: it takes field, how and value, or a list under all, any or none")
        if _depth(self) > _DEEPEST:
            raise NotThis(f"is nested deeper than {_DEEPEST}")
        return self


def _depth(condition: Condition) -> int:
    group = condition.group
    return 1 if group is None else 1 + max(map(_depth, group[1]))


def _checked_value(value: str, field: str, how: How) -> str:
    """The value in the form in which it is compared; raises `NotThis`."""
    sort = sort_of(field)
    if not value and how not in ("equal", "not_equal"):
        raise NotThis("must not be empty")
    if sort == "trust" and value not in TRUST_LEVELS:
        raise NotThis("is no trust level", did_you_mean(value, TRUST_LEVELS))
    if sort == "kind" and value not in KINDS:
        raise NotThis("is no kind of mail", did_you_mean(value, KINDS))
    if sort == "language" and not _LANGUAGE.fullmatch(value.lower()):
        raise NotThis('must be the code of a language, like "de"')
    if sort == "yes or no":
        plain = {"true": "yes", "false": "no"}.get(value.lower(), value.lower())
        if plain not in ("yes", "no"):
            raise NotThis("must be true or false")
        return plain
    if sort == "number" or how in ("over", "under", "at_least", "at_most"):
        if sort != "trust":
            parse_amount(value)
    elif how in ("matches", "not_matches"):
        try:
            re.compile(value)
        except (re.error, OverflowError, RecursionError) as exc:
            raise NotThis(f"is not a regular expression: {exc}") from None
    return value.lower() if sort == "language" else value


class Actions(Section):
    """What a rule does when it fires. What is None, or empty, stays as it is."""

    department: str | None = None
    topic: str | None = None
    priority: str | None = None
    sla_plan: str | None = None
    agent: str | None = None
    team: str | None = None
    status: NewStatus | None = None
    acknowledge: bool | None = None
    canned: str | None = None
    reply_to: bool | None = None
    tags: tuple[Line, ...] = ()
    collaborators: tuple[Address, ...] = ()
    fields: dict[str, str] = Field(default={})
    forward: tuple[Address, ...] = ()
    webhooks: tuple[str, ...] = ()
    hold: Line | None = None
    reject: Line | None = None

    @property
    def final(self) -> bool:
        """No ticket comes of it, so no later rule is looked at."""
        return self.reject is not None or self.hold is not None


NOT_ON_REPLIES = ("topic", "status", "canned", "reply_to", "reject")
"""Actions that decide how a ticket begins; a reply has one already, and is never refused."""


class Rule(Section):
    """What is done with mails that are so and so. Rules run in order; a later one overrides an earlier.

    on     which mails it looks at: those that open a ticket, replies to one, or both
    match  whether all of `when` must hold, one, or none
    """

    name: Line
    on: Literal["new", "reply", "both"] = "new"
    match: Literal["all", "any", "none"] = "all"
    when: tuple[Condition, ...] = ()
    then: Actions
    stop: bool = False

    def is_on(self, occasion: Literal["new", "reply"]) -> bool:
        """Whether it looks at such mails."""
        return self.on in (occasion, "both")

    @property
    def stops(self) -> bool:
        """Whether it is the last one when it fires."""
        return self.stop or self.then.final

    def tests(self) -> Iterator[Condition]:
        """Every test of a mail in it, groups taken apart."""
        for condition in self.when:
            yield from condition.tests()
