"""`mailticket templates check`: what it finds in a site's templates."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mailticket.cli.main import app
from mailticket.delivery.catalogue import CATALOGUE
from mailticket.delivery.check import check
from mailticket.delivery.phrases import LANGUAGES
from mailticket.delivery.render import Renderer

RUNNER = CliRunner()


def site(folder: Path, source: str, code: str = "ticket.resolved", language: str = "en") -> Path:
    (folder / language).mkdir(exist_ok=True)
    (folder / language / f"{code}.md").write_text(f"Subject: s\n\n{source}\n", encoding="utf-8")
    return folder


def test_the_shipped_templates_have_no_mistake_and_customers_have_every_language() -> None:
    found = list(check(Renderer()))
    assert [one for one in found if one.is_mistake] == []
    behind = {(one.language, one.code) for one in found}
    assert {code for _, code in behind if CATALOGUE[code].audience == "customer"} == set()
    assert {language for language, _ in behind} <= set(LANGUAGES) - {"en"}


@pytest.mark.parametrize(
    ("code", "source", "kind", "told"),
    [
        ("ticket.resolved", "{{ ticket.colour }}", "missing variable", "ticket.colour is not given"),
        (
            "ticket.resolved",
            "{% if since_date %}{{ ticket.colour }}{% endif %} x",
            "missing variable",
            "ticket.colour",
        ),
        ("ticket.resolved", "{{ reason }}", "leak", "reason is internal"),
        (
            "ticket.resolved",
            "{% if since_date %}{{ ticket.assigned }}{% endif %} x",
            "leak",
            "ticket.assigned is internal",
        ),
        (
            "ticket.resolved",
            "{% if note is defined %}{{ note.text }}{% endif %} x",
            "leak",
            "note.text is internal",
        ),
        (
            "ticket.autoresp",
            "{% if message is defined %}{{ message.text }}{% endif %} x",
            "leak",
            "message.text is internal",
        ),
        (
            "ticket.resolved",
            "{% for a in also %}{{ a.number }} {{ comments }}{% endfor %} x",
            "leak",
            "comments is internal",
        ),
        ("ticket.resolved", "{{ ticket.number | shout }}", "broken", "shout"),
        ("ticket.alert", "{{ ticket.colour }}", "missing variable", "ticket.colour is not given"),
        (
            "ticket.alert",
            "{% if ticket.suspected %}{{ nobody }}{% endif %} x",
            "missing variable",
            "nobody is not given",
        ),
    ],
)
def test_a_mistake_is_named_with_its_kind_and_place(
    tmp_path: Path, code: str, source: str, kind: str, told: str
) -> None:
    renderer = Renderer([site(tmp_path, source, code)])
    found = [one for one in check(renderer, ("en",)) if one.is_mistake]
    assert [(one.kind, one.code, one.line) for one in found] == [(kind, code, 3)]
    assert told in found[0].problem
    assert found[0].file == str(tmp_path / "en" / f"{code}.md")


@pytest.mark.parametrize(
    "source",
    [
        "{% if response is defined %}{{ response.text | block }}{% endif %} x",
        "{% for other in also %}{{ other.number }}, {{ loop.index }}{% endfor %} x",
        "{{ ticket.number }} {{ signature or company.name }}",
    ],
)
def test_what_a_customer_may_know_is_no_mistake(tmp_path: Path, source: str) -> None:
    renderer = Renderer([site(tmp_path, source)])
    assert [one for one in check(renderer, ("en",)) if one.is_mistake] == []


def test_a_language_of_the_sites_own_falls_back_and_says_so(tmp_path: Path) -> None:
    renderer = Renderer([site(tmp_path, "Ciao {{ ticket.number }}", language="it")])
    found = list(check(renderer, ("it",)))
    assert not any(one.is_mistake for one in found)
    assert {one.code for one in found} == set(CATALOGUE) - {"ticket.resolved"}


def test_the_command_exits_with_1_for_a_mistake_and_with_0_without(tmp_path: Path) -> None:
    fine = RUNNER.invoke(app, ["templates", "check"])
    assert fine.exit_code == 0, fine.output
    assert "none would show a customer what is internal" in fine.stdout
    site(tmp_path, "{{ reason }}")
    bad = RUNNER.invoke(
        app, ["templates", "check", "--templates", str(tmp_path), "--language", "en", "--json"]
    )
    assert bad.exit_code == 1
    (line,) = bad.stdout.splitlines()
    assert json.loads(line)["kind"] == "leak"


def test_show_prints_the_file_to_copy(tmp_path: Path) -> None:
    shown = RUNNER.invoke(app, ["templates", "show", "ticket.autoresp", "--language", "de-AT"])
    assert shown.exit_code == 0
    assert "vielen Dank" in shown.stdout
    assert shown.stderr.strip().endswith("de/ticket.autoresp.md")
    assert RUNNER.invoke(app, ["templates", "show", "no.such"]).exit_code == 2
