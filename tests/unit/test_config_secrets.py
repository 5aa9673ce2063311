"""Where secrets come from, and that none of them is ever shown."""

from __future__ import annotations

import logging
import pickle
import stat
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mailticket.config.loader import load
from mailticket.config.problems import ConfigurationError
from mailticket.config.secrets import ensure_secret_key, readable_by_others
from mailticket.config.settings import Settings
from tests.unit.config_samples import SMALL, directory_with, loaded, problems_of, warnings_of

CANARY = "canary-5f1e0c7a9d3b4286-secret-words-of-nobody"
SMARTHOST = '[delivery.smarthost]\nhost = "smtp.desk.example"\nuser = "u"\npassword = '


def _password(settings: Settings) -> str:
    assert settings.delivery.smarthost is not None
    assert settings.delivery.smarthost.password is not None
    return settings.delivery.smarthost.password.get_secret_value()


def test_a_secret_comes_from_an_environment_variable(tmp_path: Path) -> None:
    settings = loaded(tmp_path, SMALL, SMARTHOST + '{ env = "PW" }', environ={"PW": CANARY})
    assert _password(settings) == CANARY


def test_a_secret_comes_from_an_override(tmp_path: Path) -> None:
    text = (SMARTHOST + "{}").replace("password = {}", "")
    settings = loaded(tmp_path, SMALL, text, environ={"MAILTICKET_DELIVERY__SMARTHOST__PASSWORD": CANARY})
    assert _password(settings) == CANARY


def test_a_secret_comes_from_a_file_beside_the_configuration(tmp_path: Path) -> None:
    directory = directory_with(tmp_path, SMALL, SMARTHOST + '{ file = "pw" }')
    (directory / "pw").write_text(f"  {CANARY}\n")
    (directory / "pw").chmod(0o600)
    assert _password(loaded(tmp_path)) == CANARY


def test_a_secret_file_that_everybody_may_read_is_doubtful(tmp_path: Path) -> None:
    directory = directory_with(tmp_path, SMALL, SMARTHOST + '{ file = "pw" }')
    (directory / "pw").write_text(CANARY)
    (directory / "pw").chmod(0o644)
    (warning,) = warnings_of(tmp_path)
    assert warning.path == "delivery.smarthost.password"
    assert "everybody may read" in warning.message
    assert warning.suggestion is not None
    assert "chmod 600" in warning.suggestion


def test_a_secret_in_a_file_of_ones_own_is_accepted(tmp_path: Path) -> None:
    directory = directory_with(tmp_path, SMALL, f'{SMARTHOST}"{CANARY}"', mode=0o600)
    assert not readable_by_others(directory / "b.toml")
    assert _password(load(directory, {})) == CANARY


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644])
def test_a_secret_in_a_file_that_others_may_read_is_a_mistake_that_says_how_to_mend(
    tmp_path: Path, mode: int
) -> None:
    (problem,) = problems_of(tmp_path, SMALL, f'{SMARTHOST}"{CANARY}"', mode=mode)
    assert problem.path == "delivery.smarthost.password"
    assert problem.suggestion is not None
    assert "chmod 600 config/b.toml" in problem.suggestion
    assert '{ env = "NAME" }' in problem.suggestion


@pytest.mark.parametrize(
    "written",
    [
        '{ env = "ABSENT" }',
        '{ env = "EMPTY" }',
        '{ file = "absent" }',
        '{ file = "." }',
        '{ env = "A", file = "b" }',
        "{}",
        "5",
        '""',
        '{ value = "x" }',
        "{ env = 5 }",
        "[]",
    ],
)
def test_a_secret_that_cannot_be_had_is_one_mistake(tmp_path: Path, written: str) -> None:
    (problem,) = problems_of(tmp_path, SMALL, SMARTHOST + written, environ={"EMPTY": " "}, mode=0o600)
    assert problem.path == "delivery.smarthost.password"


def test_the_database_url_may_be_a_secret(tmp_path: Path) -> None:
    text = '[service]\ndatabase = { env = "DB" }\n'
    settings = loaded(tmp_path, SMALL, text, environ={"DB": f"postgresql://u:{CANARY}@h/d"})
    assert settings.service.database == f"postgresql+psycopg://u:{CANARY}@h/d"
    assert settings.service.database_shown == "postgresql+psycopg://u:***@h/d"


def test_a_database_password_in_a_file_that_others_may_read_is_a_mistake(tmp_path: Path) -> None:
    text = f'[service]\ndatabase = "postgresql://u:{CANARY}@h/d"\n'
    assert [problem.path for problem in problems_of(tmp_path, SMALL, text)] == ["service.database"]


def test_a_database_without_a_secret_is_one_mistake(tmp_path: Path) -> None:
    text = '[service]\ndatabase = { env = "ABSENT" }\n'
    assert [problem.path for problem in problems_of(tmp_path, SMALL, text)] == ["service.database"]


