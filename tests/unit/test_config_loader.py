"""From files to settings, or to every mistake at once."""

from __future__ import annotations

import contextlib
from datetime import timedelta
from pathlib import Path

import pytest

from mailticket.config.loader import load
from mailticket.config.problems import ConfigurationError
from mailticket.config.shape import leaves
from tests.unit.config_samples import SMALL, directory_with, loaded, problems_of, warnings_of

EXAMPLE = Path(__file__).resolve().parents[2] / "config"


def test_the_example_configuration_loads_without_a_doubt() -> None:
    doubts: list[object] = []
    settings = load(EXAMPLE, {}, warn=doubts.append)
    assert doubts == []
    assert set(settings.desk.departments) == {"support", "it", "billing"}
    assert settings.desk.default_department == "support"
    assert [(one.host, one.port) for one in settings.listeners.values()] == [("127.0.0.1", 2525)]
    assert settings.service.database == f"sqlite:///{EXAMPLE.parent}/var/mailticket.db"
    assert settings.delivery.maildir == EXAMPLE.parent / "var" / "outgoing"
    assert settings.delivery.smarthost is None


def test_the_example_uses_reserved_domains_only() -> None:
    settings = load(EXAMPLE, {})
    served = settings.desk.department_by_address, settings.desk.agent_by_address
    assert all(address.endswith("helpdesk.example") for addresses in served for address in addresses)


def test_a_small_configuration_gets_the_defaults(tmp_path: Path) -> None:
    settings = loaded(tmp_path, SMALL)
    assert settings.desk.default_department == "support"
    assert {key: one.urgency for key, one in settings.desk.priorities.items()} == {
        "low": 4,
        "normal": 3,
        "high": 2,
        "emergency": 1,
    }
    assert settings.desk.departments["support"].key == "support"
    assert settings.desk.reopen_window == timedelta(days=30)
    assert settings.root == tmp_path


def test_paths_start_at_the_parent_of_the_directory(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "cert.pem").touch()
    text = SMALL + 'tls_certificate = "cert.pem"\n[delivery]\nmaildir = "{state_dir}/../mail"\n'
    settings = loaded(tmp_path, text.replace("[service]", '[service]\nstate_dir = "data"\ntemplates = "own"'))
    assert settings.service.state_dir == tmp_path / "data"
    assert settings.service.templates == tmp_path / "own"
    assert settings.service.database == f"sqlite:///{tmp_path}/data/mailticket.db"
    assert settings.delivery.maildir == tmp_path / "mail"
    assert settings.listeners["smtp"].tls_certificate == tmp_path / "cert.pem"
    assert settings.path("{state_dir}/x") == tmp_path / "data" / "x"
    assert settings.path("x") == tmp_path / "x"
    assert settings.path("/x") == Path("/x")


def test_a_relative_directory_gives_absolute_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    directory = directory_with(tmp_path, SMALL)
    monkeypatch.chdir(directory)
    settings = load(Path(), {})
    assert settings.root == tmp_path
    assert settings.service.state_dir == tmp_path / "var"


@pytest.mark.parametrize(
    ("written", "used"),
    [
        ("postgresql://u@h/d", "postgresql+psycopg://u@h/d"),
        ("postgres://u@h/d", "postgresql+psycopg://u@h/d"),
        ("postgresql+psycopg://u@h/d", "postgresql+psycopg://u@h/d"),
        ("sqlite:////data/x.db?timeout=5", "sqlite:////data/x.db?timeout=5"),
        ("sqlite:///{state_dir}/x.db", "sqlite:////srv/desk/x.db"),
    ],
)
def test_the_database_url_is_resolved(tmp_path: Path, written: str, used: str) -> None:
    text = SMALL.replace("[service]", f'[service]\nstate_dir = "/srv/desk"\ndatabase = "{written}"')
    assert loaded(tmp_path, text).service.database == used


@pytest.mark.parametrize(
    "written", ["mysql://h/d", "sqlite://", "sqlite:///", "sqlite:///:memory:", "desk.db", ""]
)
def test_other_databases_are_refused(tmp_path: Path, written: str) -> None:
    text = SMALL.replace("[service]", f'[service]\ndatabase = "{written}"')
    assert [problem.path for problem in problems_of(tmp_path, text)] == ["service.database"]


