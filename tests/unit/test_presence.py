"""domain/absence.py and its commands: who is away, until when, who stands in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mailticket.config.desk import Desk
from mailticket.domain.absence import (
    Absence,
    Presence,
    Source,
    absence_of,
    deputy_of,
    is_away,
    stand_in,
    until_words,
)
from mailticket.domain.absence_commands import read_absence
from mailticket.domain.notice import Notice
from mailticket.domain.standing_in import handed_on
from mailticket.domain.types import Audience

NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)  # a Saturday, 11:00 in Berlin
DAY = timedelta(days=1)


def desk(**agents: dict[str, Any]) -> Desk:
    """Ann (deputy bob), bob (deputy carl), carl, and mara who manages."""
    one: dict[str, dict[str, Any]] = {
        "ann": {"deputy": "bob"}, "bob": {"deputy": "carl"}, "carl": {}, "mara": {},
    }  # fmt: skip
    for key, more in agents.items():
        one[key] |= more
    return Desk.model_validate(
        {
            "name": "Desk", "instance": "test", "default_department": "support", "time_zone": "Europe/Berlin",
            "departments": {
                "support": {"name": "Support", "addresses": ["s@desk.example"], "manager": "mara"}
            },
            "agents": {
                key: {"key": key, "name": key.capitalize(), "addresses": [f"{key}@staff.example"], **more}
                for key, more in one.items()
            },
            "priorities": {"normal": {"name": "Normal", "urgency": 3}},
        }
    )  # fmt: skip


def away(agent: str, until: datetime | None = NOW + DAY, **more: Any) -> Absence:
    return Absence(agent, more.pop("since", NOW - DAY), until, more.pop("source", Source.COMMAND), **more)


@pytest.mark.parametrize(
    ("recorded", "configured", "absent"),
    [
        ([], (), False),
        ([], ("2026-11-21",), True),
        ([], ("2026-11-20",), False),
        ([away("ann")], (), True),
        ([away("ann", None)], (), True),
        ([away("ann", NOW)], (), False),  # the end is not included
        ([away("ann", since=NOW + DAY, until=NOW + 2 * DAY)], (), False),
        ([away("bob")], (), False),
        ([away("ann", here=True)], ("2026-11-21",), False),  # back early from a configured holiday
        ([away("ann", here=True), away("ann")], ("2026-11-21",), True),  # what was said last counts
        ([away("ann"), away("ann", here=True)], (), False),
    ],
)
def test_what_was_said_last_counts_before_the_configuration(
    recorded: list[Absence], configured: tuple[str, ...], absent: bool
) -> None:
    assert is_away(desk(ann={"away": configured}), "ann", NOW, Presence(tuple(recorded))) is absent


def test_a_configured_absence_goes_by_the_agents_own_calendar() -> None:
    there = desk(ann={"away": ("2026-11-22",), "time_zone": "Pacific/Auckland"})
    found = absence_of(there, Presence(), "ann", datetime(2026, 11, 21, 12, tzinfo=UTC))  # 01:00 there
    assert found is not None
    assert until_words(there, found) == "until the end of Sun 22 Nov 2026"


@pytest.mark.parametrize(
    ("absent", "reader"),
    [
        ([], "ann"),
        ([away("ann")], "bob"),
        ([away("ann", deputy="carl")], "carl"),
        ([away("ann"), away("bob")], "carl"),
        ([away("ann"), away("bob"), away("carl")], "mara"),
        ([away("ann"), away("bob", deputy="ann")], "mara"),  # a circle of deputies
        ([away(one) for one in ("ann", "bob", "carl", "mara")], "ann"),
    ],
)
def test_the_first_deputy_who_is_there_stands_in_then_the_manager(absent: list[Absence], reader: str) -> None:
    assert stand_in(desk(), "ann", "mara", NOW, Presence(tuple(absent))) == reader


def test_nobody_is_made_a_deputy_who_is_no_agent_any_more() -> None:
    assert deputy_of(desk(), "ann", NOW, Presence((away("ann", deputy="gone"),))) is None


@pytest.mark.parametrize(
    ("text", "until", "deputy"),
    [
        ("", None, None),
        ("3d", NOW + 3 * DAY, None),
        ("for 2h", NOW + timedelta(hours=2), None),
        ("until 2026-12-01", datetime(2026, 12, 1, 23, tzinfo=UTC), None),  # that whole day, in Berlin
        ("2026-12-01", datetime(2026, 12, 1, 23, tzinfo=UTC), None),
        ("until tomorrow", datetime(2026, 11, 22, 23, tzinfo=UTC), None),
        ("until 14:00", datetime(2026, 11, 21, 13, tzinfo=UTC), None),
        ("until 2026-12-01 09:30", datetime(2026, 12, 1, 8, 30, tzinfo=UTC), None),
        ("until 2026-12-01 deputy bob", datetime(2026, 12, 1, 23, tzinfo=UTC), "bob"),
        ("1w, deputy: Carl", NOW + 7 * DAY, "carl"),
        ("deputy bob", None, "bob"),
        ("2026-11-23..2026-12-01", datetime(2026, 12, 1, 23, tzinfo=UTC), None),
    ],
)
def test_away_is_read(text: str, until: datetime | None, deputy: str | None) -> None:
    found = read_absence(text, "ann", desk(), NOW)
    assert isinstance(found, Absence), found
    assert (found.until, found.deputy) == (until, deputy)
    begins = datetime(2026, 11, 22, 23, tzinfo=UTC) if ".." in text else NOW
    assert found.since == begins


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("until whenever", "say #away, #away 3d"),
        ("until 2026-11-20", "over already"),
        ("2026-11-01..2026-11-20", "over already"),
        ("2026-12-01..2026-11-20", "ends before it begins"),
        ("two weeks", "say #away"),
        ("until 2028-01-01", "more than a year"),
        ("3d deputy ann", "cannot stand in for themselves"),
        ("3d deputy zoe", 'there is no agent "zoe"'),
        ("none", "say #away"),
    ],
)
def test_what_cannot_be_read_says_why(text: str, why: str) -> None:
    found = read_absence(text, "ann", desk(), NOW)
    assert isinstance(found, str)
    assert why in found


def notice(agent: str, template: str = "ticket.alert", **more: Any) -> Notice:
    return Notice(
        template=template, audience=Audience.INTERNAL, recipient=f"{agent}@staff.example",
        recipient_name=agent.capitalize(), identity=f"agent:{agent}", ticket_id=None, entry_id=None,
        automatic="auto-generated", key=f"{template}:1:agent:{agent}", reason="", **more,
    )  # fmt: skip


def test_work_of_who_is_away_goes_to_the_deputy_and_says_so() -> None:
    known = Presence((away("ann", datetime(2026, 12, 1, 23, tzinfo=UTC)),))
    (found,) = handed_on([notice("ann")], None, desk(), known, NOW)
    assert (found.identity, found.recipient, found.recipient_name) == (
        "agent:bob",
        "bob@staff.example",
        "Bob",
    )
    assert found.reason == "Ann is away until the end of Tue 1 Dec 2026"
    assert found.key != notice("bob").key  # nobody else's mail is taken for this one


def test_nobody_gets_a_mail_twice_and_nobody_is_told_what_they_did() -> None:
    known = Presence((away("ann"), away("mara", deputy="bob")))
    both = handed_on([notice("ann"), notice("bob"), notice("mara")], None, desk(), known, NOW)
    assert [one.identity for one in both] == ["agent:bob"]
    assert both[0].key == notice("bob").key  # bob's own
    assert handed_on([notice("ann", by="agent:bob")], None, desk(), known, NOW) == []


@pytest.mark.parametrize(
    "template", ["command.error", "agent.challenge", "agent.back", "ticket.digest", "report.monthly"]
)
def test_what_is_meant_for_one_reader_stays_theirs(template: str) -> None:
    mails = [notice("ann", template)]
    assert handed_on(mails, None, desk(), Presence((away("ann"),)), NOW) == mails
