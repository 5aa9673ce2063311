"""domain/precedence.py and docs/routing.md: one table, which is what routing does."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mailticket.config.rules import COMPARISONS, FIELDS
from mailticket.domain.precedence import ACKNOWLEDGED_BY, PRECEDENCE, Source
from mailticket.domain.routing import MailFacts, Route, route
from tests.unit.test_routing import desk

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "routing.md").read_text(encoding="utf-8")


def _tables() -> dict[str, list[list[str]]]:
    """By its first heading each table of the document: rows of cells."""
    found: dict[str, list[list[str]]] = {}
    rows: list[list[str]] = []
    for line in [*TEXT.splitlines(), ""]:
        if line.startswith("|"):
            rows.append([cell.strip() for cell in line.strip("|").split("|")])
        elif rows:
            found.setdefault(rows[0][0], rows)
            rows = []
    return found


def test_the_document_shows_the_table_of_the_code() -> None:
    head, _, *rows = _tables()["Value"]
    sources = [Source(word) for word in head[1:]]
    shown: dict[str, tuple[Source, ...]] = {}
    for name, *cells in rows:
        ranked = [(cell, source) for cell, source in zip(cells, sources, strict=True) if cell != "-"]
        if name == "acknowledgement":
            assert {cell for cell, _ in ranked} == {"all"}
        else:
            assert [cell for cell, _ in sorted(ranked)] == [str(n) for n in range(1, len(ranked) + 1)]
        shown[name] = tuple(source for _, source in sorted(ranked, key=lambda pair: pair[0]))
    assert shown == PRECEDENCE | {"acknowledgement": ACKNOWLEDGED_BY}


def test_the_document_names_every_field_and_comparison() -> None:
    _, _, *fields = _tables()["Field"]
    named = {word.strip("`") for row in fields for word in row[0].replace("(", " ").replace(",", " ").split()}
    assert set(FIELDS) <= named
    sorts = {name: row[1] for row in fields for name in FIELDS if f"`{name}`" in row[0]}
    assert sorts == {name: str(sort) for name, sort in FIELDS.items()}
    _, _, *comparisons = _tables()["Compared as"]
    assert {
        row[0]: tuple(word.strip(" `") for word in row[1].split(",")) for row in comparisons
    } == COMPARISONS


ANSWERS: dict[str, dict[Source, Any]] = {
    "topic": {Source.RULE: "banking", Source.ADDRESS: "silent", Source.DESK: "bare"},
    "department": {Source.RULE: "quiet", Source.ADDRESS: "it", Source.TOPIC: "sales", Source.DESK: "support"},
    "priority": {
        Source.RULE: "emergency", Source.MAIL: "high", Source.ADDRESS: "low", Source.TOPIC: "someday",
        Source.ORGANISATION: "lowest", Source.DESK: "normal",
    },
    "SLA plan": {
        Source.RULE: "rule-plan", Source.TOPIC: "topic-plan", Source.DEPARTMENT: "it-plan",
        Source.ORGANISATION: "their-plan", Source.DESK: "desk-plan",
    },
    "assignee": {
        Source.RULE: (None, "ops"), Source.TOPIC: ("eve", None), Source.ORGANISATION: ("bob", "ops"),
    },
    "status": {Source.RULE: "on-hold", Source.TOPIC: "waiting", Source.DESK: "open"},
}  # fmt: skip
"""What each source says, all different, so that the answer tells whose it is."""


def _routed(name: str, saying: frozenset[Source]) -> Route:
    """A mail for which exactly `saying` say something about `name`."""
    says = {source: value for source, value in ANSWERS[name].items() if source in saying}
    then: dict[str, Any] = {} if name == "topic" else {"topic": "t"}
    topic: dict[str, Any] = {"name": "T"}
    arrival: dict[str, Any] = {"address": "support@desk.example"}
    theirs: dict[str, Any] = {"name": "O", "domains": ["customer.example"]}
    more: dict[str, Any] = {}
    keys = {"SLA plan": "sla_plan"}
    key = keys.get(name, name)
    for source, value in says.items():
        if name == "assignee":
            pair = {part: one for part, one in zip(("agent", "team"), value, strict=True) if one}
            if source is Source.ORGANISATION and value[0]:
                pair["account_manager"] = pair.pop("agent")
            (then if source is Source.RULE else topic if source is Source.TOPIC else theirs).update(pair)
        elif source is Source.RULE:
            then[key] = value
        elif source is Source.TOPIC:
            topic[key] = value
        elif source is Source.ADDRESS and name != "department":
            arrival[key] = value
        elif source is Source.ORGANISATION:
            theirs[key] = value
        elif source is Source.DESK and name != "status":
            more[f"default_{key}"] = value
    base = desk()
    departments = {one: entry.model_dump() for one, entry in base.departments.items()}
    departments["sales"] = {"name": "Sales", "addresses": ["sales@desk.example"]}
    if name == "SLA plan" and Source.DEPARTMENT in saying:
        departments["support"]["sla_plan"] = "it-plan"
    by_address = ("it" if Source.ADDRESS in saying else None) if name == "department" else "support"
    mail = MailFacts(
        sender="ann@customer.example", sender_name="", recipient="support@desk.example", reply_to="",
        subject="", body="",
        headers=(("importance", "high"),) if Source.MAIL in saying else (),
        department_by_address=by_address,
    )  # fmt: skip
    topics = {one: entry.model_dump() for one, entry in base.topics.items()} | {"t": topic}
    priorities = {one: entry.model_dump() for one, entry in base.priorities.items()}
    return route(
        mail,
        desk(
            rules=[{"name": "r", "then": then}], topics=topics, arrivals={"a": arrival},
            priority_from_mail=True, departments=departments,
            priorities=priorities | {one: {"name": one, "urgency": 9} for one in ("someday", "lowest")},
            organisations={"o": theirs},
            **more,
        ),
    )  # fmt: skip


CASES = [
    (name, frozenset(saying))
    for name, sources in PRECEDENCE.items()
    for count in range(1, len(sources) + 1)
    for saying in itertools.combinations(sources, count)
    # the desk always has a department and a priority, and a ticket a status
    if name not in ("department", "priority", "status") or Source.DESK in saying
]


@pytest.mark.parametrize(("name", "saying"), CASES)
def test_of_those_who_say_something_the_first_in_the_table_decides(
    name: str, saying: frozenset[Source]
) -> None:
    first = next(source for source in PRECEDENCE[name] if source in saying)
    found = _routed(name, saying)
    values = {"SLA plan": found.sla_plan, "assignee": (found.agent, found.team)}
    value = values[name] if name in values else getattr(found, name)
    assert value == ANSWERS[name][first]


def test_a_mail_is_acknowledged_only_where_all_five_allow_it() -> None:
    mail = MailFacts(
        "ann@customer.example", "", "support@desk.example", "", "", "", department_by_address="support"
    )
    for forbidding in [None, *ACKNOWLEDGED_BY]:
        allows = {source: source is not forbidding for source in ACKNOWLEDGED_BY}
        departments = {"support": {
            "name": "S", "addresses": ["support@desk.example"], "acknowledge": allows[Source.DEPARTMENT],
        }}  # fmt: skip
        found = route(
            mail,
            desk(
                rules=[{"name": "r", "then": {"topic": "t", "acknowledge": allows[Source.RULE]}}],
                topics={"t": {"name": "T", "acknowledge": allows[Source.TOPIC]}},
                arrivals={"a": {"address": "support@desk.example", "acknowledge": allows[Source.ADDRESS]}},
                departments=departments,
                acknowledge=allows[Source.DESK],
            ),
        )
        assert found.acknowledge is (forbidding is None)
        assert any("no acknowledgement" in reason for reason in found.reasons) is (forbidding is not None)


@pytest.mark.parametrize(
    ("headers", "priority"),
    [
        ((("importance", "High"),), "high"),
        ((("x-priority", "1 (Highest)"),), "high"),
        ((("x-priority", "5"),), "low"),
        ((("x-priority", "3"),), "normal"),
        ((("x-msmail-priority", "Low"),), "low"),
        ((("priority", "urgent"),), "high"),
        ((("priority", "non-urgent"),), "low"),
        ((("importance", "whatever"),), "normal"),
        ((), "normal"),
    ],
)
def test_a_sender_marks_a_mail_where_that_is_believed(
    headers: tuple[tuple[str, str], ...], priority: str
) -> None:
    mail = MailFacts("ann@customer.example", "", "support@desk.example", "", "", "", headers)
    assert route(mail, desk(priority_from_mail=True)).priority == priority
    assert route(mail, desk()).priority == "normal"


def test_an_address_with_an_extension_is_the_same_address() -> None:
    mail = MailFacts("ann@customer.example", "", "Support+x@desk.example", "", "", "")
    arrivals = {"a": {"address": "support@desk.example", "topic": "bare"}}
    assert route(mail, desk(arrivals=arrivals)).topic == "bare"
    assert route(replace(mail, recipient="it@desk.example"), desk(arrivals=arrivals)).topic is None
