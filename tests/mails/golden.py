"""Golden mails: where they lie, and how an expectation is compared with a reading."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent


def golden_mails() -> list[Path]:
    """Every .eml below tests/mails, sorted by path."""
    return sorted(FOLDER.rglob("*.eml"))


def expectation(mail: Path) -> dict[str, Any]:
    """The .json beside a mail; its "about" key is for people and not compared."""
    loaded = json.loads(mail.with_suffix(".json").read_text(encoding="utf-8"))
    assert isinstance(loaded, dict)
    loaded.pop("about", None)
    return loaded


def differences(wanted: dict[str, Any], got: dict[str, Any]) -> list[str]:
    """What of `wanted` does not hold in `got` (the result of explain_dict), one sentence each.

    A key ending in _contains or _excludes holds phrases that must, or must not, stand in that text.
    `defects` lists the codes that must be there, all of them and no other. Everywhere else dicts are
    compared by the keys wanted, lists by length and element, the rest by equality.
    """
    found: list[str] = []
    for key, value in wanted.items():
        base, _, operator = key.rpartition("_")
        if operator in ("contains", "excludes") and base in got:
            text = got[base] or ""
            found += [
                f"{base} {'lacks' if operator == 'contains' else 'holds'} {phrase!r}: {text!r}"
                for phrase in value
                if (phrase in text) is (operator == "excludes")
            ]
        elif key == "defects":
            codes = sorted({defect["code"] for defect in got["defects"]})
            if codes != sorted(value):
                found.append(f"defects are {got['defects']}, wanted {value}")
        elif key not in got:
            found.append(f"there is no {key!r} in a reading")
        else:
            found += _compare(key, value, got[key])
    return found


def _compare(path: str, wanted: Any, got: Any) -> list[str]:
    if isinstance(wanted, dict) and isinstance(got, dict):
        return [
            line for key, value in wanted.items() for line in _compare(f"{path}.{key}", value, got.get(key))
        ]
    if isinstance(wanted, list) and isinstance(got, list):
        if len(wanted) != len(got):
            return [f"{path} has {len(got)} elements, wanted {len(wanted)}: {got!r}"]
        return [
            line
            for index, (one, other) in enumerate(zip(wanted, got, strict=True))
            for line in _compare(f"{path}[{index}]", one, other)
        ]
    return [] if wanted == got else [f"{path} is {got!r}, wanted {wanted!r}"]
