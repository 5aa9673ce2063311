"""What only the whole configuration can show."""

from __future__ import annotations

from pathlib import Path

import pytest

from mailticket.config.loader import load
from mailticket.config.problems import ConfigurationError
from mailticket.config.references import REFERENCES
from mailticket.config.shape import leaves
from tests.unit.config_samples import SMALL, directory_with, loaded, problems_of, warnings_of

OTHER = '[departments.it]\nname = "IT"\naddresses = ["it@desk.example"]\nmembers = ["ada"]\n'
DEFAULT = '[desk]\ndefault_department = "support"\n'
MAILBOX = (
    '[mailboxes.m]\nhost = "imap.desk.example"\nuser = "u"\naddress = "support@desk.example"\n'
    'password = { env = "PW" }\n'
)
SMARTHOST = '[delivery.smarthost]\nhost = "smtp.desk.example"\n'


@pytest.mark.parametrize(
    ("text", "path", "suggestion"),
    [
        ("[desk]\ndefault_department = 'suport'", "desk.default_department", "Did you mean support?"),
        ("[desk]\ndefault_priority = 'hihg'", "desk.default_priority", "Did you mean high?"),
        ("[desk]\ndefault_sla_plan = 'gold'", "desk.default_sla_plan", None),
        ("[departments.support]\nmanager = 'adda'", "departments.support.manager", "Did you mean ada?"),
        ("[departments.support]\nsla_plan = 'gold'", "departments.support.sla_plan", None),
        ("[agents.ada]\ndepartments = ['suport']", "agents.ada.departments[0]", "Did you mean support?"),
        ("[teams.t]\nname = 'T'\nlead = 'adda'", "teams.t.lead", "Did you mean ada?"),
        ("[teams.t]\nname = 'T'\nmembers = ['ada', 'zed']", "teams.t.members[1]", "Known are: ada"),
        ("[topics.t]\nname = 'T'\ndepartment = 'x'", "topics.t.department", "Known are: support"),
        (
            "[topics.t]\nname = 'T'\npriority = 'x'",
            "topics.t.priority",
            "Known are: emergency, high, low, normal",
        ),
        ("[topics.t]\nname = 'T'\nsla_plan = 'x'", "topics.t.sla_plan", None),
        ("[topics.t]\nname = 'T'\nagent = 'x'", "topics.t.agent", "Known are: ada"),
        ("[topics.t]\nname = 'T'\nteam = 'x'", "topics.t.team", None),
        (
            "[[rules]]\nname = 'R'\nthen = { department = 'x' }",
            "rules.R.then.department",
            "Known are: support",
        ),
        ("[[rules]]\nname = 'R'\nthen = { topic = 'x' }", "rules.R.then.topic", None),
        (
            "[[rules]]\nname = 'R'\nthen = { priority = 'norml' }",
            "rules.R.then.priority",
            "Did you mean normal?",
        ),
        ("[[rules]]\nname = 'R'\nthen = { sla_plan = 'x' }", "rules.R.then.sla_plan", None),
        ("[[rules]]\nname = 'R'\nthen = { agent = 'x' }", "rules.R.then.agent", "Known are: ada"),
        ("[[rules]]\nname = 'R'\nthen = { team = 'x' }", "rules.R.then.team", None),
        ("[sla_plans.p]\nname = 'P'\nschedule = 'x'", "sla_plans.p.schedule", None),
        ("[sla_plans.p]\nname = 'P'\nschedules.update = 'x'", "sla_plans.p.schedules.update", None),
        (
            "[sla_plans.p]\nname = 'P'\nsteps = [{ at = '75%', agent = 'x' }]",
            "sla_plans.p.steps[0].agent",
            "Known are: ada",
        ),
        (
            "[sla_plans.p]\nname = 'P'\nsteps = [{ at = '-1h', tell = ['agent:x'] }]",
            "sla_plans.p.steps[0].tell[0]",
            "Known are: ada",
        ),
        (
            "[sla_plans.p]\nname = 'P'\npriorities.x.factor = 2.0",
            "sla_plans.p.priorities.x",
            "Known are: emergency, high, low, normal",
        ),
    ],
)
def test_a_key_that_names_nothing_is_a_mistake(
    tmp_path: Path, text: str, path: str, suggestion: str | None
) -> None:
    (problem,) = problems_of(tmp_path, SMALL, text)
    assert (problem.file, problem.path, problem.suggestion) == ("config/b.toml", path, suggestion)


