"""Options from the environment."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from tests.unit.config_samples import SMALL, loaded, problems_of, warnings_of

SMARTHOST = '[delivery.smarthost]\nhost = "smtp.desk.example"\nuser = "u"\npassword = { env = "PW" }\n'


def test_the_environment_wins_over_the_files(tmp_path: Path) -> None:
    environ = {
        "MAILTICKET_SERVICE__NAME": "Other",
        "mailticket_service__log_level": "debug",
        "MAILTICKET_DELIVERY__SMARTHOST__HOST": "other.example",
        "MAILTICKET_DELIVERY__RETRY": "1m, 2h",
        "MAILTICKET_BRAKES__TOTAL_HOUR": "7",
        "MAILTICKET_DIGEST__ENABLED": "false",
        "MAILTICKET_LISTENERS__SMTP__PORT": "0",
        "MAILTICKET_DEPARTMENTS__SUPPORT__MEMBERS": '["ada"]',
        "PW": "x",
    }
    settings = loaded(tmp_path, SMALL, SMARTHOST, environ=environ)
    assert settings.desk.name == "Other"
    assert settings.service.log_level == "debug"
    assert settings.delivery.smarthost is not None
    assert settings.delivery.smarthost.host == "other.example"
    assert settings.delivery.retry == (timedelta(minutes=1), timedelta(hours=2))
    assert settings.desk.brakes.total_hour == 7
    assert settings.desk.digest.enabled is False
    assert settings.listeners["smtp"].port == 0
    assert settings.desk.departments["support"].members == ("ada",)


def test_the_environment_can_make_sections_and_entries(tmp_path: Path) -> None:
    environ = {
        "MAILTICKET_AGENTS__BEN__NAME": "Ben",
        "MAILTICKET_AGENTS__BEN__ADDRESSES": "ben@desk.example",
        "MAILTICKET_SCHEDULES__S__HOURS": '{ mon = ["09:00-17:00"] }',
        "MAILTICKET_DELIVERY__SMARTHOST__HOST": "smtp.desk.example",
    }
    settings = loaded(tmp_path, SMALL, environ=environ)
    assert settings.desk.agents["ben"].addresses == ("ben@desk.example",)
    assert settings.desk.schedules["s"].hours == {"mon": ("09:00-17:00",)}


def test_a_key_with_a_hyphen_is_written_with_an_underscore(tmp_path: Path) -> None:
    text = '[teams.on-call]\nname = "On call"\n'
    settings = loaded(tmp_path, SMALL, text, environ={"MAILTICKET_TEAMS__ON_CALL__NAME": "Night"})
    assert settings.desk.teams["on-call"].name == "Night"


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [
        ("MAILTICKET_SERVICE__DATABSE", "Did you mean MAILTICKET_SERVICE__DATABASE?"),
        ("MAILTICKET_SERVCE__DATABASE", "Did you mean MAILTICKET_SERVICE__DATABASE?"),
        ("MAILTICKET_LISTENERS__SMTP__PROT", "Did you mean MAILTICKET_LISTENERS__SMTP__PORT?"),
        ("MAILTICKET_SERVICE__DATABASE__URL", "Did you mean MAILTICKET_SERVICE__DATABASE?"),
    ],
)
def test_an_unknown_override_is_a_mistake_with_the_nearest_one(
    tmp_path: Path, name: str, suggestion: str
) -> None:
    (problem,) = problems_of(tmp_path, SMALL, environ={name: "hunter2"})
    assert (problem.file, problem.path, problem.suggestion) == ("environment", name, suggestion)
    assert "hunter2" not in str(problem)


@pytest.mark.parametrize(
    "name", ["MAILTICKET_DELIVERY__SMARTHOST", "MAILTICKET_AGENTS__ADA", "MAILTICKET_RULES__0__NAME"]
)
def test_a_section_and_a_rule_cannot_be_set_from_the_environment(tmp_path: Path, name: str) -> None:
    (problem,) = problems_of(tmp_path, SMALL, environ={name: "x"})
    assert problem.path == name


def test_a_wrong_value_names_the_variable(tmp_path: Path) -> None:
    (problem,) = problems_of(tmp_path, SMALL, environ={"MAILTICKET_LISTENERS__SMTP__PORT": "many"})
    assert problem.file == "environment MAILTICKET_LISTENERS__SMTP__PORT"
    assert (problem.path, problem.value) == ("listeners.smtp.port", "'many'")


@pytest.mark.parametrize("value", ["[1", "x"])
def test_a_list_or_table_that_is_not_toml_is_a_mistake(tmp_path: Path, value: str) -> None:
    name = "MAILTICKET_AGENTS__ADA__ADDRESSES" if value == "[1" else "MAILTICKET_SCHEDULES__S__HOURS"
    problems = problems_of(tmp_path, SMALL, environ={name: value})
    assert [problem.path for problem in problems if problem.file == "environment"] == [name]


def test_one_option_in_two_spellings_is_a_mistake(tmp_path: Path) -> None:
    environ = {"MAILTICKET_SERVICE__NAME": "A", "mailticket_service__name": "B"}
    (problem,) = problems_of(tmp_path, SMALL, environ=environ)
    assert problem.path == "mailticket_service__name"


def test_empty_variables_count_as_not_set(tmp_path: Path) -> None:
    assert loaded(tmp_path, SMALL, environ={"MAILTICKET_SERVICE__NAME": ""}).desk.name == "Desk"


def test_a_variable_that_a_file_refers_to_is_no_override(tmp_path: Path) -> None:
    text = SMARTHOST.replace("PW", "MAILTICKET__SMTP__PW")
    settings = loaded(tmp_path, SMALL, text, environ={"MAILTICKET__SMTP__PW": "x"})
    assert settings.delivery.smarthost is not None


def test_what_a_container_platform_sets_is_left_alone(tmp_path: Path) -> None:
    environ = {"MAILTICKET_PORT": "tcp://192.0.2.1:25", "MAILTICKET_SERVICE_HOST": "192.0.2.1"}
    assert loaded(tmp_path, SMALL, environ=environ).desk.name == "Desk"


def test_an_override_with_single_underscores_is_doubtful(tmp_path: Path) -> None:
    (warning,) = warnings_of(tmp_path, SMALL, environ={"MAILTICKET_SERVICE_DATABASE": "x"})
    assert warning.suggestion == "Did you mean MAILTICKET_SERVICE__DATABASE?"
