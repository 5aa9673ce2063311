"""Small configurations for the tests of mailticket.config."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from mailticket.config.loader import load
from mailticket.config.problems import ConfigurationError, Problem
from mailticket.config.settings import Settings

SMALL = """
[service]
name = "Desk"
instance = "desk"

[departments.support]
name = "Support"
addresses = ["support@desk.example"]
members = ["ada"]

[agents.ada]
name = "Ada Agent"
addresses = ["ada@staff.desk.example"]

[listeners.smtp]
port = 2525
"""
"""Nothing but what has to be written."""


def directory_with(tmp_path: Path, *texts: str, mode: int = 0o644) -> Path:
    """A configuration directory with the texts as files a.toml, b.toml ..."""
    directory = tmp_path / "config"
    directory.mkdir(exist_ok=True)
    for name, text in zip("abcdef", texts, strict=False):
        file = directory / f"{name}.toml"
        file.write_text(text, encoding="utf-8")
        file.chmod(mode)
    return directory


def loaded(tmp_path: Path, *texts: str, environ: Mapping[str, str] | None = None) -> Settings:
    """The settings of these files, which have no mistake and nothing doubtful."""
    doubts: list[Problem] = []
    settings = load(directory_with(tmp_path, *texts), environ or {}, warn=doubts.append)
    assert doubts == []
    return settings


def problems_of(
    tmp_path: Path, *texts: str, environ: Mapping[str, str] | None = None, mode: int = 0o644
) -> tuple[Problem, ...]:
    """The mistakes of these files; fails when there is none."""
    directory = directory_with(tmp_path, *texts, mode=mode)
    with pytest.raises(ConfigurationError) as caught:
        load(directory, environ or {}, warn=lambda problem: None)
    return caught.value.problems


def warnings_of(tmp_path: Path, *texts: str, environ: Mapping[str, str] | None = None) -> list[Problem]:
    """What is doubtful about these files, which have no mistake."""
    doubts: list[Problem] = []
    load(directory_with(tmp_path, *texts), environ or {}, warn=doubts.append)
    return doubts
