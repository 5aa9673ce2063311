"""How tickets live here: statuses of one's own, what must be known before closing, custom fields, numbers."""

from __future__ import annotations

import re
from typing import Literal, Self, get_args

from pydantic import model_validator

from mailticket.config.capture import capture_problem
from mailticket.config.section import Section
from mailticket.config.values import Line, NotThis

State = Literal["open", "in-progress", "waiting", "on-hold", "resolved", "closed"]
"""The states a status of one's own may stand for: domain/status.py says what each means."""

STATES: tuple[State, ...] = get_args(State)

Requirement = Literal["topic", "assignee", "answer", "solution"]
"""What may have to be known before a ticket is resolved or closed: domain/guards.py says what each means."""

FieldType = Literal["text", "number", "date", "choice"]

_MASK = re.compile(
    r"(?:[A-Z][A-Z0-9]{0,9}-?)?(?:(?:\{year\}|\{month\}|\{year\}\{month\})-)?#{4,10}", re.ASCII
)


class Status(Section):
    """A status of the house's own. The ticket keeps its state beside it, and the state decides everything."""

    key: str = ""
    name: Line
    state: State


class CustomField(Section):
    """Something the house wants to know of its tickets.

    departments, topics  where it belongs; nothing means everywhere
    pattern              a regular expression whose one group takes the value from a new mail
    visible              customers may see it
    """

    key: str = ""
    name: Line
    type: FieldType = "text"
    choices: tuple[Line, ...] = ()
    required: bool = False
    """Must be set before a ticket is resolved or closed."""
    departments: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    visible: bool = False
    pattern: str | None = None
    pattern_in: Literal["subject", "body", "both"] = "subject"

    @model_validator(mode="after")
    def _choices_go_with_their_type(self) -> Self:
        if self.type == "choice" and not self.choices:
            raise NotThis("is a choice without choices")
        if self.type != "choice" and self.choices:
            raise NotThis(f'has choices, but its type is "{self.type}"', 'Write type = "choice"')
        folded = [choice.casefold() for choice in self.choices]
        if len(set(folded)) < len(folded):
            raise NotThis("has the same choice twice")
        problem = capture_problem(self.pattern) if self.pattern is not None else None
        if problem is not None:
            raise NotThis(f"has a pattern that {problem}")
        return self

    def belongs_to(self, department: str, topic: str | None) -> bool:
        """Whether tickets of this department and topic have the field."""
        at_home = not self.departments or department in self.departments
        return at_home and (not self.topics or topic in self.topics)


def number_mask(value: str) -> str:
    """A pattern of ticket numbers as it was written. Raises ValueError (`NotThis`) for what is none."""
    if _MASK.fullmatch(value) is None:
        raise NotThis(
            'must be letters, then {year}, {month} or both, then 4 to 10 "#", with hyphens between',
            'The default is "######"; another is "ACME-{year}-######"',
        )
    return value
