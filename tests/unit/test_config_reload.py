"""Which changes a running daemon can take over."""

from __future__ import annotations

from pathlib import Path

import pytest

from mailticket.config.loader import load
from mailticket.config.reload import diff_restart_needed, until_restart
from mailticket.config.settings import Settings
from tests.unit.config_samples import SMALL, directory_with

KEY = {"KEY": "x" * 40, "OTHER": "y" * 40}
MAILBOX = '[mailboxes.m]\nhost = "h"\nuser = "u"\ntoken_command = ["x"]\naddress = "support@desk.example"\n'
BASE = SMALL.replace("[service]", '[service]\nsecret_key = { env = "KEY" }')


def _settings(tmp_path: Path, text: str) -> Settings:
    return load(directory_with(tmp_path, text), KEY)


@pytest.mark.parametrize(
    ("old", "new", "parts"),
    [
        ("", "", ()),
        ('name = "Support"', 'name = "Help"', ()),
        ("[service]", '[service]\nlog_level = "debug"', ()),
        ("[listeners", "[brakes]\ntotal_hour = 1\n[listeners", ()),
        ("[service]", '[service]\ndatabase = "sqlite:////srv/x.db"', ("service.database",)),
        ("[service]", '[service]\nstate_dir = "other"', ("service.database", "service.state_dir")),
        ('"KEY"', '"OTHER"', ("service.secret_key",)),
        ('instance = "desk"', 'instance = "other"', ("service.instance",)),
        ("port = 2525", "port = 2526", ("listeners",)),
        ("[listeners", "[receive]\nparser_processes = 2\n[listeners", ("receive.parser_processes",)),
        ("[listeners", MAILBOX + "[listeners", ("mailboxes",)),
    ],
)
def test_only_some_changes_need_a_restart(tmp_path: Path, old: str, new: str, parts: tuple[str, ...]) -> None:
    before, after = _settings(tmp_path, BASE), _settings(tmp_path, BASE.replace(old, new) if old else BASE)
    assert diff_restart_needed(before, after) == parts
    going_on = until_restart(before, after)
    assert diff_restart_needed(before, going_on) == ()
    assert diff_restart_needed(going_on, after) == parts
    if not parts:
        assert going_on == after
