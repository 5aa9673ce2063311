"""`mailticket init`: what it writes, asks and refuses."""

from __future__ import annotations

import itertools
import stat
from pathlib import Path
from typing import Any

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from typer.testing import CliRunner

from mailticket.cli.config_commands import init
from mailticket.config.loader import load
from mailticket.config.problems import Problem
from mailticket.config.starter import StarterAnswers, agent_key, starter_files

ANSWERS: dict[str, Any] = {
    "organisation": 'Example & Sons "Help" \\ Café',
    "instance": "example-1",
    "support_address": "support@helpdesk.example",
    "agent_name": "Ada Agent",
    "agent_address": "ada@staff.helpdesk.example",
    "time_zone": "Europe/Berlin",
}
CHOICES: dict[str, tuple[Any, ...]] = {
    "imap_host": (None, "imap.helpdesk.example"),
    "imap_user": (None, "desk"),
    "smtp_host": (None, "smtp.helpdesk.example"),
    "smtp_user": (None, "desk"),
    "smtp_security": ("starttls", "tls"),
    "secrets": ("file", "env"),
}
COMBINATIONS = [dict(zip(CHOICES, values, strict=True)) for values in itertools.product(*CHOICES.values())]

app = typer.Typer(pretty_exceptions_show_locals=False)
app.command("init")(init)
GIVEN = [
    *("--organisation", "Example", "--support-address", "support@helpdesk.example"),
    *("--agent-name", "Ada Agent", "--agent-address", "ada@staff.helpdesk.example"),
]


def _written(directory: Path, files: dict[str, str]) -> Path:
    directory.mkdir()
    for name, text in files.items():
        (directory / name).write_text(text, encoding="utf-8")
    for name in ("imap.password", "smtp.password"):
        (directory / name).write_text("hunter2")
        (directory / name).chmod(0o600)
    return directory


@pytest.mark.parametrize(
    "choice", COMBINATIONS, ids=lambda choice: "-".join(str(one) for one in choice.values())
)
def test_every_starter_configuration_loads_without_a_doubt(tmp_path: Path, choice: dict[str, Any]) -> None:
    answers = StarterAnswers(**ANSWERS, **choice)
    directory = _written(tmp_path / "config", starter_files(answers))
    doubts: list[Problem] = []
    environ = {"DESK_IMAP_PASSWORD": "hunter2", "DESK_SMTP_PASSWORD": "hunter2"}
    settings = load(directory, environ, warn=doubts.append)
    assert doubts == []
    assert settings.desk.name == answers.organisation
    assert settings.desk.agents["ada"].address == answers.agent_address
    assert settings.desk.members_of("support") == ("ada",)
    assert bool(settings.mailboxes) == (choice["imap_host"] is not None)
    assert bool(settings.listeners) == (choice["imap_host"] is None)
    assert (settings.delivery.smarthost is not None) == (choice["smtp_host"] is not None)
    if settings.delivery.smarthost is not None:
        assert settings.delivery.smarthost.user == choice["smtp_user"]
        assert settings.delivery.smarthost.security == choice["smtp_security"]


@pytest.mark.parametrize("imap", [None, "imap.helpdesk.example"])
def test_the_options_that_stand_commented_out_load_too(tmp_path: Path, imap: str | None) -> None:
    files = starter_files(StarterAnswers(**ANSWERS, imap_host=imap))
    lines = files["mailticket.toml"].splitlines()
    at = lines.index("# [listeners.smtp]" if imap else "# [delivery.smarthost]")
    lines[at:] = [line.removeprefix("# ") for line in lines[at:]] if not imap else [*lines[at : at + 3]]
    files["mailticket.toml"] = "\n".join(lines)
    files["routing.toml"] = "\n".join(
        line.removeprefix("# ")
        for line in files["routing.toml"].splitlines()
        if not line.startswith("# What")
    )
    directory = _written(tmp_path / "config", files)
    settings = load(directory, {})
    assert settings.desk.rules[0].name == "Outages"


_LINE = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")), min_size=1, max_size=30).filter(
    str.strip
)


@given(organisation=_LINE, agent=_LINE, user=_LINE)
def test_any_name_is_quoted_as_toml_wants_it(
    tmp_path_factory: pytest.TempPathFactory, organisation: str, agent: str, user: str
) -> None:
    answers = StarterAnswers(
        **{**ANSWERS, "organisation": organisation, "agent_name": agent},
        imap_host="imap.helpdesk.example",
        imap_user=user,
    )
    directory = _written(tmp_path_factory.mktemp("desk") / "config", starter_files(answers))
    settings = load(directory, {})
    assert settings.desk.name == answers.organisation
    assert settings.mailboxes["support"].user == answers.imap_user
    assert [one.name for one in settings.desk.agents.values()] == [answers.agent_name]


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("Ada Agent", "ada"),
        ("Zoë", "zoe"),
        ("O'Hara", "o-hara"),
        ("李雷", "agent"),
        ("  ", "agent"),
        ("Me", "agent-me"),
        ("x" * 60, "x" * 40),
    ],
)
def test_an_agents_key_comes_from_the_first_name(name: str, key: str) -> None:
    assert agent_key(name) == key