def test_files_are_joined_in_the_order_of_their_names(tmp_path: Path) -> None:
    more = (
        '[departments.billing]\nname = "Billing"\naddresses = ["billing@desk.example"]\nmembers = ["ada"]\n'
    )
    settings = loaded(
        tmp_path, SMALL, f'{more}[desk]\ndefault_department = "billing"\n[agents.ada]\ntime_zone = "UTC"'
    )
    assert list(settings.desk.departments) == ["support", "billing"]
    assert settings.desk.agents["ada"].time_zone == "UTC"


def test_an_option_in_two_files_is_a_mistake_that_names_both(tmp_path: Path) -> None:
    (problem,) = problems_of(tmp_path, SMALL, '[service]\nname = "Other"\n')
    assert (problem.file, problem.path) == ("config/b.toml", "service.name")
    assert "config/a.toml" in problem.message


def test_rules_in_two_files_are_a_mistake(tmp_path: Path) -> None:
    rule = '[[rules]]\nname = "R"\nthen = { tags = ["x"] }\n'
    (problem,) = problems_of(tmp_path, SMALL + rule, rule)
    assert problem.path == "rules"
    assert problem.suggestion is not None
    assert "order" in problem.suggestion


def test_a_syntax_error_names_file_and_line_and_hides_no_other_mistake(tmp_path: Path) -> None:
    problems = problems_of(tmp_path, "[service]\nname = \n", '[desk]\ncommand_prefix = "!"\n')
    assert [(problem.file, problem.line, problem.path) for problem in problems] == [
        ("config/a.toml", 2, ""),
        ("config/b.toml", None, "desk.command_prefix"),
    ]
    assert str(problems[0]).startswith("config/a.toml:2: is not TOML")


def test_bytes_that_are_not_utf_8_are_a_mistake(tmp_path: Path) -> None:
    directory = directory_with(tmp_path, SMALL)
    (directory / "b.toml").write_bytes(b'[desk]\nsubject_tag = "\xff"')
    with pytest.raises(ConfigurationError, match="is not UTF-8"):
        load(directory, {})


def test_a_directory_without_files_is_a_mistake_that_names_init(tmp_path: Path) -> None:
    for directory in (tmp_path, tmp_path / "absent"):
        with pytest.raises(ConfigurationError, match="mailticket init"):
            load(directory, {})


def test_every_mistake_is_reported_at_once(tmp_path: Path) -> None:
    text = """
    colour = "red"
    [service]
    name = "Desk"
    time_zone = "Europe/Berln"
    databse = "x"
    [desk]
    default_department = "suport"
    [departments.support]
    name = 3
    addresses = "support@desk.example"
    [agents.ada]
    name = "Ada"
    addresses = ["ada"]
    [listeners.smtp]
    port = 70000
    [delivery]
    retry = ["1 minute"]
    """
    found = {problem.path: problem for problem in problems_of(tmp_path, text)}
    assert set(found) == {
        "colour",
        "service.instance",
        "service.time_zone",
        "service.databse",
        "desk.default_department",
        "departments.support.name",
        "departments.support.addresses",
        "agents.ada.addresses[0]",
        "listeners.smtp.port",
        "delivery.retry[0]",
    }
    assert found["service.databse"].suggestion == "Did you mean database?"
    assert found["service.time_zone"].suggestion == "Did you mean Europe/Berlin?"
    assert found["desk.default_department"].suggestion == "Did you mean support?"
    assert found["listeners.smtp.port"].value == "70000"
    assert found["service.instance"].message == "is missing"
    assert {problem.file for problem in found.values()} == {"config/a.toml"}


