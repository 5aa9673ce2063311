"""`mailticket templates list` and `preview`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mailticket.cli.templates_commands import templates_app
from mailticket.delivery.catalogue import CATALOGUE

RUNNER = CliRunner()


def test_list_names_every_template() -> None:
    shown = RUNNER.invoke(templates_app, ["list"])
    assert shown.exit_code == 0
    assert [line.split()[0] for line in shown.stdout.splitlines()] == list(CATALOGUE)
    lines = RUNNER.invoke(templates_app, ["list", "--json"]).stdout.splitlines()
    assert [json.loads(line)["code"] for line in lines] == list(CATALOGUE)


@pytest.mark.parametrize(
    ("part", "text", "html"), [("text", True, False), ("html", False, True), ("both", True, True)]
)
def test_preview_shows_the_part_asked_for(part: str, text: bool, html: bool) -> None:
    shown = RUNNER.invoke(templates_app, ["preview", "ticket.autoresp", "--part", part])
    assert shown.exit_code == 0
    assert ("Subject: Re: Online banking" in shown.stdout) is text
    assert ("<!DOCTYPE html>" in shown.stdout) is html


def test_preview_writes_the_html_part_to_a_file(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    shown = RUNNER.invoke(templates_app, ["preview", "ticket.digest", "--html", str(page)])
    assert shown.exit_code == 0
    assert page.read_text(encoding="utf-8").endswith("</html>\n")


def test_a_name_that_is_none_is_answered_with_those_there_are() -> None:
    shown = RUNNER.invoke(templates_app, ["preview", "ticket.nothing"])
    assert shown.exit_code == 2
    assert "ticket.autoresp" in shown.stderr


def test_a_broken_template_of_the_site_is_named_with_file_and_line(tmp_path: Path) -> None:
    (tmp_path / "en").mkdir()
    (tmp_path / "en" / "ticket.reply.md").write_text("Subject: s\n\n{{ ticket.colour }}\n")
    shown = RUNNER.invoke(templates_app, ["preview", "ticket.reply", "--templates", str(tmp_path)])
    assert shown.exit_code == 1
    assert "ticket.reply.md:3: ticket.colour is not given" in shown.stderr
