"""domain/permissions.py: who may do what, row by row."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from mailticket.config.desk import Desk
from mailticket.domain.permissions import ALL, NEEDED, USUAL, Permission, refused, rights_of, why_not
from mailticket.domain.types import TicketFacts
from mailticket.mail.commands import Commands, parse_commands
from mailticket.mail.vocabulary import CommandName
from tests.facts import a_ticket

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


def agent(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "addresses": [f"{name.lower()}@staff.desk.example"], **more}


def desk(**more: Any) -> Desk:
    """Support (ada manages, ben works) and sales (cleo works); roles "reader" and "closer"."""
    return Desk.model_validate(
        {
            "name": "Desk",
            "instance": "test",
            "default_department": "support",
            "departments": {
                "support": {
                    "name": "Support", "addresses": ["s@desk.example"], "manager": "ada", "members": ["ben"],
                },
                "sales": {"name": "Sales", "addresses": ["v@desk.example"], "members": ["cleo"]},
            },
            "agents": {
                "ada": agent("Ada", role="reader"),
                "ben": agent("Ben"),
                "cleo": agent("Cleo", role="reader", roles={"support": "closer"}),
            },
            "teams": {"night": {"name": "Night", "lead": "cleo", "members": ["ben"]}},
            "roles": {
                "reader": {"name": "Reader", "may": ["note"]},
                "closer": {"name": "Closer", "may": ["reply", "close"]},
            },
            "priorities": {"normal": {"name": "Normal", "urgency": 3}},
            **more,
        }
    )  # fmt: skip


def ticket(department: str = "support", assignee: str | None = None, team: str | None = None) -> TicketFacts:
    return a_ticket(
        department=department,
        assignee=assignee,
        team=team,
        requester="kim@customer.example",
        requester_name="Kim",
    )


@pytest.mark.parametrize(
    ("who", "department", "rights"),
    [
        ("ada", "support", ALL),  # manages it, whatever her role
        ("ada", "sales", {Permission.NOTE}),
        ("ben", "support", USUAL),  # no role at all
        ("cleo", "sales", {Permission.NOTE}),
        ("cleo", "support", {Permission.REPLY, Permission.CLOSE}),  # the role named for it
        ("cleo", "gone", {Permission.NOTE}),
        ("zoe", "support", frozenset()),
    ],
)
def test_rights_come_from_the_department_then_the_agent(
    who: str, department: str, rights: frozenset[Permission]
) -> None:
    assert rights_of(desk(), who, department) == rights


def test_a_desk_can_have_a_role_for_everybody_else() -> None:
    strict = desk(default_role="reader")
    assert rights_of(strict, "ben", "sales") == {Permission.NOTE}
    assert rights_of(strict, "cleo", "support") == {Permission.REPLY, Permission.CLOSE}


@pytest.mark.parametrize(
    ("who", "about", "open_"),
    [
        ("ben", ticket("support"), True),
        ("ben", ticket("sales"), False),
        ("ben", ticket("sales", assignee="ben"), True),
        ("ben", ticket("sales", assignee="cleo"), False),
        ("ben", ticket("sales", team="night"), True),
        ("cleo", ticket("support", team="night"), True),  # leads the team without being listed
        ("cleo", ticket("gone"), False),
        ("ada", ticket("support"), True),  # manages it without being listed
        ("ada", ticket("sales"), False),
    ],
)
def test_access_limited_to_departments(who: str, about: TicketFacts, open_: bool) -> None:
    closed = desk(access="departments")
    reason = refused(closed, who, about, Commands(False, (), ""))
    assert (reason == ()) is open_
    assert refused(desk(), who, about, Commands(False, (), "")) == ()


def test_an_agents_own_access_counts_before_the_desks() -> None:
    agents = {
        "ada": agent("Ada"), "cleo": agent("Cleo"),
        "ben": agent("Ben", access="departments"),
    }  # fmt: skip
    assert why_not(desk(agents=agents), "ben", ticket("sales"), Permission.NOTE) == (
        "#123456 is in Sales, where you do not work, and it is not assigned to you"
    )
    assert why_not(desk(agents=agents), "ada", ticket("sales"), Permission.NOTE) is None


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("A word for the customer", [("", 'your role "Reader" in Sales does not let you answer customers')]),
        ("#note A word inside", []),
        ("#note\n#close", [("#close", 'your role "Reader" in Sales does not let you resolve, close or')]),
        ("#help", []),
        ("#ack", []),
        (
            "#take\n#transfer support",
            [("#take", "assign tickets"), ("#transfer support", "transfer tickets")],
        ),
        ("#priority high", [("#priority high", "change what is set")]),
        ("#move new", [("#move new", "merge, split")]),
    ],
)
def test_each_line_that_is_not_allowed_is_named(text: str, wanted: list[tuple[str, str]]) -> None:
    parsed = parse_commands(text)
    assert isinstance(parsed, Commands)
    found = refused(desk(), "cleo", ticket("sales"), parsed)
    assert [problem.line for problem in found] == [line for line, _ in wanted]
    assert all(words in problem.reason for problem, (_, words) in zip(found, wanted, strict=True))


def test_every_command_has_its_right() -> None:
    missing = [str(name) for name in CommandName if name not in NEEDED]
    assert missing == [], "give each new command a row in domain/permissions.py"


def test_manage_is_nobodys_by_default_and_says_who_has_it() -> None:
    assert why_not(desk(), "ben", ticket(), Permission.MANAGE) == (
        "you may not do this; it takes the right to manage: only the manager of Support may, "
        "or a role that lists it"
    )
    assert why_not(desk(), "ada", ticket(), Permission.MANAGE) is None


@pytest.mark.parametrize(
    ("address", "organisation"),
    [
        ("kim@bakery.example", "bakery"),
        ("kim@Shop.Bakery.example", "bakery"),
        ("kim@mill.example", "mill"),
        ("kim@rye.mill.example", "bakery"),  # the closest domain counts
        ("kim@notbakery.example", None),
        ("kim@example", None),
        ("nobody", None),
    ],
)
def test_an_address_belongs_to_the_organisation_of_its_domain(address: str, organisation: str | None) -> None:
    organisations = {
        "bakery": {"name": "Crust", "domains": ["bakery.example", "rye.mill.example"]},
        "mill": {"name": "Mill", "domains": ["mill.example"]},
    }
    assert desk(organisations=organisations).organisation_of(address) == organisation
