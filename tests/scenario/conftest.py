"""Daemons for scenario tests, on both databases."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.scenario.daemon import Daemon


@pytest.fixture
def daemon(tmp_path: Path, database_url: str) -> Iterator[Daemon]:
    """A running daemon with outgoing mail in a Maildir, once for each database."""
    with Daemon(tmp_path, database_url) as running:
        yield running


@pytest.fixture
def make_daemon(tmp_path: Path) -> Iterator[Callable[..., Daemon]]:
    """Makes daemons that are not started yet; whatever still runs at the end is killed."""
    made: list[Daemon] = []

    def make(name: str = "desk", **options: object) -> Daemon:
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        daemon = Daemon(folder, **options)  # type: ignore[arg-type] # passed on as given
        made.append(daemon)
        return daemon

    yield make
    for daemon in made:
        if not daemon.ended():
            daemon.kill()
