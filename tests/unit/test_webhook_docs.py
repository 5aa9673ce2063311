"""docs/webhooks.md: its events are those of the code, and its check of the signature works."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mailticket.config.webhooks import EVENTS
from mailticket.delivery.webhook import signature

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "webhooks.md").read_text(encoding="utf-8")


def test_the_events_are_those_of_the_code() -> None:
    (sentence,) = re.findall(r"The events are (.*?)\. ", TEXT)
    assert tuple(re.findall(r"`([a-z-]+)`", sentence)) == EVENTS


def test_the_check_of_the_signature_takes_ours_and_nothing_else() -> None:
    (source,) = re.findall(r"```python\n(.*?)```", TEXT, flags=re.DOTALL)
    names: dict[str, Any] = {}
    exec(source, names)
    is_ours: Callable[..., bool] = names["is_ours"]
    header = signature("0123456789abcdef", 1_000_000, b"{}")
    assert is_ours(header, b"{}", "0123456789abcdef", 1_000_100)
    assert not is_ours(header, b"{} ", "0123456789abcdef", 1_000_100)
    assert not is_ours(header, b"{}", "another-secret-x", 1_000_100)
    assert not is_ours(header, b"{}", "0123456789abcdef", 1_001_000)
    assert not is_ours(header.replace("t=1000000", "t=1000050"), b"{}", "0123456789abcdef", 1_000_100)
    assert not is_ours("nonsense", b"{}", "0123456789abcdef", 1_000_100)
