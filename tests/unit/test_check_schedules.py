"""`mailticket check` names schedules that never open again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mailticket.cli.main import app
from tests.unit.config_samples import SMALL, directory_with


@pytest.mark.parametrize(
    ("hours", "state", "words"),
    [
        ('hours.mon = ["09:00-17:00"]', "ok", "every schedule opens again"),
        (
            "hours = {}\nopen = { 2020-01-01 = ['09:00-12:00'] }",
            "warning",
            'schedule "office" has no opening',
        ),
    ],
)
def test_a_schedule_that_never_opens_again_is_told(
    tmp_path: Path, hours: str, state: str, words: str
) -> None:
    folder = directory_with(tmp_path, SMALL, f"[schedules.office]\n{hours}\n")
    result = CliRunner().invoke(app, ["--config", str(folder), "check", "--offline", "--json"])
    (found,) = [item for item in json.loads(result.stdout) if item["what"] == "schedules"]
    assert found["state"] == state
    assert words in found["detail"]
