"""Fixtures that every folder of tests may use: the throw-away servers of tests/servers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests import servers

if TYPE_CHECKING:
    from tests.servers.certificates import Certificates
    from tests.servers.databases import PostgresTemplate, SqliteTemplate
    from tests.servers.dovecot import Dovecot
    from tests.servers.postgres import Postgres
    from tests.servers.sink import SmtpSink


@pytest.fixture
def free_port() -> int:
    """A TCP port on loopback that nobody listens on."""
    return servers.free_port()


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """A CA and a server certificate for localhost and 127.0.0.1."""
    from tests.servers.certificates import make_certificates

    return make_certificates(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="session")
def dovecot() -> Iterator[Dovecot]:
    """One Dovecot for the whole run; a test takes a user name of its own (see `mail_user`)."""
    from tests.servers.dovecot import Dovecot

    with Dovecot() as server:
        yield server


@pytest.fixture
def own_dovecot() -> Iterator[Dovecot]:
    """A Dovecot for this test alone, for tests that stop it or change its files."""
    from tests.servers.dovecot import Dovecot

    with Dovecot() as server:
        yield server


@pytest.fixture
def mail_user(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An IMAP user name no other test uses."""
    return f"user{abs(hash((request.node.nodeid, str(tmp_path)))):x}"


@pytest.fixture
def smtp_sink() -> Iterator[SmtpSink]:
    """An SMTP sink without TLS and without accounts, its script empty."""
    from tests.servers.sink import SmtpSink

    with SmtpSink() as sink:
        yield sink


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One PostgreSQL cluster for the whole run; a test takes a database of its own (`postgres_url`)."""
    from tests.servers.postgres import Postgres

    with Postgres() as server:
        yield server


@pytest.fixture
def postgres_url(postgres: Postgres) -> str:
    """The URL of an empty PostgreSQL database of this test's own."""
    return postgres.new_database()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database; the test runs once on SQLite and once on PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'mailticket.db'}"
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> SqliteTemplate:
    """An SQLite database at the newest revision, to be copied."""
    from tests.servers.databases import SqliteTemplate

    return SqliteTemplate(tmp_path_factory.mktemp("template"))


@pytest.fixture(scope="session")
def postgres_template(postgres: Postgres) -> PostgresTemplate:
    """A PostgreSQL database at the newest revision, to be copied."""
    from tests.servers.databases import PostgresTemplate

    return PostgresTemplate(postgres)


@pytest.fixture
def migrated_copy(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], str]:
    """Makes a database without rows at the newest revision, of the kind named; its URL."""

    def copy(kind: str) -> str:
        if kind == "postgres":
            postgres: PostgresTemplate = request.getfixturevalue("postgres_template")
            return postgres.copy()
        sqlite: SqliteTemplate = request.getfixturevalue("sqlite_template")
        return sqlite.copy(tmp_path / f"mailticket-{next(numbers)}.db")

    numbers = count(1)
    return copy


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def migrated_url(request: pytest.FixtureRequest, migrated_copy: Callable[[str], str]) -> str:
    """The URL of a database without rows at the newest revision; once on SQLite and once on PostgreSQL."""
    return migrated_copy(request.param)
