"""How the daemon logs: one level for all loggers, which a reload may change."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from mailticket.logs import set_level, set_up


@pytest.fixture(autouse=True)
def own_logging() -> Iterator[None]:
    """What a test sets up ends with it."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


def test_a_new_level_counts_for_loggers_that_were_used_before(capsys: pytest.CaptureFixture[str]) -> None:
    set_up("warning", "json")
    ours, foreign = structlog.get_logger("mailticket.tests"), logging.getLogger("foreign")
    for level in ("warning", "info", "error", "debug"):
        set_level(level)
        for name in ("debug", "info", "warning", "error"):
            getattr(ours, name)(f"ours while {level}")
            getattr(foreign, name)(f"foreign while {level}")
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    for who in ("ours", "foreign"):
        told = {
            level: [line["level"] for line in lines if line["event"] == f"{who} while {level}"]
            for level in ("debug", "info", "warning", "error")
        }
        assert told == {
            "debug": ["debug", "info", "warning", "error"],
            "info": ["info", "warning", "error"],
            "warning": ["warning", "error"],
            "error": ["error"],
        }


def test_chatty_libraries_never_log_below_warnings(capsys: pytest.CaptureFixture[str]) -> None:
    set_up("error", "text")
    set_level("debug")
    logging.getLogger("sqlalchemy").info("SELECT secret")
    logging.getLogger("mail.log").warning("a peer is gone")
    told = capsys.readouterr().err
    assert "secret" not in told
    assert "a peer is gone" in told