def test_every_option_that_names_a_key_is_checked() -> None:
    written = {tuple("*" if part in ("KEY", 0) else part for part in path) for path, _ in leaves()}
    assert {path for path, _ in REFERENCES} <= written
    names = {
        "department",
        "departments",
        "topic",
        "priority",
        "sla_plan",
        "agent",
        "team",
        "schedule",
        "lead",
        "deputy",
        "readers",
        "teams",
        "topics",
        "priorities",
        "follow_up",
        "default_follow_up",
        "default_topic",
        "webhooks",
    }
    names |= {"role", "default_role", "account_manager", "organisation", "quiet", "canned"}
    names |= {"manager", "members", "default_department", "default_priority", "default_sla_plan"}
    of_targets = {path for path in written if path[-2] == "schedules"}
    assert {path for path in written if path[-1] in names} | of_targets == {path for path, _ in REFERENCES}


def test_a_reference_to_an_entry_with_a_mistake_is_none_itself(tmp_path: Path) -> None:
    text = "[teams.t]\nname = 3\n[topics.x]\nname = 'X'\nteam = 't'"
    assert [problem.path for problem in problems_of(tmp_path, SMALL, text)] == ["teams.t.name"]


def test_the_default_department_must_be_named_when_there_are_two(tmp_path: Path) -> None:
    (problem,) = problems_of(tmp_path, SMALL, OTHER)
    assert (problem.path, problem.message) == ("desk.default_department", "is missing")
    assert loaded(tmp_path, SMALL, OTHER + DEFAULT).desk.default_department == "support"


def test_a_desk_needs_a_department(tmp_path: Path) -> None:
    problems = problems_of(tmp_path, '[service]\nname = "D"\ninstance = "d"\n')
    assert {problem.path for problem in problems} == {"departments", "desk.default_department"}


def test_own_priorities_need_a_default_when_none_is_normal(tmp_path: Path) -> None:
    text = "[priorities.p1]\nname = 'P1'\nurgency = 1"
    (problem,) = problems_of(tmp_path, SMALL, text)
    assert (problem.path, problem.suggestion) == ("desk.default_priority", "Known are: p1")
    assert loaded(tmp_path, SMALL, f"{text}\n[desk]\ndefault_priority = 'p1'").desk.default_priority == "p1"


@pytest.mark.parametrize(
    "address", ["support@desk.example", "SUPPORT@Desk.Example", "ada@staff.desk.example"]
)
def test_an_address_belongs_to_one_department_or_agent(tmp_path: Path, address: str) -> None:
    text = OTHER.replace('["it@desk.example"]', f'["it@desk.example", "{address}"]')
    problems = problems_of(tmp_path, SMALL, text + DEFAULT)
    assert len(problems) == 1
    assert "has too" in problems[0].message


def test_an_address_is_not_used_twice_by_one_agent(tmp_path: Path) -> None:
    text = '[agents.ben]\nname = "Ben"\naddresses = ["ben@desk.example", "Ben@desk.example"]'
    assert [problem.path for problem in problems_of(tmp_path, SMALL, text)] == ["agents.ben.addresses[1]"]


def test_addresses_are_compared_beside_other_mistakes(tmp_path: Path) -> None:
    text = OTHER.replace("it@desk", "support@desk").replace('"IT"', "3")
    assert {problem.path for problem in problems_of(tmp_path, SMALL, text + DEFAULT)} == {
        "departments.it.name",
        "departments.it.addresses[0]",
    }


