"""Which tickets somebody wants to see: from options, a saved queue or words, checked as a whole."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from mailticket.config.desk import Desk
from mailticket.config.problems import did_you_mean
from mailticket.config.queues import HOW, SavedQueue
from mailticket.domain.status import Status
from mailticket.domain.terms import Question, question
from mailticket.domain.when import parse_moment
from mailticket.mail.address import canonical
from mailticket.mail.nearest import nearest

SORTS: Final = ("due", "created", "updated", "closed", "priority")
NOBODY: Final = "-"
LISTS: Final = (
    "status", "department", "topic", "priority", "assignee", "team", "requester", "organisation", "tag",
    "field",
)  # fmt: skip
MOMENTS: Final = tuple(
    f"{what}_{side}" for what in ("created", "updated", "due", "closed") for side in ("since", "until")
)
FLAGS: Final = ("overdue", "unassigned", "held", "unanswered", "all", "reverse")
FILTERS: Final = (*LISTS, *MOMENTS, *FLAGS, "sort")
_SHORT: Final = {
    "since": "updated_since", "until": "updated_until", "from": "requester", "agent": "assignee",
    "dept": "department", "prio": "priority", "is": "status", "org": "organisation",
}  # fmt: skip
_WORD: Final = re.compile(r'([a-z][a-z_-]*):("[^"]*"|\S+)', re.ASCII | re.IGNORECASE)

Given = Mapping[str, Sequence[str]]
"""Filters as written: by name, one or more values. A flag has any value; "words" is what to search for."""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time; None is open."""

    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class TicketQuery:
    """Which tickets. All conditions hold together; of several values of one, any does.

    status     none: the unfinished ones, or with `every` all
    assignee   keys of agents; None stands for nobody
    requester  canonical addresses, "@domain", or parts of a name
    domains    of organisations
    field      custom fields: (key, value)
    """

    asked: Question | None = None
    status: tuple[str, ...] = ()
    department: tuple[str, ...] = ()
    topic: tuple[str, ...] = ()
    priority: tuple[str, ...] = ()
    assignee: tuple[str | None, ...] = ()
    team: tuple[str, ...] = ()
    requester: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    tag: tuple[str, ...] = ()
    field: tuple[tuple[str, str], ...] = ()
    created: Span = Span()
    updated: Span = Span()
    due: Span = Span()
    closed: Span = Span()
    overdue: bool = False
    held: bool = False
    unanswered: bool = False
    every: bool = False
    sort: str = "due"
    reverse: bool = False


BUILT_IN: Final[dict[str, SavedQueue]] = {
    key: SavedQueue(key=key, **values)  # type: ignore[arg-type]
    for key, values in {
        "mine": {"name": "Mine", "description": "assigned to me", "assignee": ("me",)},
        "unassigned": {"name": "Unassigned", "description": "nobody has taken them", "assignee": (NOBODY,)},
        "overdue": {"name": "Overdue", "description": "a promise is broken", "overdue": True},
        "due-today": {"name": "Due today", "description": "due before midnight", "due_until": "today"},
        "unanswered": {
            "name": "Unanswered",
            "description": "the customer wrote last",
            "unanswered": True,
        },
        "waiting": {"name": "Waiting", "description": "for the customer", "status": ("waiting",)},
        "on-hold": {"name": "On hold", "description": "for somebody else", "status": ("on-hold",)},
        "held": {"name": "Held", "description": "replies that wait for a decision", "held": True},
        "new": {"name": "New", "description": "came in since yesterday", "created_since": "yesterday"},
        "closed": {
            "name": "Closed lately",
            "description": "resolved or closed in the last week",
            "status": ("resolved", "closed"),
            "closed_since": "7d",
            "sort": "closed",
        },
        "all": {"name": "All open", "description": "everything that is not finished"},
    }.items()
}
"""Queues every desk has; one of the same name in the configuration takes its place."""


def queues_of(desk: Desk) -> dict[str, SavedQueue]:
    """All saved queues by key: the desk's own, then the built-in ones it does not replace."""
    return {**desk.queues, **{key: queue for key, queue in BUILT_IN.items() if key not in desk.queues}}


def given_of(queue: SavedQueue) -> dict[str, list[str]]:
    """A saved queue as filters."""
    given: dict[str, list[str]] = {}
    for name in (*LISTS, *MOMENTS, *FLAGS, "sort", "words"):
        value = getattr(queue, name, None)
        if isinstance(value, tuple) and value:
            given[name] = list(value)
        elif isinstance(value, bool) and value:
            given[name] = ["yes"]
        elif isinstance(value, str) and value and (name, value) != ("sort", "due"):
            given[name] = [value]
    return given


