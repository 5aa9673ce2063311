"""Daemons for scenario tests, on both databases."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.scenario.daemon import Daemon
from tests.scenario.simulated import SimulatedClock, SimulatedDesk


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest, migrated_copy: Callable[[str], str]) -> str:
    """As everywhere, but migrated already; what becomes of an empty database, test_main_job.py shows."""
    return migrated_copy(request.param)


@pytest.fixture
def daemon(tmp_path: Path, database_url: str) -> Iterator[Daemon]:
    """A running daemon with outgoing mail in a Maildir, once for each database."""
    with Daemon(tmp_path, database_url) as running:
        yield running


@pytest.fixture
def make_daemon(tmp_path: Path, migrated_copy: Callable[[str], str]) -> Iterator[Callable[..., Daemon]]:
    """Makes daemons, not started yet, on SQLite if not told otherwise; all are killed at the end."""
    made: list[Daemon] = []

    def make(name: str = "desk", **options: object) -> Daemon:
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        options["database"] = options.get("database") or migrated_copy("sqlite")
        daemon = Daemon(folder, **options)  # type: ignore[arg-type] # passed on as given
        made.append(daemon)
        return daemon

    yield make
    for daemon in made:
        if not daemon.ended():
            daemon.kill()


@pytest.fixture
def clock() -> SimulatedClock:
    """The clock of simulated desks; stands still until it is moved."""
    return SimulatedClock()


@pytest.fixture
def make_desk(tmp_path: Path, clock: SimulatedClock) -> Iterator[Callable[..., SimulatedDesk]]:
    """Makes desks in this process, by default one named "a"; all are closed at the end."""
    made: list[SimulatedDesk] = []

    def make(
        name: str = "a", extra: str = "", *, acknowledge_replies: bool = False, options: str = ""
    ) -> SimulatedDesk:
        desk = SimulatedDesk(
            tmp_path, name, clock, extra, acknowledge_replies=acknowledge_replies, options=options
        )
        made.append(desk)
        return desk

    yield make
    for desk in made:
        desk.close()