@pytest.mark.parametrize(
    "change",
    [
        {"support_address": "customer-service-team@helpdesk.example"},
        {"support_address": "support+x@helpdesk.example"},
        {"agent_address": "Support@helpdesk.example"},
        {"time_zone": "Berlin"},
        {"organisation": "two\nlines"},
        {"smtp_port": 0},
    ],
)
def test_answers_that_would_not_load_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        StarterAnswers(**{**ANSWERS, **change})


def test_init_writes_what_its_options_say_without_asking(tmp_path: Path) -> None:
    directory = tmp_path / "desk"
    options = [
        "--imap-host",
        "imap.helpdesk.example",
        "--imap-port",
        "143",
        "--smtp-host",
        "smtp.helpdesk.example",
        "--smtp-user",
        "me",
    ]
    result = CliRunner().invoke(
        app, [str(directory), *GIVEN, *options, "--smtp-port", "465", "--non-interactive"]
    )
    assert result.exit_code == 0, result.output
    for name in ("imap.password", "smtp.password"):
        assert stat.S_IMODE((directory / name).stat().st_mode) == 0o600
        assert str(directory / name) in result.output.replace("\n", "")
        (directory / name).write_text("hunter2\n")
    settings = load(directory, {})
    assert settings.delivery.smarthost is not None
    assert (settings.delivery.smarthost.security, settings.delivery.smarthost.port) == ("tls", 465)
    mailbox = settings.mailboxes["support"]
    assert (mailbox.security, mailbox.port) == ("starttls", 143)
    assert settings.desk.instance.startswith("example-")


def test_init_asks_for_what_no_option_gives(tmp_path: Path) -> None:
    directory = tmp_path / "desk"
    answers = ["Example", "support@helpdesk.example", "Ada", "ada@staff.helpdesk.example", "Europe/Berlin"]
    answers += ["imap.helpdesk.example", "", "smtp.helpdesk.example", "me", "hunter2-imap", "hunter2-smtp"]
    result = CliRunner().invoke(app, [str(directory)], input="\n".join(answers) + "\n")
    assert result.exit_code == 0, result.output
    assert "hunter2" not in result.output
    assert "hunter2" not in "".join(file.read_text() for file in directory.glob("*.toml"))
    settings = load(directory, {})
    assert settings.mailboxes["support"].user == "support@helpdesk.example"
    assert settings.mailboxes["support"].password is not None
    assert settings.mailboxes["support"].password.get_secret_value() == "hunter2-imap"


def test_init_refuses_a_directory_that_is_not_empty(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text("x = 1")
    arguments = [str(tmp_path), *GIVEN, "--non-interactive"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 1
    assert [one.name for one in tmp_path.iterdir()] == ["mine.toml"]
    assert CliRunner().invoke(app, [*arguments, "--force"]).exit_code == 0
    assert (tmp_path / "mine.toml").read_text() == "x = 1"


def test_init_with_force_keeps_a_password_that_is_there(tmp_path: Path) -> None:
    arguments = [
        str(tmp_path),
        *GIVEN,
        "--imap-host",
        "imap.helpdesk.example",
        "--non-interactive",
        "--force",
    ]
    (tmp_path / "imap.password").write_text("hunter2")
    assert CliRunner().invoke(app, arguments).exit_code == 0
    assert (tmp_path / "imap.password").read_text() == "hunter2"


def test_init_does_not_write_over_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert CliRunner().invoke(app, [str(tmp_path / "file"), *GIVEN, "--non-interactive"]).exit_code == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["--non-interactive"],
        [*GIVEN, "--non-interactive", "--time-zone", "Berlin"],
        [*GIVEN, "--non-interactive", "--secrets", "literal"],
        [*GIVEN, "--non-interactive", "--agent-address", "support@helpdesk.example"],
    ],
)
def test_init_refuses_missing_and_wrong_answers_as_wrong_usage(tmp_path: Path, arguments: list[str]) -> None:
    result = CliRunner().invoke(app, [str(tmp_path / "desk"), *arguments])
    assert result.exit_code == 2
    assert not (tmp_path / "desk").exists()


def test_init_keeps_data_out_of_etc() -> None:
    from mailticket.cli.config_commands import _usual_state_dir

    assert _usual_state_dir(Path("/etc/mailticket")) == "/var/lib/mailticket"
    assert _usual_state_dir(Path("/srv/desk/config")) == "var"
