"""domain/alert_switches.py: who hears of what, as a department switches it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from mailticket.config.desk import Desk, Step
from mailticket.domain.alert_switches import hearers
from mailticket.domain.alerting import readers_of
from mailticket.domain.notify import Occasion, plan
from mailticket.domain.types import Event, EventKind, TicketFacts
from tests.facts import a_ticket

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
KIM = "kim@bakery.example"


def desk(**alerts: list[str]) -> Desk:
    """Support: ann and bob, managed by mara; team night: carl and dora (who wants quiet), led by lena."""
    people = ("ann", "bob", "carl", "dora", "lena", "mara", "otto")
    return Desk.model_validate(
        {
            "name": "Desk", "instance": "test", "default_department": "support",
            "departments": {
                "support": {
                    "name": "Support", "addresses": ["s@desk.example"], "manager": "mara",
                    "members": ["ann", "bob"], "alerts": alerts,
                }
            },
            "teams": {
                "night": {"name": "Night", "lead": "lena", "members": ["carl", "dora"], "quiet": ["dora"]}
            },
            "agents": {
                one: {"key": one, "name": one.capitalize(), "addresses": [f"{one}@staff.example"]}
                for one in people
            },
            "organisations": {
                "bakery": {"name": "Crust", "domains": ["bakery.example"], "account_manager": "otto"}
            },
            "priorities": {"normal": {"name": "Normal", "urgency": 3}},
        }
    )  # fmt: skip


def ticket(assignee: str | None = None, team: str | None = None) -> TicketFacts:
    return a_ticket(id=1, assignee=assignee, team=team, requester=KIM, requester_name="Kim")


@pytest.mark.parametrize(
    ("words", "about", "told"),
    [
        (["concerned"], ticket(), ("x",)),
        ([], ticket("bob"), ()),
        (["manager", "concerned"], ticket(), ("mara", "x")),
        (["assignee"], ticket(), ()),
        (["assignee", "manager"], ticket("bob"), ("bob", "mara")),
        (["team", "lead"], ticket(team="night"), ("carl", "lena")),
        (["team", "lead"], ticket(), ()),
        (["department"], ticket("carl"), ("ann", "bob")),
        (["account_manager"], ticket(), ("otto",)),
    ],
)
def test_each_word_names_somebody(words: list[str], about: TicketFacts, told: tuple[str, ...]) -> None:
    assert hearers("note", ("x",), about, desk(note=words)) == told
    assert hearers("note", ("x",), about, desk()) == ("x",)


def told_of(kind: EventKind, where: Desk, about: TicketFacts, actor: str = KIM, **data: Any) -> set[str]:
    entry = 7 if kind in (EventKind.MESSAGE, EventKind.NOTE) else None
    event = Event(kind, 1, entry, actor, NOW, "", data)
    notices = plan([event], about, where, Occasion("c", False))
    return {one.identity for one in notices if one.identity.startswith("agent:")}


@pytest.mark.parametrize(
    ("kind", "option", "data"),
    [
        (EventKind.CREATED, "new_ticket", {}),
        (EventKind.MESSAGE, "new_message", {}),
        (EventKind.NOTE, "note", {}),
        (EventKind.ASSIGNED, "assignment", {"field": "assignee", "after": "bob"}),
        (EventKind.TRANSFERRED, "transfer", {"before": "it"}),
    ],
)
def test_each_switch_is_asked_where_it_belongs(kind: EventKind, option: str, data: dict[str, str]) -> None:
    about = ticket("bob")
    assert told_of(kind, desk(), about, **data) == {"agent:bob"}
    assert told_of(kind, desk(**{option: []}), about, **data) == set()
    assert told_of(kind, desk(**{option: ["manager"]}), about, **data) == {"agent:mara"}
    assert told_of(kind, desk(**{option: ["manager"]}), about, "agent:mara", **data) == set()


def test_what_a_plan_means_by_concerned_is_switched_too() -> None:
    steps = [Step(at="100%", tell=("concerned",))]
    assert [one.agent for one in readers_of(steps, ticket("bob"), desk(), NOW)] == ["bob"]
    louder = desk(overdue=["concerned", "manager"])
    assert [one.agent for one in readers_of(steps, ticket("bob"), louder, NOW)] == ["bob", "mara"]


def test_quiet_members_hear_of_their_own_tickets_only() -> None:
    assert told_of(EventKind.MESSAGE, desk(), ticket(team="night")) == {"agent:carl", "agent:lena"}
    assert told_of(EventKind.MESSAGE, desk(), ticket("dora", "night")) == {"agent:dora"}