@pytest.mark.parametrize(
    ("local", "fits"), [("a" * 18, True), ("a" * 19, False), ("ä" * 9, True), ("ä" * 10, False)]
)
def test_the_address_a_department_sends_from_has_room_for_a_token(
    tmp_path: Path, local: str, fits: bool
) -> None:
    text = SMALL.replace("support@desk.example", f"{local}@desk.example")
    if fits:
        loaded(tmp_path, text)
        return
    (problem,) = problems_of(tmp_path, text)
    assert problem.path == "departments.support.addresses[0]"
    assert "18 characters" in problem.message


def test_further_addresses_of_a_department_may_be_long(tmp_path: Path) -> None:
    long = "a" * 40 + "@desk.example"
    text = SMALL.replace('["support@desk.example"]', f'["support@desk.example", "{long}"]')
    assert long in loaded(tmp_path, text).desk.department_by_address


def test_a_department_address_has_no_extension(tmp_path: Path) -> None:
    (problem,) = problems_of(tmp_path, SMALL.replace("support@", "support+x@"))
    assert problem.path == "departments.support.addresses[0]"


def test_two_rules_do_not_share_a_name(tmp_path: Path) -> None:
    rule = "[[rules]]\nname = 'R'\nthen = {}\n"
    (problem,) = problems_of(tmp_path, SMALL, rule * 2)
    assert problem.path == "rules.R.name"


def test_a_pattern_that_the_matcher_cannot_use_is_a_mistake(tmp_path: Path) -> None:
    rule = (
        "[[rules]]\nname = 'R'\nwhen = [{ field = 'subject', how = 'matches', value = '(?=x)' }]\nthen = {}\n"
    )
    directory = directory_with(tmp_path, SMALL, rule)
    with pytest.raises(ConfigurationError) as caught:
        load(directory, {})
    (problem,) = caught.value.problems
    assert problem.path == "rules.R.when[0].value"
    assert "look-around" in problem.message


def test_no_agent_is_called_me(tmp_path: Path) -> None:
    text = '[agents.me]\nname = "Me"\naddresses = ["me@desk.example"]'
    assert [problem.path for problem in problems_of(tmp_path, SMALL, text)] == ["agents.me"]


@pytest.mark.parametrize(
    ("text", "option"),
    [
        ("country = 'Germany'", "country"),
        ("country = 'XX'", "country"),
        ("country = 'DE'\nregion = 'XX'", "region"),
        ("region = 'BY'", "region"),
    ],
)
def test_unknown_countries_and_regions_are_mistakes(tmp_path: Path, text: str, option: str) -> None:
    (problem,) = problems_of(tmp_path, SMALL, f"[schedules.s]\nhours = {{}}\n{text}")
    assert problem.path == f"schedules.s.{option}"


@pytest.mark.parametrize(
    "text", ["country = 'DE'\nregion = 'BY'", "country = 'US'", "country = 'DE'\nregion = 'Augsburg'"]
)
def test_known_countries_and_regions_are_accepted(tmp_path: Path, text: str) -> None:
    assert loaded(tmp_path, SMALL, f"[schedules.s]\nhours = {{}}\n{text}").desk.schedules["s"].country


@pytest.mark.parametrize(
    ("first", "second", "collide"),
    [
        (("127.0.0.1", 2600), ("127.0.0.1", 2600), True),
        (("127.0.0.1", 2600), ("localhost", 2600), True),
        (("127.0.0.1", 2600), ("0.0.0.0", 2600), True),
        (("127.0.0.1", 2600), ("192.0.2.1", 2600), False),
        (("127.0.0.1", 2600), ("127.0.0.1", 2601), False),
        (("127.0.0.1", 0), ("127.0.0.1", 0), False),
    ],
)
def test_two_listeners_do_not_share_a_port(
    tmp_path: Path, first: tuple[str, int], second: tuple[str, int], collide: bool
) -> None:
    text = "".join(
        f'[listeners.{key}]\nhost = "{host}"\nport = {port}\n'
        for key, (host, port) in zip("xy", (first, second), strict=True)
    )
    if collide:
        assert [problem.path for problem in problems_of(tmp_path, SMALL, text)] == ["listeners.y.port"]
    else:
        assert set(loaded(tmp_path, SMALL, text).listeners) == {"smtp", "x", "y"}


