"""The commands, one module per group; no rules in here."""

from __future__ import annotations

from mailticket.cli.main import main

__all__ = ["main"]
