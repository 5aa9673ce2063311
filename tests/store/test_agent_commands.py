"""`mailticket agent` from the command line, on a real database."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from mailticket.cli.main import app
from mailticket.config.loader import load
from mailticket.store.engine import open_engine
from mailticket.store.migrate import migrate
from tests.unit.config_samples import SMALL, directory_with

MORE = """
[agents.ben]
name = "Ben Brown"
addresses = ["ben@staff.desk.example"]
departments = ["support"]
most_open = 7
"""
Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command on a desk with Ada (deputy Ben) and Ben."""
    text = SMALL.replace('name = "Ada Agent"', 'name = "Ada Agent"\ndeputy = "ben"')
    folder = directory_with(tmp_path, text + MORE)
    monkeypatch.chdir(tmp_path)
    settings = load(folder, {}, create_secret=True)
    engine = open_engine(settings.service.database)
    migrate(engine)
    engine.dispose()

    def call(*words: str) -> Result:
        return CliRunner().invoke(app, ["--config", str(folder), *words], env={"COLUMNS": "200"})

    return call


def listed(run: Run) -> dict[str, dict[str, object]]:
    return {row["agent"]: row for row in json.loads(run("agent", "list", "--json").stdout)}


def test_an_operator_sends_an_agent_away_and_has_them_back(run: Run) -> None:
    done = run("agent", "away", "ada", "3d", "--reason", "ill")
    assert done.exit_code == 0, done.output
    assert "Ada Agent is away until" in done.stdout
    assert "alerts go to ben" in done.stdout
    ada = listed(run)["ada"]
    assert isinstance(ada["away"], dict)
    assert (ada["away"]["source"], ada["away"]["reason"], ada["alerts_to"]) == ("operator", "ill", "ben")
    assert "away until" in run("agent", "list").stdout
    assert run("agent", "back", "Ada").stdout == "Ada Agent is back.\n"
    assert listed(run)["ada"]["away"] is None
    assert listed(run)["ben"]["most_open"] == 7


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("away", "zoe"), 'there is no agent "zoe"'),
        (("away", "ada", "until never"), "say #away"),
        (("away", "ada", "2d", "--deputy", "ada"), "cannot stand in for themselves"),
        (("back", "ben"), "nothing is known of ben being away"),
    ],
)
def test_what_cannot_be_done_says_why(run: Run, words: tuple[str, ...], why: str) -> None:
    done = run("agent", *words)
    assert done.exit_code == 1
    assert why in done.output.replace("\n", " ")
