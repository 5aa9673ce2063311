"""Reports by mail go out once for each reader and slot, whoever looks and however often."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy

from sqlalchemy import Engine, select

from mailticket.config.desk import Agent, Department, Desk, NamedReport, Priority
from mailticket.delivery.render import Renderer
from mailticket.store.engine import reading, transaction
from mailticket.store.models import Outbox
from mailticket.store.outbox import claim
from mailticket.work.letters import write
from mailticket.work.material import load_material
from mailticket.work.reports import Reports
from tests.store.conftest import Clock
from tests.store.stories import log, make_ticket

SECRET = b"s" * 32
FIRST = datetime(2026, 4, 1, 6, 30, tzinfo=UTC)


def desk(**report: object) -> Desk:
    values = {"name": "Levels", "readers": ("mia", "max"), **report}
    return Desk(
        name="Example Desk",
        instance="t1",
        default_department="support",
        departments={"support": Department(key="support", name="Support", addresses=("s@desk.example",))},
        agents={
            "mia": Agent(key="mia", name="Mia", addresses=("mia@agents.example",), time_zone="Europe/Berlin"),
            "max": Agent(key="max", name="Max", addresses=("max@agents.example",)),
        },
        priorities={"normal": Priority(key="normal", name="Normal", urgency=3)},
        reports={"monthly": NamedReport.model_validate(values)},
    )


def queued(engine: Engine) -> list[str]:
    with reading(engine) as session:
        rows = session.execute(select(Outbox.recipient).where(Outbox.template == "report.monthly"))
        return sorted(rows.scalars())


def test_each_reader_gets_the_report_at_their_own_eight_o_clock_and_once(engine: Engine) -> None:
    clock = Clock(FIRST)
    with transaction(engine) as session:
        ticket = make_ticket(session, "1", FIRST - timedelta(days=5))
        log(session, ticket, "response", FIRST - timedelta(days=4))
    reports = Reports(engine, desk, SECRET, clock)
    assert reports.make_due() == 1
    assert queued(engine) == ["mia@agents.example"]
    clock.forward(hours=2)
    assert reports.make_due() == 1
    assert reports.make_due() == 0
    assert Reports(engine, desk, SECRET, clock).make_due() == 0
    assert queued(engine) == ["max@agents.example", "mia@agents.example"]
    with reading(engine) as session:
        (told,) = session.execute(
            select(Outbox.context).where(Outbox.recipient == "max@agents.example")
        ).scalars()
    report = told["extra"]["report"]
    assert (report["first"], report["last"], report["lines"][0]["created"]) == (
        "2026-03-01", "2026-03-31", "1",
    )  # fmt: skip


def test_nothing_goes_out_between_the_slots_or_when_it_is_switched_off(engine: Engine) -> None:
    assert Reports(engine, desk, SECRET, Clock(FIRST + timedelta(days=10))).make_due() == 0
    assert Reports(engine, lambda: desk(enabled=False), SECRET, Clock(FIRST)).make_due() == 0


def test_a_report_that_fails_costs_no_other_and_is_tried_again(engine: Engine) -> None:
    broken = desk(readers=("gone", "mia"))
    reports = Reports(engine, lambda: broken, SECRET, Clock(FIRST + timedelta(hours=3)))
    assert reports.make_due() == 1
    assert queued(engine) == ["mia@agents.example"]


def test_the_report_comes_with_its_page_and_chart_as_a_file(engine: Engine) -> None:
    clock = Clock(FIRST)
    with transaction(engine) as session:
        make_ticket(session, "1", FIRST - timedelta(days=5))
    assert Reports(engine, desk, SECRET, clock).make_due() == 1
    claimed = claim(engine, clock(), 10, timedelta(minutes=5))
    with reading(engine) as session:
        material = load_material(session, claimed)
    (raw,) = [write(Renderer(), mail, material[mail.id], desk(), clock()).data for mail in claimed]
    (file,) = message_from_bytes(raw, policy=policy.default).iter_attachments()
    assert (file.get_filename(), file.get_content_type()) == (
        "monthly-2026-03-01-2026-03-31.html", "text/html",
    )  # fmt: skip
    assert "<svg" in str(file.get_content())
