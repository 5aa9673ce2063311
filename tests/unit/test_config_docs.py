"""docs/config.md says what the models do."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from mailticket.config.loader import load
from mailticket.config.problems import Problem
from mailticket.config.references import LONGEST_LOCAL_PART
from mailticket.config.secrets import SHORTEST_KEY
from mailticket.config.validate import DEFAULT_PRIORITIES
from tests.unit.config_reference import heading_of, rows

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "config.md").read_text(encoding="utf-8")
ROW = re.compile(r"\| `([a-z_0-9]+)` \| ([^|]+) \| ([^|]+) \| ([^|]+) \|")


def _described() -> dict[tuple[str, str], tuple[str, str, str]]:
    """(heading, option) -> type, default, meaning."""
    found: dict[tuple[str, str], tuple[str, str, str]] = {}
    heading = ""
    for line in TEXT.splitlines():
        if line.startswith("## `"):
            heading = line.removeprefix("## `").removesuffix("`")
        row = ROW.fullmatch(line)
        if heading and row:
            option, kind, default, meaning = row.groups()
            assert (heading, option) not in found
            found[heading, option] = (kind, default, meaning)
    return found


@pytest.mark.parametrize(("path", "kind", "default"), rows(), ids=lambda value: str(value))
def test_every_option_is_described_with_its_type_and_default(
    path: tuple[str | int, ...], kind: str, default: str
) -> None:
    described = _described()[heading_of(path), str(path[-1])]
    assert described[:2] == (kind, default)
    assert described[2].strip()


def test_no_other_option_is_described() -> None:
    assert set(_described()) == {(heading_of(path), str(path[-1])) for path, _, _ in rows()}


def test_every_section_has_an_example() -> None:
    sections = TEXT.split("\n## `")[1:]
    without = [part.partition("`")[0] for part in sections if "```toml" not in part]
    assert without == ["[[rules]]", "[rules.when]"]  # whose example stands under [rules.then]


def test_the_examples_load_together_with_the_example_configuration(tmp_path: Path) -> None:
    directory = tmp_path / "config"
    directory.mkdir()
    taken = {"service", "desk", "absence", "alerts", "digest", "brakes", "trust"}
    examples = re.findall(r"```toml\n(.*?)```", TEXT, flags=re.DOTALL)
    for source in (ROOT / "config").glob("*.toml"):
        text = source.read_text(encoding="utf-8")
        if source.name == "mailticket.toml":
            text = ""
        if source.name == "routing.toml":
            text = text.partition("[[rules]]")[0]
        (directory / source.name).write_text(text, encoding="utf-8")
    (tmp_path / "tls").mkdir()
    for name in ("fullchain.pem", "privkey.pem"):
        (tmp_path / "tls" / name).touch()
    (directory / "examples.toml").write_text("\n".join(examples), encoding="utf-8")
    doubts: list[Problem] = []
    settings = load(
        directory, {"ADA_PASSWORD": "x", "CHAT_HOOK_SECRET": "0123456789abcdef"}, warn=doubts.append
    )
    assert doubts == []
    assert taken <= set(tomllib.loads("\n".join(examples)))
    assert settings.desk.command_prefix == "/"


def test_the_numbers_in_the_text_are_those_of_the_code() -> None:
    assert f"at least {SHORTEST_KEY} characters" in TEXT
    assert f"may have {LONGEST_LOCAL_PART} characters before the @" in TEXT
    assert ", ".join(f"`{key}` (urgency {urgency})" for key, urgency in DEFAULT_PRIORITIES.items()) in TEXT
