"""What commands say when something is wrong: paths stay whole where the output is no terminal."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from mailticket.cli.check_command import Finding, show_findings
from mailticket.cli.main import app
from mailticket.cli.session import EXIT_CONFIG, fail

LONG = "/srv/" + "a-folder-with-a-long-name/" * 8 + "desk.toml"


def test_a_message_of_any_length_stands_on_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit):
        fail(f"cannot read {LONG}: permission denied")
    assert capsys.readouterr().err == f"mailticket: cannot read {LONG}: permission denied\n"


@pytest.mark.parametrize("command", [["check", "--offline"], ["status"]])
def test_every_mistake_in_a_configuration_stands_on_one_line(tmp_path: Path, command: list[str]) -> None:
    folder = tmp_path / ("a-folder-with-a-long-name-" * 4) / "config"
    folder.mkdir(parents=True)
    (folder / "mailticket.toml").write_text("[service]\n" + "a_long_name_" * 9 + " = 1\n")
    shown = CliRunner().invoke(app, ["--config", str(folder), *command])
    assert shown.exit_code == EXIT_CONFIG
    lines = shown.output.splitlines()
    assert f"The configuration in {folder} cannot be used:" in lines
    assert any("a_long_name_" * 9 + ": is not a known option" in line for line in lines), shown.output


def test_a_finding_of_a_check_stands_on_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    show_findings([Finding("templates", "failed", LONG), Finding("database", "ok", "well")])
    assert capsys.readouterr().out.splitlines() == [f"FAILED   templates: {LONG}", "ok       database: well"]
