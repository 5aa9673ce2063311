"""`mailticket person` from the command line, on a real database."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from mailticket.cli.main import app
from mailticket.config.loader import load
from mailticket.store.engine import open_engine, transaction
from mailticket.store.migrate import migrate
from mailticket.store.people import find_or_add_person
from tests.unit.config_samples import SMALL, directory_with

NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)
BAKERY = '[organisations.bakery]\nname = "Crust"\ndomains = ["bakery.example"]\n'
Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command on a desk that knows Kim and Lee."""
    folder = directory_with(tmp_path, SMALL + BAKERY)
    monkeypatch.chdir(tmp_path)
    engine = open_engine(load(folder, {}, create_secret=True).service.database)
    migrate(engine)
    with transaction(engine) as session:
        find_or_add_person(session, "kim@bakery.example", "Kim Crumb", NOW)
        find_or_add_person(session, "lee@home.example", "Lee", NOW)
    engine.dispose()

    def call(*words: str, typed: str = "") -> Result:
        return CliRunner().invoke(app, ["--config", str(folder), "person", *words], input=typed)

    return call


def test_persons_are_listed_and_shown_with_their_organisation(run: Run) -> None:
    rows = json.loads(run("list", "--json").stdout)
    assert [(one["name"], one["organisation"]) for one in rows] == [("Lee", None), ("Kim Crumb", "bakery")]
    assert [one["name"] for one in json.loads(run("list", "crumb", "--json").stdout)] == ["Kim Crumb"]
    shown = run("show", "kim@bakery.example").stdout
    assert "Kim Crumb, person 1" in shown
    assert "Organisation: bakery" in shown
    assert "Lee" in run("list").stdout


def test_two_are_merged(run: Run) -> None:
    asked = run("merge", "lee@home.example", "1", typed="n\n")
    assert asked.exit_code == 1
    assert "Lee, person 2: lee@home.example, 0 tickets" in asked.stdout
    assert "becomes Kim Crumb, person 1: kim@bakery.example" in asked.stdout
    assert run("show", "2").exit_code == 0
    assert "Person 2 is person 1 now" in run("merge", "lee@home.example", "1", typed="y\n").stdout
    assert json.loads(run("show", "lee@home.example", "--json").stdout)["addresses"] == [
        "kim@bakery.example",
        "lee@home.example",
    ]
    assert run("merge", "1", "kim@bakery.example").exit_code == 1


def test_erasing_asks_first_and_a_dry_run_changes_nothing(run: Run) -> None:
    assert "Would erase person 1" in run("erase", "1", "--dry-run").stdout
    assert run("erase", "1", typed="n\n").exit_code == 1
    assert run("show", "kim@bakery.example").exit_code == 0
    done = json.loads(run("erase", "kim@bakery.example", "--yes", "--json").stdout)
    assert (done["person"], done["dry_run"], done["rewritten"]) == (1, False, True)
    gone = run("show", "kim@bakery.example")
    assert gone.exit_code == 1
    assert "is on file" in gone.output
    assert "none, erased" in run("show", "1").stdout


def test_an_export_wants_an_empty_folder(run: Run, tmp_path: Path) -> None:
    done = run("export", "1", str(tmp_path / "out"), "--json")
    assert json.loads(done.stdout) == {"tickets": 0, "entries": 0, "received": 0, "sent": 0}
    assert json.loads((tmp_path / "out" / "person.json").read_text())["name"] == "Kim Crumb"
    assert run("export", "1", str(tmp_path / "out")).exit_code == 1