@pytest.mark.parametrize(
    ("text", "path", "message"),
    [
        ("mailboxes = 5", "mailboxes", "must be a table"),
        ("mailboxes.m = 5", "mailboxes.m", "must be a table"),
        ("rules = 5", "rules", "must be a list of tables"),
        ("rules = [5]", "rules", "must be a list of tables"),
        ("[departments.IT]", "departments.IT", "a key is"),
        ("[departments.support]\nkey = 'x'", "departments.support.key", "is not a known option"),
        ("[brakes]\ntotal_hour = -1", "brakes.total_hour", "must be at least 0"),
        ("[receive]\nbatch = 1.5", "receive.batch", "must be a whole number"),
        ("[digest]\nenabled = 'perhaps'", "digest.enabled", "must be true or false"),
        ("[digest]\nat = 8", "digest.at", "must be a time of day"),
        ("[digest]\nweekdays = 'mon'", "digest.weekdays", "must be a list"),
        ("[delivery]\nretry = []", "delivery.retry", "must not be empty"),
        ("[delivery]\nsmarthost = 'h'", "delivery.smarthost", "must be a table"),
        ("[desk]\nsubject_tag = 'Ticket'", "desk.subject_tag", 'must hold "{number}"'),
        ("[desk]\nsubject_tag = '{number} {x}'", "desk.subject_tag", 'must hold "{number}"'),
        ("[listeners.b]\nprotocol = 'smpt'", "listeners.b.protocol", "must be one of smtp, lmtp"),
        ("[schedules.s]\nhours.mon = ['9-5']", "schedules.s.hours.mon", "is not an interval"),
        ("[schedules.s]\nhours.monday = []", "schedules.s.hours.monday", "is not a weekday"),
        ("[schedules.s]\nhours = {}\nclosed = [5]", "schedules.s.closed[0]", "must be a date"),
        (
            "[[rules]]\nname='R'\nwhen=[{field='subject',how='matches',value='(('}]\nthen={}",
            "rules.R.when[0].value",
            "is not a regular expression",
        ),
        (
            "[[rules]]\nname='R'\nwhen=[{field='subject',how='contains',value=''}]\nthen={}",
            "rules.R.when[0].value",
            "must not be empty",
        ),
        ("[[rules]]\nthen={}", "rules[0].name", "is missing"),
    ],
)
def test_a_wrong_value_is_reported_in_the_words_of_toml(
    tmp_path: Path, text: str, path: str, message: str
) -> None:
    problems = problems_of(tmp_path, SMALL, text)
    found = [problem for problem in problems if problem.path == path]
    assert len(found) == 1, problems
    assert message in found[0].message


ODD = [
    *(
        "5",
        "-1",
        "1e400",
        "nan",
        "99999999999999999999999",
        "true",
        '""',
        '"x"',
        '"\\u0000"',
        '"~nobody-here/x"',
        '"{x}"',
    ),
    *("[]", "[5]", "[[]]", "[{}]", '["x", "x"]', '[""]', "{}", "{ x = 5 }", "{ mon = 5 }", '{ mon = ["x"] }'),
    *(
        '{ env = "" }',
        '{ file = "\\u0000" }',
        "2026-12-24",
        "08:00:00",
        "2026-12-24T08:00:00Z",
        '"\\U0001F600\\n"',
    ),
]


def _inline(path: tuple[str | int, ...], value: str) -> str:
    """The value at a path as TOML, on one line."""
    for part in reversed(path[1:]):
        value = f"[{value}]" if part == 0 else f"{{ {part} = {value} }}"
    return f"{path[0]} = {value}\n"


@pytest.mark.parametrize("path", [path for path, _ in leaves()], ids=lambda path: ".".join(map(str, path)))
def test_an_odd_value_is_accepted_or_a_mistake_and_never_a_crash(
    tmp_path: Path, path: tuple[str | int, ...]
) -> None:
    filled = tuple("x" if part == "KEY" else part for part in path)
    for value in ODD:
        directory = directory_with(tmp_path, SMALL, mode=0o600)
        (directory / "b.toml").write_text(_inline(filled, value), encoding="utf-8")
        with contextlib.suppress(ConfigurationError):
            assert load(directory, {}, warn=lambda problem: None).desk.departments


def test_an_error_tells_all_its_problems_in_its_text(tmp_path: Path) -> None:
    directory = directory_with(tmp_path, SMALL, '[desk]\ncommand_prefix = "!"\ncolour = "red"\n')
    with pytest.raises(ConfigurationError) as caught:
        load(directory, {})
    text = str(caught.value)
    assert text.startswith("2 mistakes in the configuration:")
    assert "config/b.toml: desk.command_prefix: must be one of #, / (it is '!')" in text


def test_a_desk_without_a_way_in_or_readers_is_doubtful(tmp_path: Path) -> None:
    text = SMALL.replace('members = ["ada"]', "").replace("[listeners.smtp]\nport = 2525", "")
    assert [problem.path for problem in warnings_of(tmp_path, text)] == ["departments.support", "listeners"]


def test_warnings_are_logged_when_nobody_else_hears_them(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    load(directory_with(tmp_path, SMALL.replace('members = ["ada"]', "")), {})
    assert "nobody hears of its tickets" in caplog.text
