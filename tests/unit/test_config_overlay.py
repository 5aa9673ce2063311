"""A file laid over the configuration, to try it out."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from mailticket.config.desk import Desk
from mailticket.config.loader import load
from mailticket.config.problems import ConfigurationError

BASE = """
[service]
name = "Example Bank"
instance = "test-desk"

[desk]
default_department = "support"
default_sla_plan = "std"

[departments.support]
name = "Support"
addresses = ["support@desk.example"]

[sla_plans.std]
name = "Std"
first_response = "1h"
resolution = "8h"

[sla_plans.other]
name = "Other"
first_response = "2h"

[[rules]]
name = "one"
then.priority = "high"
"""


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    folder = tmp_path / "config"
    folder.mkdir()
    (folder / "desk.toml").write_text(BASE, encoding="utf-8")
    return folder


def laid_over(directory: Path, text: str) -> Desk:
    overlay = directory.parent / "new.toml"
    overlay.write_text(text, encoding="utf-8")
    return load(directory, {}, overlay=overlay).desk


def test_an_entry_takes_the_place_of_the_whole_one_in_use(directory: Path) -> None:
    desk = laid_over(directory, '[sla_plans.std]\nname = "New"\nfirst_response = "30m"\n')
    assert desk.sla_plans["std"].first_response == timedelta(minutes=30)
    assert desk.sla_plans["std"].resolution is None
    assert desk.sla_plans["other"].name == "Other"
    assert [rule.name for rule in desk.rules] == ["one"]


def test_rules_take_the_place_of_all_rules_and_options_of_single_ones(directory: Path) -> None:
    desk = laid_over(
        directory, '[desk]\ndefault_sla_plan = "other"\n[[rules]]\nname = "two"\nthen.priority = "low"\n'
    )
    assert [rule.name for rule in desk.rules] == ["two"]
    assert (desk.default_sla_plan, desk.default_department) == ("other", "support")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[service]\nname = 'x'\n", "cannot be tried out"),
        ("not toml", "is not TOML"),
        ('[sla_plans.std]\nname = "New"\nschedule = "nowhere"\n', "nowhere"),
        ('[sla_plans.std]\nname = "New"\nfirst_response = "soon"\n', "duration"),
    ],
)
def test_mistakes_are_told_with_the_file_that_has_them(directory: Path, text: str, told: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        laid_over(directory, text)
    assert told in str(error.value)
    assert "new.toml" in str(error.value)
