"""domain/digest.py and what it is told in: what a reader of a digest reads, and under which numbers."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailticket.config.desk import Desk
from mailticket.domain.digest import (
    Before,
    BouncedMail,
    DigestModel,
    DigestSection,
    Load,
    TicketRow,
)
from mailticket.domain.digest import digest as digest_of
from mailticket.domain.digest_jobs import DigestJob, Queue, departments_managed, digest_jobs
from mailticket.domain.digest_mail import Listing, digest_mail, digest_notice, from_json, numbered, to_json
from mailticket.domain.health import MailboxHealth, MailHealth, health_line
from mailticket.domain.movement import Movement, State, movements, packed, unpacked
from mailticket.domain.schedule import WorkingTimes
from mailticket.domain.status import FINISHED

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
NOW = datetime(2026, 6, 1, 6, 5, tzinfo=UTC)  # Monday 08:05 in Berlin


def desk(**more: Any) -> Desk:
    value: dict[str, Any] = {
        "name": "Desk",
        "instance": "desk1",
        "time_zone": "Europe/Berlin",
        "default_department": "support",
        "departments": {
            "support": {"name": "Support", "addresses": ["support@desk.example"], "manager": "mia"},
            "it": {"name": "IT", "addresses": ["it@desk.example"], "manager": "mia"},
            "sales": {"name": "Sales", "addresses": ["sales@desk.example"], "manager": "max"},
        },
        "agents": {
            "mia": {"name": "Mia", "addresses": ["mia@staff.example"]},
            "max": {"name": "Max", "addresses": ["max@staff.example"], "time_zone": "America/New_York"},
        },
        "priorities": {"normal": {"name": "Normal", "urgency": 3}},
    }
    return Desk.model_validate(value | more)


def row(number: str, **more: Any) -> TicketRow:
    base = TicketRow(
        id=int(number),
        number=number,
        subject=f"Subject {number}",
        status="open",
        priority="normal",
        urgency=3,
        department="support",
        assignee="mia",
        created_at=NOW - 3 * DAY,
    )
    return replace(base, **more)


def job_of(reader: str, desk: Desk) -> DigestJob:
    return next(job for job in digest_jobs(desk, WorkingTimes(desk)) if job.reader == reader)


def digest(desk: Desk, reader: str, rows: Iterable[TicketRow], now: datetime, **more: Any) -> DigestModel:
    managed = departments_managed(desk, reader)
    job = job_of(reader, desk)
    return digest_of(desk, job, (row for row in rows if row.department in managed), now, **more)


def support(*rows: TicketRow) -> DigestSection:
    return digest(desk(), "mia", rows, NOW).sections[0]


def numbers(rows: Any) -> list[str]:
    return [item.number for item in rows]


def test_a_manager_gets_a_section_for_each_department_they_manage() -> None:
    model = digest(desk(), "mia", [row("1"), row("2", department="it"), row("3", department="sales")], NOW)
    assert [(section.name, section.open_count) for section in model.sections] == [("Support", 1), ("IT", 1)]
    assert (model.open_count, model.overdue_count, model.empty) == (2, 0, False)
    assert departments_managed(desk(), "max") == ("sales",)


def test_with_nothing_open_the_digest_is_empty_and_still_has_its_sections() -> None:
    model = digest(desk(), "mia", [], NOW)
    assert model.empty
    assert [section.oldest for section in model.sections] == [None, None]


@pytest.mark.parametrize("status", sorted(FINISHED))
def test_finished_tickets_are_passed_over(status: str) -> None:
    assert digest(desk(), "mia", [row("1", status=status)], NOW).empty


def test_the_most_urgent_comes_first_and_then_what_is_overdue_longest() -> None:
    section = support(
        row("1", overdue_since=NOW - 2 * DAY),
        row("2", overdue_since=NOW - 5 * DAY),
        row("3", overdue_since=NOW - 10 * MINUTE, urgency=1),
        row("4", due_at=NOW),  # due this very minute, and no tick has seen it yet
        row("5", due_at=NOW + MINUTE),
    )
    assert [(line.ticket.number, line.by) for line in section.overdue] == [
        ("3", "10 min"),
        ("2", "5 d"),
        ("1", "2 d"),
        ("4", "less than a minute"),
    ]
    assert numbers(section.in_time) == ["5"]


def test_what_will_be_due_before_the_next_digest_is_told() -> None:
    rows = [
        row("1", due_at=NOW + DAY - 5 * MINUTE),  # exactly when the next digest comes
        row("2", due_at=NOW + DAY),
        row("3", due_at=NOW + HOUR),
        row("4"),
    ]
    section = support(*rows)
    assert numbers(section.due_soon) == ["3", "1"]
    assert numbers(section.in_time) == ["3", "1", "2", "4"]


def test_on_friday_the_next_digest_is_on_monday() -> None:
    friday = NOW + 4 * DAY
    model = digest(desk(), "mia", [row("1", due_at=friday + 2 * DAY)], friday)
    assert model.next_at == NOW + 7 * DAY - 5 * MINUTE
    assert numbers(model.sections[0].due_soon) == ["1"]


def test_without_a_next_digest_nothing_is_due_before_it() -> None:
    model = digest(desk(digest={"weekdays": []}), "mia", [row("1", due_at=NOW + HOUR)], NOW)
    assert model.next_at is None
    assert model.sections[0].due_soon == ()


def test_unassigned_tickets_paused_ones_the_oldest_and_the_load() -> None:
    section = support(
        row("1", assignee=None),
        row("2", assignee=None, urgency=1, overdue_since=NOW - HOUR),
        row("3", status="waiting", created_at=NOW - 9 * DAY),
        row("4", status="on-hold", assignee="max"),
        row("5", assignee="max", overdue_since=NOW - HOUR),
        row("6", assignee="max"),
    )
    assert numbers(section.unassigned) == ["2", "1"]
    assert section.paused == 2
    assert section.oldest is not None
    assert section.oldest.number == "3"
    assert section.load == (Load("max", 3, 1), Load(None, 2, 1), Load("mia", 1, 0))


@given(st.lists(st.integers(0, 2**32), max_size=40))
def test_every_ticket_is_told_once_whatever_the_order(seeds: list[int]) -> None:
    rows = []
    for index, seed in enumerate(seeds):
        rng = random.Random(seed)
        rows.append(
            row(
                str(index),
                urgency=rng.randint(1, 4),
                assignee=rng.choice([None, "mia", "max"]),
                due_at=rng.choice([None, NOW + HOUR * rng.randint(-50, 50)]),
                overdue_since=rng.choice([None, NOW - HOUR * rng.randint(0, 50)]),
            )
        )
    section = support(*rows)
    told = [line.ticket.number for line in section.overdue] + numbers(section.in_time)
    assert sorted(told) == sorted(item.number for item in rows)
    assert sum(load.open for load in section.load) == section.open_count == len(rows)
    assert sum(load.overdue for load in section.load) == len(section.overdue)
    assert support(*reversed(rows)) == section


# -- against the last one ------------------------------------------------------------------------------

CALM = State(overdue=False, urgency=3, assigned=True)


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        (None, CALM, Movement("new", "")),
        (CALM, CALM, None),
        (CALM, replace(CALM, overdue=True), Movement("worse", "overdue now")),
        (CALM, replace(CALM, urgency=1), Movement("worse", "more urgent")),
        (CALM, replace(CALM, assigned=False), Movement("worse", "nobody has it any more")),
        (replace(CALM, overdue=True), CALM, Movement("better", "no longer overdue")),
        (CALM, replace(CALM, urgency=4), Movement("better", "less urgent")),
        (replace(CALM, assigned=False), CALM, Movement("better", "taken")),
        (
            replace(CALM, assigned=False),
            replace(CALM, overdue=True),
            Movement("worse", "overdue now"),
        ),
    ],
)
def test_how_a_ticket_moved_since_the_last_digest(
    before: State | None, now: State, expected: Movement | None
) -> None:
    found = movements({1: before} if before else {}, {1: now})
    assert found.of.get(1) == expected
    assert found.gone == 0


def test_a_ticket_that_left_the_queue_is_gone() -> None:
    assert movements({1: CALM, 2: CALM}, {2: CALM}).gone == 1


@given(
    st.dictionaries(st.integers(1, 10**9), st.builds(State, st.booleans(), st.integers(1, 9), st.booleans()))
)
def test_a_snapshot_comes_back_as_it_was(states: dict[int, State]) -> None:
    assert unpacked(packed(states)) == states
    assert movements(states, states).of == {}


def test_the_first_digest_tells_no_movement_and_the_second_does() -> None:
    first = digest(desk(), "mia", [row("1"), row("2")], NOW)
    assert first.moved is None
    before = Before(NOW, first.states)
    second = digest(desk(), "mia", [row("2", overdue_since=NOW), row("3")], NOW + DAY, before=before)
    assert second.moved is not None
    assert second.moved.of == {2: Movement("worse", "overdue now"), 3: Movement("new", "")}
    assert second.moved.gone == 1


# -- numbers -------------------------------------------------------------------------------------------


def told(*rows: TicketRow, **more: Any) -> tuple[Listing, Any]:
    model = digest(desk(), "mia", rows, NOW, **more)
    listing = numbered(model)
    return listing, digest_mail(model, desk(), listing, {2: "unassigned 2 h"}, 7)


def test_every_ticket_listed_has_one_number_and_stands_in_one_list() -> None:
    rows = [
        row("1", due_at=NOW + 9 * DAY),
        row("2", overdue_since=NOW - HOUR),
        row("3", due_at=NOW + HOUR),
        row("4", assignee=None, last_customer_at=NOW - DAY),
        row("5", department="it"),
    ]
    listing, mail = told(*rows, before=Before(NOW - DAY, {1: CALM, 4: State(False, 3, False), 5: CALM}))
    assert [item.number for item in listing.tickets] == ["2", "3", "4", "1", "5"]
    part, it = mail.departments
    assert [line.n for line in part.overdue + part.soon + part.unassigned + part.changed + part.open] == [
        1,
        2,
        3,
        4,
    ]
    assert [line.n for line in part.waiting] == [3]
    assert [line.n for line in it.open] == [5]
    assert part.overdue[0].why == "unassigned 2 h"
    assert (part.overdue[0].moved, part.soon[0].moved, part.open[0].moved) == ("new", "new", "")
    assert (mail.new, mail.worse, mail.better, mail.gone, mail.issue) == (2, 0, 0, 0, 7)


def test_long_lists_are_cut_and_counted_and_only_what_is_shown_has_a_number() -> None:
    rows = [row(str(number), overdue_since=NOW - HOUR) for number in range(1, 71)]
    listing, mail = told(*rows)
    part = mail.departments[0]
    assert (len(part.overdue), part.more_overdue, part.overdue_count) == (50, 20, 70)
    assert len(listing.tickets) == 50


def test_a_digest_survives_the_outbox() -> None:
    model = digest(desk(), "mia", [row("2", overdue_since=NOW)], NOW, health=MailHealth(NOW, NOW - DAY))
    mail = digest_mail(model, desk(), numbered(model), {}, 3)
    assert from_json(to_json(mail)) == mail
    notice = digest_notice(model, mail, desk(), "2026-06-01")
    assert (notice.recipient, notice.key) == (
        "mia@staff.example",
        "ticket.digest:daily:mia:2026-06-01:agent:mia",
    )


def test_who_waits_for_an_answer() -> None:
    section = support(
        row("1", last_customer_at=NOW - DAY),
        row("2", last_customer_at=NOW - 2 * DAY, last_answer_at=NOW - DAY),
        row("3", last_customer_at=NOW - 3 * DAY, last_answer_at=NOW - 4 * DAY),
        row("4", last_customer_at=NOW - 9 * DAY, status="waiting"),
        row("5"),
    )
    assert numbers(section.waiting) == ["3", "1"]


def test_the_ages_add_up_to_all_that_is_open() -> None:
    rows = [row(str(days), created_at=NOW - days * DAY, overdue_since=NOW) for days in (0, 1, 3, 7, 28, 90)]
    section = support(*rows)
    assert [age.open for age in section.ages] == [1, 1, 1, 1, 2]
    assert sum(age.overdue for age in section.ages) == section.open_count == 6


# -- jobs ----------------------------------------------------------------------------------------------


def test_named_digests_go_to_their_readers_beside_the_daily_one() -> None:
    jobs = digest_jobs(
        value := desk(
            digests={
                "urgent": {
                    "name": "Urgent",
                    "readers": ["mia", "max"],
                    "departments": ["it"],
                    "unassigned": True,
                },
                "mine": {"name": "Mine", "scope": "own", "cron": "0 9 * * mon"},
                "off": {"name": "Off", "readers": ["mia"], "enabled": False},
                "boss": {"name": "Boss", "scope": "managed", "departments": ["it"]},
            }
        ),
        WorkingTimes(value),
    )
    assert [(job.key, job.queue) for job in jobs] == [
        ("daily:mia", Queue(("support", "it"))),
        ("daily:max", Queue(("sales",))),
        ("digests.urgent:mia", Queue(("it",), unassigned=True)),
        ("digests.urgent:max", Queue(("it",), unassigned=True)),
        ("digests.mine:mia", Queue(own_of="mia")),
        ("digests.mine:max", Queue(own_of="max")),
        ("digests.boss:mia", Queue(("it",))),
        ("digests.boss:max", Queue(())),
    ]


def test_a_digest_for_all_needs_readers() -> None:
    with pytest.raises(ValueError, match="needs readers"):
        desk(digests={"all": {"name": "All"}})


# -- mail ----------------------------------------------------------------------------------------------


def test_the_health_line_accounts_for_every_mail() -> None:
    health = MailHealth(
        now=NOW,
        since=NOW - DAY,
        received={"done": 205, "ignored": 5, "held": 2},
        held=2,
        mailboxes=(MailboxHealth("support", NOW - 2 * MINUTE, None, 212, 0, left=0),),
    )
    assert health_line(health) == (
        "212 mails came in within 1 d: 205 handled, 5 ignored as automatic or empty, 2 held for a person; "
        "mailbox support reached 2 min ago, 212 fetched, all in the ledger, none left on the "
        "server; none waits to go out"
    )
    assert health.troubles == ("2 mails held for a person; see mailticket inbox list --state held",)


@pytest.mark.parametrize(
    ("more", "word"),
    [
        ({"untraced": 1}, "left no decision"),
        ({"pending": 3, "oldest_pending": NOW - HOUR}, "3 wait to be worked on, the oldest for 1 h"),
        ({"failed": 2}, "2 mails could not be worked on"),
        ({"held_tickets": 1}, "1 reply is kept apart"),
        ({"outgoing": 4, "oldest_outgoing": NOW - HOUR}, "4 wait to go out, the oldest for 1 h"),
        ({"unsent": 1}, "1 mail could not be delivered"),
        ({"parked": 1}, "a template is broken"),
        ({"mailboxes": (MailboxHealth("m", None, "login refused", 0, 0),)}, "never reached: login refused"),
        ({"mailboxes": (MailboxHealth("m", NOW - 2 * HOUR, "timed out", 0, 0),)}, "reached 2 h ago"),
        ({"mailboxes": (MailboxHealth("m", NOW, None, 1, 3),)}, "3 mails of mailbox m taken in but still"),
        (
            {"mailboxes": (MailboxHealth("m", NOW, None, 1, 0, left=5, untaken=2),)},
            "2 mails in the folder of mailbox m not taken in",
        ),
    ],
)
def test_what_is_stuck_is_said_and_keeps_a_digest_from_being_empty(more: dict[str, Any], word: str) -> None:
    health = MailHealth(now=NOW, since=NOW - DAY, **more)
    (trouble,) = health.troubles
    assert word in trouble
    assert not digest(desk(), "mia", [], NOW, health=health).empty


def test_a_bounce_keeps_a_digest_from_being_empty() -> None:
    bounce = BouncedMail("7", "ann@customer.example", NOW, permanent=True, why="no such user")
    assert not digest(desk(), "mia", [], NOW, bounces=[bounce]).empty
    assert digest(desk(), "mia", [], NOW, health=MailHealth(NOW, NOW - DAY)).empty