def given_of_words(text: str, desk: Desk, *, queues: bool = True) -> dict[str, list[str]] | str:
    """Filters from one line: `overdue department:it "paper jam" since:7d`; a sentence for what is no filter.

    A word that names a queue is that queue (with `queues`); `name:value` is a filter where the name is one;
    everything else is searched for.
    """
    known, given, rest = queues_of(desk), dict[str, list[str]](), list[str]()
    at = 0
    for found in [*_WORD.finditer(text), None]:
        between = text[at : found.start() if found is not None else len(text)]
        for word in between.split():
            if queues and word.casefold() in known and '"' not in between:
                given = {**given, **given_of(known[word.casefold()])}
            else:
                rest.append(word)
        if found is None:
            break
        at = found.end()
        name = found[1].lower().replace("-", "_")
        name = _SHORT.get(name, name)
        if name not in FILTERS:
            near = nearest(name, FILTERS) if len(name) > 3 else None
            if near is not None:
                return f"{found[1]}: is no filter. Did you mean {near}:?"
            rest.append(found[0])
        elif name in given and name in LISTS:
            given[name] = [*given[name], *_values(found[2])]
        else:
            given[name] = _values(found[2])
    if rest:
        given["words"] = [" ".join([*given.get("words", ()), *rest])]
    return given


def _values(written: str) -> list[str]:
    return [part for part in written.strip('"').split(",") if part]


@dataclass(frozen=True, slots=True)
class Access:
    """What an agent may see, where that is not everything: these departments, their own, their teams'."""

    agent: str
    departments: tuple[str, ...]
    teams: tuple[str, ...]


def access_of(desk: Desk, agent: str) -> Access | None:
    """What lists show an agent; None for everything. The same as permissions.why_no_access."""
    if (desk.agents[agent].access or desk.access) == "all":
        return None
    departments = tuple(
        key for key, one in desk.departments.items() if one.manager == agent or agent in desk.members_of(key)
    )
    teams = tuple(key for key, team in desk.teams.items() if agent in (*team.members, team.lead))
    return Access(agent, departments, teams)


def ticket_query(
    given: Given, desk: Desk, now: datetime, zone: ZoneInfo, reader: str | None = None
) -> TicketQuery | tuple[str, ...]:
    """The query that filters mean; sentences, one per filter that means nothing.

    reader: the key of the agent who asks, for whom "me" stands. Times are read in `zone`.
    """
    work = _Building(desk, now, zone, reader)
    values: dict[str, Any] = {
        name: work.read(name, list(written)) for name, written in given.items() if written
    }
    if work.problems:
        return tuple(work.problems)
    query: dict[str, Any] = {name: value for name, value in values.items() if name in _FIELDS}
    if "unassigned" in given:
        query["assignee"] = (None,)
    if "all" in given:
        query["every"] = True
    for what in ("created", "updated", "due", "closed"):
        query[what] = Span(values.get(f"{what}_since"), values.get(f"{what}_until"))
    if "organisation" in values:
        query["domains"] = values["organisation"]
    if "words" in values:
        query["asked"] = values["words"]
    return TicketQuery(**query)


_FIELDS: Final = {item.name for item in fields(TicketQuery)}


class _Building:
    """Filters being read; `problems` fills up."""

    def __init__(self, desk: Desk, now: datetime, zone: ZoneInfo, reader: str | None) -> None:
        self.desk, self.now, self.zone, self.reader = desk, now, zone, reader
        self.problems: list[str] = []

    def read(self, name: str, written: list[str]) -> Any:
        """The value of one filter."""
        if name in MOMENTS:
            return self._moment(name, written[-1])
        if name in FLAGS:
            return True
        match name:
            case "words":
                asked = question(" ".join(written))
                if asked is None:
                    self.problems.append(f"{' '.join(written)!r} holds no word to search for")
                return asked
            case "sort":
                return self._one_of("sort", written[-1], SORTS)
            case "requester":
                return tuple(canonical(one) if "@" in one[1:] else one.casefold() for one in written)
            case "tag":
                return tuple(one.casefold() for one in written)
            case "field":
                return tuple(pair for one in written if (pair := self._field(one)) is not None)
            case "assignee":
                return tuple(self._assignee(one) for one in written)
            case "organisation":
                return tuple(domain for one in written for domain in self._domains(one))
        known: dict[str, Collection[str]] = {
            "status": [str(status) for status in Status],
            "department": self.desk.departments,
            "topic": self.desk.topics,
            "priority": self.desk.priorities,
            "team": self.desk.teams,
        }
        return tuple(self._one_of(name, one, known[name]) for one in written)

    def _one_of(self, name: str, word: str, known: Collection[str]) -> str:
        for candidate in known:
            if candidate.casefold() == word.casefold():
                return candidate
        self.problems.append(f"there is no {name} {word!r}. {did_you_mean(word, known) or ''}".strip())
        return word

    def _assignee(self, word: str) -> str | None:
        if word in (NOBODY, "nobody", "none"):
            return None
        if word.casefold() == "me":
            if self.reader is None:
                self.problems.append("whose tickets? name the agent who asks")
            return self.reader
        return self._one_of("agent", word, self.desk.agents)

    def _domains(self, word: str) -> tuple[str, ...]:
        key = self._one_of("organisation", word, self.desk.organisations)
        found = self.desk.organisations.get(key)
        return tuple(found.domains) if found is not None else ()

    def _field(self, word: str) -> tuple[str, str] | None:
        key, equals, value = word.partition("=")
        if not equals or not key:
            self.problems.append(f"a field is written KEY=VALUE, not {word!r}")
            return None
        return key, value

    def _moment(self, name: str, word: str) -> datetime | None:
        moment = parse_moment(word, self.now, self.zone, end=name.endswith("_until"))
        if moment is None:
            self.problems.append(f"{name}: {word!r} is no moment; {HOW}")
        return moment
