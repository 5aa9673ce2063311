"""domain/assignment.py: who gets a ticket, and that somebody always hears of it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailticket.config.desk import Desk
from mailticket.domain.assignment import (
    Assignment,
    after_transfer,
    alerted,
    assign,
    claim_on_reply,
)


def desk(**more: Any) -> Desk:
    value: dict[str, Any] = {
        "name": "Desk",
        "instance": "desk1",
        "default_department": "support",
        "departments": {
            "support": {
                "name": "Support",
                "addresses": ["support@desk.example"],
                "manager": "mia",
                "members": ["ann", "bob"],
            },
            "it": {"name": "IT", "addresses": ["it@desk.example"], "auto_assign_on_reply": False},
            "lost": {"name": "Lost", "addresses": ["lost@desk.example"], "manager": "max"},
        },
        "agents": {
            key: {"name": key.title(), "addresses": [f"{key}@staff.example"]}
            for key in ("ann", "bob", "eve", "mia", "max")
        },
        "teams": {
            "ops": {"name": "Operations", "lead": "eve", "members": ["bob"]},
            "empty": {"name": "Empty"},
            "ghosts": {"name": "Ghosts", "members": ["nobody"]},
        },
        "priorities": {"normal": {"name": "Normal", "urgency": 3}},
    }
    return Desk.model_validate(value | more)


@pytest.mark.parametrize(
    ("department", "assignee", "team", "expected"),
    [
        ("support", None, None, ("ann", None)),
        ("support", None, "ops", ("ann", "ops")),
        ("support", "bob", None, None),
        ("support", "ann", None, None),
        ("it", None, None, None),
    ],
)
def test_the_first_agent_to_answer_gets_an_unassigned_ticket(
    department: str, assignee: str | None, team: str | None, expected: tuple[str, str | None] | None
) -> None:
    claimed = claim_on_reply(desk(), department, assignee, team, "ann")
    if expected is None:
        assert claimed is None
    else:
        assert claimed == Assignment(*expected, "Ann is the first to answer the unassigned ticket")


@pytest.mark.parametrize(
    ("assignee", "to", "reason"),
    [
        (None, "ann", "Ann takes the ticket"),
        ("bob", "ann", "Ann takes the ticket, which Bob had"),
        (None, "bob", "Ann assigns the ticket to Bob"),
        ("eve", "bob", "Ann assigns the ticket to Bob, which Eve had"),
        ("left", "bob", "Ann assigns the ticket to Bob, which left had"),
        ("bob", None, "Ann gives the ticket back"),
        ("bob", "bob", None),
        (None, None, None),
    ],
)
def test_an_agent_assigns_with_a_reason(assignee: str | None, to: str | None, reason: str | None) -> None:
    made = assign(desk(), "ann", assignee=assignee, team="ops", agent=to)
    assert made == (None if reason is None else Assignment(to, "ops", reason))


@pytest.mark.parametrize(
    ("department", "assignee", "stays"),
    [("support", "ann", True), ("support", "eve", False), ("it", "ann", False), ("it", None, True)],
)
def test_a_transfer_leaves_behind_who_does_not_work_there(
    department: str, assignee: str | None, stays: bool
) -> None:
    made = after_transfer(desk(), department, assignee, "ops")
    assert (made is None) is stays
    if made is not None:
        assert (made.agent, made.team) == (None, "ops")
        assert "does not work in" in made.reason


@pytest.mark.parametrize(
    ("department", "assignee", "team", "agents", "reason"),
    [
        ("support", "eve", "ops", ("eve",), "the assignee"),
        ("support", None, "ops", ("bob", "eve"), "team Operations"),
        ("support", None, None, ("ann", "bob"), "Support's members"),
        ("support", None, "empty", ("ann", "bob"), "Support's members"),
        ("support", None, "ghosts", ("ann", "bob"), "Support's members"),
        ("support", None, "unknown", ("ann", "bob"), "Support's members"),
        ("support", "left", None, ("ann", "bob"), "Support's members"),  # the assignee left the house
        ("lost", None, None, ("max",), "the department's manager"),
        ("lost", "left", "empty", ("max",), "the department's manager"),
        ("it", None, None, ("mia", "max"), "all managers, because the department has nobody"),
        ("gone", None, None, ("mia", "max"), "all managers, because the department has nobody"),
    ],
)
def test_somebody_always_hears_of_a_ticket(
    department: str, assignee: str | None, team: str | None, agents: tuple[str, ...], reason: str
) -> None:
    found = alerted(desk(), department, assignee, team)
    assert (found.agents, found.reason) == (agents, reason)


def test_without_any_manager_every_agent_hears_of_a_ticket_of_an_empty_department() -> None:
    alone = desk(departments={"support": {"name": "Support", "addresses": ["support@desk.example"]}})
    assert alerted(alone, "support").agents == ("ann", "bob", "eve", "mia", "max")
    nobody = desk(
        departments={"support": {"name": "Support", "addresses": ["support@desk.example"]}},
        agents={},
        teams={},
    )
    assert alerted(nobody, "support").agents == ()


keys = st.sampled_from([None, "ann", "bob", "eve", "mia", "max", "left"])


@given(
    st.sampled_from(["support", "it", "lost", "gone"]),
    keys,
    st.sampled_from([None, "ops", "empty", "ghosts", "unknown"]),
)
def test_whoever_is_alerted_is_an_agent_and_only_once(
    department: str, assignee: str | None, team: str | None
) -> None:
    found = alerted(desk(), department, assignee, team)
    assert found.agents
    assert found.reason
    assert len(set(found.agents)) == len(found.agents)
    assert set(found.agents) <= set(desk().agents)