@pytest.mark.parametrize(
    ("text", "option"),
    [
        ("tls_certificate = 'absent.pem'", "tls_certificate"),
        ("tls_certificate = 'there.pem'\ntls_key = 'absent.pem'", "tls_key"),
        ("tls_key = 'there.pem'", "tls_key"),
        ("require_tls = true", "require_tls"),
    ],
)
def test_a_listener_needs_the_files_it_names(tmp_path: Path, text: str, option: str) -> None:
    (tmp_path / "there.pem").touch()
    (problem,) = problems_of(tmp_path, SMALL, f"[listeners.smtp]\n{text}")
    assert problem.path == f"listeners.smtp.{option}"


@pytest.mark.parametrize(
    ("change", "path"),
    [
        (('"support@desk.example"', '"suport@desk.example"'), "mailboxes.m.address"),
        (('password = { env = "PW" }', ""), "mailboxes.m"),
        (("password", 'token_command = ["x"]\npassword'), "mailboxes.m"),
        (("password", 'processed_folder = "INBOX"\npassword'), "mailboxes.m.processed_folder"),
        (("password", 'ca_file = "absent.pem"\npassword'), "mailboxes.m.ca_file"),
        (('password = { env = "PW" }', "token_command = []"), "mailboxes.m.token_command"),
    ],
)
def test_a_mailbox_that_could_not_be_used_is_a_mistake(
    tmp_path: Path, change: tuple[str, str], path: str
) -> None:
    (problem,) = problems_of(tmp_path, SMALL, MAILBOX.replace(*change), environ={"PW": "x"})
    assert problem.path == path


def test_a_mailbox_may_have_an_address_with_an_extension(tmp_path: Path) -> None:
    text = MAILBOX.replace("support@", "support+imap@")
    assert (
        loaded(tmp_path, SMALL, text, environ={"PW": "x"}).mailboxes["m"].address
        == "support+imap@desk.example"
    )


@pytest.mark.parametrize(
    ("text", "option"), [('user = "u"', "password"), ('password = { env = "PW" }', "user")]
)
def test_a_smarthost_login_needs_user_and_password(tmp_path: Path, text: str, option: str) -> None:
    (problem,) = problems_of(tmp_path, SMALL, SMARTHOST + text, environ={"PW": "x"})
    assert problem.path == f"delivery.smarthost.{option}"


def test_a_password_in_the_clear_is_doubtful(tmp_path: Path) -> None:
    login = 'user = "u"\npassword = { env = "PW" }\nsecurity = "none"\n'
    (tmp_path / "remote").mkdir()
    (tmp_path / "local").mkdir()
    warnings = warnings_of(tmp_path / "remote", SMALL, SMARTHOST + login, environ={"PW": "x"})
    assert [problem.path for problem in warnings] == ["delivery.smarthost.security"]
    local = SMARTHOST.replace("smtp.desk.example", "127.0.0.1")
    assert warnings_of(tmp_path / "local", SMALL, local + login, environ={"PW": "x"}) == []


def test_an_own_template_folder_exists(tmp_path: Path) -> None:
    (problem,) = problems_of(tmp_path, SMALL, '[service]\ntemplates = "absent"')
    assert problem.path == "service.templates"


def test_nobody_is_their_own_deputy(tmp_path: Path) -> None:
    (problem,) = problems_of(
        tmp_path, SMALL, "[agents.bob]\nname = 'Bob'\naddresses = ['bob@staff.desk.example']\ndeputy = 'bob'"
    )
    assert problem.path == "agents.bob.deputy"


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("steps = [{ at = 'soon' }]", "sla_plans.p.steps[0].at"),
        ("steps = [{ at = '+2' }]", "sla_plans.p.steps[0].at"),
        ("steps = [{ at = '75%', targets = ['responce'] }]", "sla_plans.p.steps[0].targets[0]"),
        ("steps = [{ at = '75%', tell = ['boss'] }]", "sla_plans.p.steps[0].tell[0]"),
        ("priorities.low.factor = 0.0", "sla_plans.p.priorities.low.factor"),
    ],
)
def test_a_step_that_cannot_be_taken_is_a_mistake(tmp_path: Path, text: str, path: str) -> None:
    (problem,) = problems_of(tmp_path, SMALL, f"[sla_plans.p]\nname = 'P'\n{text}")
    assert problem.path == path


