"""Which tickets somebody wants to see: from options, a saved queue or words, checked as a whole."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from mailticket.config.desk import Desk
from mailticket.config.field_values import FieldProblem, FieldValue, read_value
from mailticket.config.problems import did_you_mean
from mailticket.config.queues import HOW, SavedQueue
from mailticket.config.values import parse_duration
from mailticket.domain.status import Status
from mailticket.domain.terms import Question, question
from mailticket.domain.types import Trust
from mailticket.domain.when import parse_moment
from mailticket.mail.address import canonical
from mailticket.mail.nearest import nearest

SORTS: Final = ("due", "created", "updated", "closed", "priority")
NOBODY: Final = "-"
LISTS: Final = (
    "status", "department", "topic", "priority", "sla_plan", "assignee", "team", "requester", "participant",
    "organisation", "language", "trust", "source", "tag", "field",
)  # fmt: skip
TIMES: Final = ("created", "updated", "due", "closed", "wrote", "answered")
MOMENTS: Final = tuple(f"{what}_{side}" for what in TIMES for side in ("since", "until"))
FLAGS: Final = ("overdue", "unassigned", "held", "unanswered", "all", "reverse")
FILTERS: Final = (*LISTS, *MOMENTS, *FLAGS, "spent", "sort")
_SHORT: Final = {
    "since": "updated_since", "until": "updated_until", "from": "requester", "agent": "assignee",
    "dept": "department", "prio": "priority", "is": "status", "org": "organisation", "sla": "sla_plan",
    "plan": "sla_plan", "lang": "language", "with": "participant", "via": "source",
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
    own_status  statuses of the house's own: (state, key); what has one of these or one of `status` fits
    department  what is referred to one of them fits too
    assignee   keys of agents; None stands for nobody
    requester  canonical addresses, "@domain", or parts of a name
    participant  canonical addresses of people who take part
    domains    of organisations
    language   tags: "de" stands for "de-AT" too
    trust      how well the author of one of its messages was known
    source     how it came in: "smtp", "imap", or one mailbox as "imap:NAME"
    field      custom fields: (key, value); None stands for no value
    spent      at least so much time was spent on it
    wrote, answered  when the customer last wrote, and when they were last answered
    """

    asked: Question | None = None
    status: tuple[str, ...] = ()
    own_status: tuple[tuple[str, str], ...] = ()
    department: tuple[str, ...] = ()
    topic: tuple[str, ...] = ()
    priority: tuple[str, ...] = ()
    sla_plan: tuple[str, ...] = ()
    assignee: tuple[str | None, ...] = ()
    team: tuple[str, ...] = ()
    requester: tuple[str, ...] = ()
    participant: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    language: tuple[str, ...] = ()
    trust: tuple[str, ...] = ()
    source: tuple[str, ...] = ()
    tag: tuple[str, ...] = ()
    field: tuple[tuple[str, FieldValue], ...] = ()
    spent: timedelta | None = None
    created: Span = Span()
    updated: Span = Span()
    due: Span = Span()
    closed: Span = Span()
    wrote: Span = Span()
    answered: Span = Span()
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
    for name in (*LISTS, *MOMENTS, *FLAGS, "spent", "sort", "words"):
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

    A word that names a queue is that queue (with `queues`); `name:value` is a filter where the name is one,
    else (with `queues`) a mistake; everything else is searched for.
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
            if queues:
                return f"{found[1]}: is no filter. To look for the words: search {found[0]}"
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
    if "status" in values:
        query |= dict(zip(("status", "own_status"), values["status"], strict=True))
    if "unassigned" in given:
        query["assignee"] = (None,)
    if "all" in given:
        query["every"] = True
    for what in TIMES:
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
            case "spent":
                return self._length(written[-1])
            case "status":
                return self._statuses(written)
            case "requester":
                return tuple(canonical(one) if "@" in one[1:] else one.casefold() for one in written)
            case "participant":
                return tuple(canonical(one) for one in written)
            case "tag" | "language" | "source":
                return tuple(one.casefold() for one in written)
            case "field":
                return tuple(pair for one in written if (pair := self._field(one)) is not None)
            case "assignee":
                return tuple(self._assignee(one) for one in written)
            case "organisation":
                return tuple(domain for one in written for domain in self._domains(one))
        known: dict[str, Collection[str]] = {
            "department": self.desk.departments,
            "topic": self.desk.topics,
            "priority": self.desk.priorities,
            "sla_plan": self.desk.sla_plans,
            "team": self.desk.teams,
            "trust": [str(level) for level in Trust],
        }
        return tuple(self._one_of(name.replace("sla_plan", "SLA plan"), one, known[name]) for one in written)

    def _one_of(self, name: str, word: str, known: Collection[str]) -> str:
        for candidate in known:
            if candidate.casefold() == word.casefold():
                return candidate
        self.problems.append(f"there is no {name} {word!r}. {did_you_mean(word, known) or ''}".strip())
        return word

    def _statuses(self, written: list[str]) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...]]:
        """States, and statuses of the house's own, each by its key or its name."""
        own = {
            name.casefold(): (one.state, key)
            for key, one in self.desk.statuses.items()
            for name in (key, one.name)
        }
        states = tuple(str(status) for status in Status)
        found = [
            own.get(word.casefold()) or self._one_of("status", word, (*states, *own)) for word in written
        ]
        return (
            tuple(one for one in found if isinstance(one, str)),
            tuple(one for one in found if isinstance(one, tuple)),
        )

    def _length(self, word: str) -> timedelta | None:
        try:
            return parse_duration(word)
        except ValueError:
            self.problems.append(f"spent: {word!r} is no length of time; write 90m, 2h or 1d")
            return None

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

    def _field(self, word: str) -> tuple[str, FieldValue] | None:
        key, equals, text = word.partition("=")
        if not equals or not key:
            self.problems.append(f"a field is written KEY=VALUE, not {word!r}")
            return None
        key = self._one_of("field", key, self.desk.fields)
        field = self.desk.fields.get(key)
        if field is None:
            return None
        value = read_value(field, text)
        if isinstance(value, FieldProblem):
            self.problems.append(value.reason)
            return None
        return key, value

    def _moment(self, name: str, word: str) -> datetime | None:
        moment = parse_moment(word, self.now, self.zone, end=name.endswith("_until"))
        if moment is None:
            self.problems.append(f"{name}: {word!r} is no moment; {HOW}")
        return moment
