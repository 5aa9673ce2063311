"""`mailticket top` in a real terminal, and the reports, over a small desk's database."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import select
import signal
import subprocess
import sys
import termios
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mailticket.mail.types import RawMail
from mailticket.store.engine import open_engine, transaction
from mailticket.store.inbox import Inbox
from mailticket.store.migrate import migrate
from mailticket.store.models import Entry
from tests.store.stories import change, log, make_ticket

CONFIG = """
[service]
name = "Example Bank"
instance = "test-desk"
database = "sqlite:///{database}"
state_dir = "{state}"

[desk]
default_department = "support"
default_sla_plan = "std"

[departments.support]
name = "=Support"
addresses = ["support@desk.example"]

[agents.ann]
name = "Ann"
addresses = ["ann@agents.example"]

[sla_plans.std]
name = "Std"
first_response = "1h"
resolution = "8h"
"""
_BOUND = 20.0


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """A configuration directory with a database behind it: a ticket that is late, and one solved in time."""
    folder = tmp_path / "config"
    folder.mkdir()
    database = tmp_path / "mt.db"
    (folder / "desk.toml").write_text(CONFIG.format(database=database, state=tmp_path), encoding="utf-8")
    engine = open_engine(f"sqlite:///{database}")
    migrate(engine, tmp_path / "backups")
    now = datetime.now(UTC)
    with transaction(engine) as session:
        late = now - timedelta(hours=2)
        make_ticket(
            session, "700001", now - timedelta(hours=3), subject="Overdue printer", sla_plan="std",
            due_at=late, overdue_since=late,
        )  # fmt: skip
        solved = make_ticket(session, "700002", now - timedelta(hours=3), sla_plan="std")
        log(session, solved, "response", now - timedelta(hours=2, minutes=30))
        change(session, solved, "assignee", "ann", now - timedelta(hours=2, minutes=30))
        change(session, solved, "status", "resolved", now - timedelta(hours=1))
    engine.dispose()
    return folder


def command(desk: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "mailticket", "--config", str(desk), *arguments]


def told(desk: Path, *arguments: str) -> str:
    return subprocess.run(
        command(desk, *arguments), capture_output=True, text=True, check=True, timeout=60
    ).stdout


def _until(master: int, wanted: str, seen: str = "") -> str:
    deadline = time.monotonic() + _BOUND
    while wanted not in seen:
        left = deadline - time.monotonic()
        assert left > 0, f"{wanted!r} did not come: {seen[-2000:]!r}"
        if select.select([master], [], [], left)[0]:
            seen += os.read(master, 65_536).decode("utf-8", "replace")
    return seen


@pytest.mark.parametrize("how", ["q", "ctrl-d", "SIGTERM", "SIGHUP"])
def test_top_shows_the_queue_and_leaves_the_terminal_as_it_was(desk: Path, how: str) -> None:
    master, slave = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100", "LINES": "24"}
    before = termios.tcgetattr(slave)
    process = subprocess.Popen(
        command(desk, "top"), stdin=slave, stdout=slave, stderr=slave, env=environment, start_new_session=True
    )
    try:
        seen = _until(master, "Overdue printer")
        assert "\x1b[?1049h" in seen
        os.write(master, b"?")
        _until(master, "sort by due")
        os.write(master, b"g")
        _until(master, "of Ann")
        if how.startswith("SIG"):
            process.send_signal(signal.Signals[how])
        else:
            os.write(master, b"q" if how == "q" else b"\x04")
        _until(master, "\x1b[?1049l")
        assert process.wait(_BOUND) == (0 if not how.startswith("SIG") else 128 + signal.Signals[how])
        assert termios.tcgetattr(slave) == before
    finally:
        process.kill()
        process.wait()
        os.close(master)
        os.close(slave)


def test_top_once_prints_one_frame_and_needs_no_terminal(desk: Path) -> None:
    text = told(desk, "top", "--once")
    assert "700001" in text
    assert "1 overdue" in text
    assert "700002" not in text


def test_top_without_a_terminal_says_what_to_do(desk: Path) -> None:
    done = subprocess.run(command(desk, "top"), capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert "--once" in done.stderr


def test_the_report_is_the_same_as_a_table_as_json_and_as_csv(desk: Path, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    found = json.loads(told(desk, "report", "sla", "--since", "7d", "--json", "--html", str(page)))
    first = found["total"]["targets"]["first_response"]
    assert (first["met"], first["missed"], first["p50_minutes"]) == (1, 1, 30.0)
    assert (found["total"]["open"], found["total"]["overdue"], found["total"]["resolved"]) == (1, 1, 1)
    assert found["backlog"][-1]["open"] == 1
    assert "=Support" in page.read_text(encoding="utf-8")
    rows = list(csv.DictReader(io.StringIO(told(desk, "report", "sla", "--since", "7d", "--csv"))))
    assert rows[0]["department"] == "'=Support"
    assert (rows[0]["first_response_met"], rows[0]["first_response_missed"]) == ("1", "1")
    table = told(desk, "report", "sla", "--by", "agent")
    assert "Ann" in table
    assert "(nobody)" in table
    assert "Unfinished tickets" in table


def test_a_length_nobody_understands_is_refused_with_a_sentence(desk: Path) -> None:
    done = subprocess.run(
        command(desk, "report", "sla", "--since", "soon"), capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "30d" in done.stderr


PRINTERS = """
[[rules]]
name = "printers"
when = [{ field = "subject", how = "contains", value = "printer" }]
then.sla_plan = "fast"

[sla_plans.fast]
name = "Fast"
first_response = "10m"
resolution = "30d"
"""


def test_simulating_routes_the_stored_mail_again_and_changes_nothing(desk: Path, tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'mt.db'}")
    now = datetime.now(UTC)
    raw = b"From: ann@customer.example\r\nSubject: Printer again\r\n\r\nIt burns.\r\n"
    inbox = Inbox(engine, lambda: now, str.lower)
    (receipt,) = inbox.store([RawMail(raw, "ann@customer.example", "support@desk.example", "smtp", None)])
    with transaction(engine) as session:
        ticket = make_ticket(session, "700003", now - timedelta(hours=1), sla_plan="std")
        session.add(
            Entry(
                ticket_id=ticket.id, kind="message", audience="customer", author="ann@customer.example",
                author_name="Ann", trust="known", text="It burns.", inbound_id=receipt.inbound_id,
                reason="a test", created_at=ticket.created_at,
            )
        )  # fmt: skip
        log(session, ticket, "response", now - timedelta(minutes=30))
    engine.dispose()
    plan = tmp_path / "new.toml"
    plan.write_text(PRINTERS, encoding="utf-8")
    before = (tmp_path / "mt.db").read_bytes()
    found = json.loads(told(desk, "simulate", "--plan", str(plan), "--since", "7d", "--json"))
    assert (found["tickets"], found["rerouted"], found["moved"]) == (3, 1, 1)
    (change,) = found["changes"]
    assert (change["number"], change["broken"]) == ("700003", ["first_response"])
    assert change["moved"] == [["sla_plan", "std", "fast"]]
    assert (tmp_path / "mt.db").read_bytes() == before
    table = told(desk, "simulate", "--plan", str(plan), "--since", "7d")
    assert "now misses its first response" in table
    assert "sla plan std -> fast" in table


def test_simulating_nothing_or_both_is_refused(desk: Path) -> None:
    done = subprocess.run(command(desk, "simulate"), capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "--config-dir" in done.stderr
