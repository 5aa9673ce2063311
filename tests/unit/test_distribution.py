"""domain/distribution.py: who gets a ticket that nobody was named for, and why."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailticket.config.desk import Desk
from mailticket.config.people import Strategy
from mailticket.domain.absence import Absence, Presence, Source
from mailticket.domain.distribution import Choice, Workload, choose, pool_of
from mailticket.domain.schedule import WorkingTimes

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)  # a Monday
NAMES = ("ann", "bob", "carl")


def desk(assign: tuple[str, ...] = ("round_robin",), **agents: dict[str, Any]) -> Desk:
    """Support with ann, bob and carl; team night with bob and carl, led by mara."""
    people = {name: {"name": name.capitalize()} | agents.get(name, {}) for name in (*NAMES, "mara")}
    return Desk.model_validate(
        {
            "name": "Desk", "instance": "test", "default_department": "support",
            "departments": {
                "support": {
                    "name": "Support", "addresses": ["s@desk.example"], "members": NAMES, "assign": assign,
                }
            },
            "teams": {
                "night": {"name": "Night", "lead": "mara", "members": ["bob", "carl"], "assign": assign},
                "day": {"name": "Day", "members": ["ann"]},
            },
            "agents": {
                key: {"key": key, "addresses": [f"{key}@staff.example"], **more}
                for key, more in people.items()
            },
            "schedules": {
                "early": {"hours": {"mon": ["06:00-09:00"], "tue": ["06:00-09:00"]}},
                "late": {"hours": {"mon": ["14:00-18:00"]}},
                "office": {"hours": {"mon": ["09:00-17:00"]}},
            },
            "priorities": {"normal": {"name": "Normal", "urgency": 3}},
        }
    )  # fmt: skip


def away(*agents: str) -> Presence:
    return Presence(tuple(Absence(one, NOW, NOW + timedelta(days=1), Source.COMMAND) for one in agents))


def chosen(
    where: Desk,
    load: Workload | None = None,
    about: tuple[str, ...] = (),
    presence: Presence | None = None,
    *,
    team: str | None = None,
    but: tuple[str, ...] = (),
) -> Choice:
    pool = pool_of(where, "support", team)
    assert pool is not None
    return choose(
        pool, load or Workload(), about, where, presence or Presence(), WorkingTimes(where), NOW, but=but
    )


@pytest.mark.parametrize(
    ("turn", "absent", "agent"),
    [
        (None, (), "ann"), ("ann", (), "bob"), ("carl", (), "ann"), ("gone", (), "ann"),
        ("ann", ("bob",), "carl"), ("carl", ("ann", "bob"), "carl"), ("ann", NAMES, None),
    ],
)  # fmt: skip
def test_round_robin_goes_round_past_who_is_away(
    turn: str | None, absent: tuple[str, ...], agent: str | None
) -> None:
    assert chosen(desk(), Workload(turn=turn), presence=away(*absent)).agent == agent


def test_the_reason_says_who_was_passed_over_and_why() -> None:
    found = chosen(desk(bob={"most_open": 2}), Workload({"bob": 2}, "ann"), presence=away("ann"))
    assert found == Choice(
        "carl", "round robin: after Ann comes Carl; Ann is away until Tue 24 Nov 2026 10:00; Bob has 2 of 2"
    )


@pytest.mark.parametrize(
    ("counts", "turn", "agent"),
    [
        ({"ann": 3, "bob": 1, "carl": 2}, None, "bob"),
        ({"ann": 1, "bob": 1, "carl": 1}, "bob", "carl"),  # of equals, the next in turn
        ({"ann": 1, "bob": 1}, None, "carl"),
    ],
)
def test_least_loaded(counts: dict[str, int], turn: str | None, agent: str) -> None:
    assert chosen(desk(("least_loaded",)), Workload(counts, turn)).agent == agent


@pytest.mark.parametrize(
    ("last", "absent", "agent", "reason"),
    [
        ("carl", (), "carl", "sticky: Carl had the customer's last ticket"),
        ("carl", ("carl",), "ann", "round robin: Ann is the first; Carl is away until Tue 24 Nov 2026 10:00"),
        ("gone", (), "ann", "round robin: Ann is the first"),
        (None, (), "ann", "round robin: Ann is the first"),
    ],
)
def test_sticky_comes_first_if_they_can(
    last: str | None, absent: tuple[str, ...], agent: str, reason: str
) -> None:
    found = chosen(desk(("sticky", "round_robin")), Workload(last=last), presence=away(*absent))
    assert found == Choice(agent, reason)


def test_sticky_alone_finds_somebody_or_nobody() -> None:
    assert chosen(desk(("sticky",)), Workload(last="bob")).agent == "bob"
    assert chosen(desk(("sticky",)), Workload(last="mara")).agent is None


@pytest.mark.parametrize(
    ("about", "agent", "words"),
    [
        (("printer",), "bob", "skill: printer"),
        (("printer", "fr"), "carl", "skill: fr, printer"),
        (("FR",), "carl", "skill: fr"),
        (("cabbage",), "ann", "round robin: Ann is the first"),
        ((), "ann", "round robin: Ann is the first"),
    ],
)
def test_skill(about: tuple[str, ...], agent: str, words: str) -> None:
    where = desk(("skill", "round_robin"), bob={"skills": ["printer"]}, carl={"skills": ["fr", "Printer"]})
    found = chosen(where, about=about)
    assert found.agent == agent
    assert found.reason.startswith(words)


@pytest.mark.parametrize(
    ("hours", "agent"),
    [
        ({"ann": "late", "bob": "office", "carl": "office"}, "bob"),  # who works now
        ({"ann": "late", "bob": "early", "carl": "early"}, "ann"),  # nobody now: whose work begins first
        ({"ann": "late", "bob": "early"}, "carl"),  # without hours: always
    ],
)
def test_working_hours(hours: dict[str, str], agent: str) -> None:
    assert (
        chosen(desk(("round_robin",), **{who: {"schedule": key} for who, key in hours.items()})).agent
        == agent
    )


def test_a_teams_lead_is_the_last_resort() -> None:
    assert chosen(desk(), presence=away("bob", "carl"), team="night").agent == "mara"
    assert chosen(desk(), presence=away("bob", "carl", "mara"), team="night").agent is None
    assert chosen(desk(), presence=away("bob", "carl"), team="night", but=("mara",)).agent is None
    assert chosen(desk(), team="night").agent == "bob"


def test_a_team_that_does_not_give_out_leaves_it_to_its_members() -> None:
    assert pool_of(desk(), "support", "day") is None
    assert pool_of(desk(()), "support", None) is None


@given(
    st.sets(st.sampled_from(NAMES)),
    st.dictionaries(st.sampled_from(NAMES), st.integers(0, 4)),
    st.dictionaries(st.sampled_from(NAMES), st.integers(1, 4)),
    st.sampled_from([*NAMES, None]),
    st.sampled_from([*NAMES, "mara", None]),
    st.sampled_from([("round_robin",), ("least_loaded",), ("sticky", "skill", "least_loaded")]),
    st.sampled_from([None, "night"]),
)
def test_never_somebody_away_or_full_and_always_somebody_who_is_free(
    absent: set[str],
    counts: dict[str, int],
    caps: dict[str, int],
    turn: str | None,
    last: str | None,
    assign: tuple[Strategy, ...],
    team: str | None,
) -> None:
    where = desk(assign, **{who: {"most_open": most} for who, most in caps.items()})
    found = chosen(where, Workload(counts, turn, last), presence=away(*absent), team=team)
    members = ("bob", "carl") if team else NAMES
    full = {one for one, most in caps.items() if counts.get(one, 0) >= most}
    free = set(members) - absent - full
    assert found.reason
    if free:
        assert found.agent in free
    else:
        assert found.agent == ("mara" if team else None)


@given(st.lists(st.sets(st.sampled_from(NAMES), max_size=2), min_size=3, max_size=30))
def test_whoever_is_there_all_the_time_gets_their_share(absences: list[set[str]]) -> None:
    turn: str | None = None
    given_to: list[str] = []
    for absent in absences:
        found = chosen(desk(), Workload(turn=turn), presence=away(*absent))
        assert found.agent is not None
        turn = found.agent
        given_to.append(turn)
    present = [one for one in NAMES if not any(one in absent for absent in absences)]
    for one in present:
        assert given_to.count(one) >= len(absences) // 3