@pytest.mark.parametrize("days", ["soon", "2026-08-14..2026-08-03", "2026-08-03.."])
def test_an_absence_that_no_calendar_has_is_a_mistake(tmp_path: Path, days: str) -> None:
    text = f"[agents.bob]\nname = 'Bob'\naddresses = ['bob@staff.desk.example']\naway = ['{days}']"
    (problem,) = problems_of(tmp_path, SMALL, text)
    assert problem.path == "agents.bob.away[0]"


def test_believing_an_mx_that_mail_can_pass_by_is_doubtful(tmp_path: Path) -> None:
    trust = "[trust]\nauthserv_ids = ['mx.desk.example']"
    everywhere = "[listeners.open]\nhost = '0.0.0.0'\nport = 2526"
    assert warnings_of(tmp_path, SMALL, trust) == []
    (warning,) = warnings_of(tmp_path, SMALL, trust, everywhere)
    assert warning.path == "trust.authserv_ids"
    assert "listeners.open" in warning.message


def test_a_trust_condition_takes_levels_only(tmp_path: Path) -> None:
    rule = (
        "[[rules]]\nname = 'r'\n"
        "when = [{{ field = 'trust', how = '{}', value = '{}' }}]\nthen = {{ tags = ['t'] }}"
    )
    assert loaded(tmp_path, SMALL, rule.format("not_equal", "token")).desk.rules[0].name == "r"
    (unknown,) = problems_of(tmp_path, SMALL, rule.format("equal", "failled"))
    assert unknown.path == "rules.r.when[0].value"
    (how,) = problems_of(tmp_path, SMALL, rule.format("contains", "token"))
    assert how.path == "rules.r.when[0].how"


def test_an_account_is_an_agents_and_needs_tls(tmp_path: Path) -> None:
    account = "[listeners.smtp.accounts.{}]\npassword = {{ env = 'PW' }}"
    plain = problems_of(tmp_path, SMALL, account.format("ada"), environ={"PW": "x"})
    assert [problem.path for problem in plain] == ["listeners.smtp.accounts"]
    (tmp_path / "cert.pem").touch()
    tls = "[listeners.smtp]\ntls_certificate = 'cert.pem'"
    nobody = problems_of(
        tmp_path, SMALL.replace("[listeners.smtp]", tls), account.format("adda"), environ={"PW": "x"}
    )
    assert [problem.path for problem in nobody] == ["listeners.smtp.accounts.adda"]


@pytest.mark.parametrize(
    ("text", "path", "message"),
    [
        ("[desk]\ndefault_role = 'x'", "desk.default_role", "names no role"),
        ("[agents.ada]\nroles = { it = 'r' }\n[roles.r]\nname = 'R'", "agents.ada.roles.it", "no department"),
        ("[agents.ada]\nroles = { support = 'q' }", "agents.ada.roles.support", "names no role"),
        ("[roles.r]\nname = 'R'\nmay = ['replay']", "roles.r.may[0]", ""),
        (
            "[organisations.a]\nname = 'A'\ndomains = ['a.example']\n"
            "[organisations.b]\nname = 'B'\ndomains = ['b.example', 'A.example']",
            "organisations.b.domains[1]",
            "is a domain that organisations.a has too",
        ),
        ("[organisations.a]\nname = 'A'\ndomains = ['x y']", "organisations.a.domains[0]", "must be a dom"),
        ("[organisations.a]\nname = 'A'\ndomains = ['a.example']\naccount_manager = 'zed'",
         "organisations.a.account_manager", "names no agent"),
    ],
)  # fmt: skip
def test_roles_and_organisations_are_checked(tmp_path: Path, text: str, path: str, message: str) -> None:
    (problem,) = problems_of(tmp_path, SMALL, text)
    assert problem.path == path
    assert message in problem.message