def test_a_short_secret_key_is_a_mistake(tmp_path: Path) -> None:
    text = '[service]\nsecret_key = { env = "KEY" }\n'
    (problem,) = problems_of(tmp_path, SMALL, text, environ={"KEY": "x" * 31})
    assert problem.path == "service.secret_key"
    assert loaded(tmp_path, environ={"KEY": "x" * 32}).service.secret_key.get_secret_value() == "x" * 32


_SECRETS = f"""
[service]
name = "Desk"
instance = "desk"
database = "postgresql://u:{CANARY}@h/d"
secret_key = "{CANARY}"
[departments.support]
name = "Support"
addresses = ["support@desk.example"]
[mailboxes.m]
host = "imap.desk.example"
user = "u"
password = "{CANARY}"
address = "support@desk.example"
[mailboxes.n]
host = "imap.desk.example"
user = "u"
password = {{ env = "PW" }}
address = "support@desk.example"
{SMARTHOST}"{CANARY}"
"""


def test_no_secret_is_in_a_repr_or_a_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    directory = directory_with(tmp_path, _SECRETS, mode=0o600)
    with caplog.at_level(logging.DEBUG):
        settings = load(directory, {"PW": CANARY})
        logging.getLogger("test").debug("%s %r", settings, settings)
    assert settings.mailboxes["n"].password is not None
    assert settings.mailboxes["n"].password.get_secret_value() == CANARY
    for shown in (repr(settings), str(settings), settings.model_dump_json(exclude={"service": {"database"}})):
        assert CANARY not in shown
    assert CANARY not in caplog.text
    assert CANARY in pickle.dumps(settings).decode("latin-1")  # so the search would have found it


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("secret_key =", "secret_kex ="),
        ("[mailboxes.m]\n", "[mailboxes.m]\nport = 'x'\n"),
        ("[mailboxes.m]", "[mailboxs.m]"),
        ("[delivery.smarthost]\n", "[delivery.smarthost]\npasword = 'canary-5f1e0c7a9d3b4286'\n"),
        ("postgresql://", "mysql://"),
        ("postgresql://", "sqlite://"),
        ('host = "smtp.desk.example"\n', ""),
        ('address = "support@desk.example"\n', ""),
        ("[delivery.smarthost]", "[[delivery.smarthost]]"),
        (f'secret_key = "{CANARY}"', f'secret_key = ["{CANARY}"]'),
        (f'secret_key = "{CANARY}"', f'secret_key = {{ x = "{CANARY}" }}'),
        (f'secret_key = "{CANARY}"', f'secret_key = "{CANARY}'),
        (f'secret_key = "{CANARY}"', f'secret_key = "{CANARY}" x'),
        (f'password = "{CANARY}"', f'token_command = "x --secret {CANARY}"'),
    ],
)
@pytest.mark.parametrize("mode", [0o600, 0o644])
def test_no_secret_is_in_an_error_whatever_the_mistake(tmp_path: Path, old: str, new: str, mode: int) -> None:
    assert old in _SECRETS
    directory = directory_with(tmp_path, _SECRETS.replace(old, new), mode=mode)
    with pytest.raises(ConfigurationError) as caught:
        load(directory, {"PW": CANARY})
    texts = [
        str(caught.value),
        repr(caught.value.problems),
        "".join(traceback.format_exception(caught.value)),
    ]
    assert not any("canary-5f1e" in text for text in texts)


def test_a_secret_key_is_made_once_and_kept(tmp_path: Path) -> None:
    directory = directory_with(tmp_path, SMALL)
    first = load(directory, {}, create_secret=True).service.secret_key
    file = tmp_path / "var" / "secret.key"
    assert file.read_text().strip() == first.get_secret_value()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(first.get_secret_value()) >= 43
    assert load(directory, {}, create_secret=True).service.secret_key == first
    assert load(directory, {}).service.secret_key == first
    assert [one.name for one in file.parent.iterdir()] == ["secret.key"]


def test_without_leave_to_make_one_the_key_lasts_as_long_as_the_process(tmp_path: Path) -> None:
    directory = directory_with(tmp_path, SMALL)
    first, second = (load(directory, {}).service.secret_key for _ in range(2))
    assert first != second
    assert not (tmp_path / "var").exists()


def test_processes_that_start_at_once_get_the_same_key(tmp_path: Path) -> None:
    path = tmp_path / "new" / "secret.key"
    with ThreadPoolExecutor(8) as pool:
        keys = {key.get_secret_value() for key in pool.map(ensure_secret_key, [path] * 32)}
    assert len(keys) == 1
    assert [one.name for one in path.parent.iterdir()] == ["secret.key"]


@pytest.mark.parametrize("content", [b"", b"short", b"\xff" * 40])
def test_a_damaged_key_file_is_a_mistake_and_stays(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "secret.key"
    path.write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"service\.secret_key"):
        ensure_secret_key(path)
    assert path.read_bytes() == content


def test_a_key_that_cannot_be_kept_is_a_mistake(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError, match="cannot be used"):
        ensure_secret_key(tmp_path / "file" / "secret.key")
