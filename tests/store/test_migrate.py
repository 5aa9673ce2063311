"""Bringing databases to the newest revision without losing a row."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect, select, text

from mailticket.errors import Permanent
from mailticket.store import revision as migrations
from mailticket.store.dialect import table_of
from mailticket.store.engine import open_engine, reading, transaction
from mailticket.store.fulltext import is_index
from mailticket.store.migrate import alembic_config, migrate
from mailticket.store.models import Base, Entry, Person, Ticket
from mailticket.store.revision import current, head_revision, is_current
from tests.store.conftest import NOW
from tests.store.threads import at_once

_NEXT = '''
"""Rebuilds a parent table, as Alembic's batch mode does on SQLite."""
import sqlalchemy as sa
from alembic import op
revision = "9999"
down_revision = "{head}"
def upgrade():
    with op.batch_alter_table("ticket", recreate="auto") as batch:
        batch.alter_column("subject", existing_type=sa.Text(), nullable=True)
    {more}
'''


@pytest.fixture
def empty(database_url: str) -> Iterator[Engine]:
    """A database nobody has touched yet."""
    engine = open_engine(database_url)
    yield engine
    engine.dispose()


def _newer_program(monkeypatch: pytest.MonkeyPatch, folder: Path, more: str = "pass") -> None:
    """From here on the program knows one revision more than the released ones."""
    scripts = folder / "migrations"
    shutil.copytree(migrations.SCRIPTS, scripts)
    (scripts / "versions" / "9999_next.py").write_text(_NEXT.format(head=head_revision(), more=more))
    monkeypatch.setattr(migrations, "SCRIPTS", scripts)


def _a_ticket_with_an_entry(engine: Engine) -> None:
    with transaction(engine) as session:
        person = Person(name="Ann", created_at=NOW)
        session.add(person)
        session.flush()
        ticket = Ticket(
            number="1", subject="s", status="open", department="support", priority="normal",
            requester_id=person.id, requester_address="ann@customer.example", requester_name="Ann",
            source="smtp", created_at=NOW, updated_at=NOW,
        )  # fmt: skip
        session.add(ticket)
        session.flush()
        session.add(
            Entry(
                ticket_id=ticket.id,
                kind="message",
                audience="customer",
                author="ann@customer.example",
                author_name="Ann",
                trust="unknown",
                text="t",
                reason="r",
                created_at=NOW,
            )
        )


def test_an_empty_database_gets_every_table_and_no_copy(empty: Engine) -> None:
    assert current(empty) is None
    assert not is_current(empty)
    report = migrate(empty)
    assert (report.before, report.after, report.backup, report.changed) == (None, head_revision(), None, True)
    assert is_current(empty)
    made = {name for name in inspect(empty).get_table_names() if not is_index(name)}
    assert made == {*Base.metadata.tables, "alembic_version"}


def test_migrating_again_changes_nothing(empty: Engine) -> None:
    migrate(empty)
    assert not migrate(empty).changed


def _modelled(name: str | None, kind: str, _parents: object) -> bool:
    return not (kind == "table" and is_index(name))


def test_the_migrations_make_what_the_models_say(empty: Engine) -> None:
    migrate(empty)
    with empty.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "include_name": _modelled}
        )
        assert compare_metadata(context, Base.metadata) == []


def test_the_models_alone_make_the_same_columns_as_the_migrations(
    empty: Engine, tmp_path_factory: pytest.TempPathFactory
) -> None:
    migrate(empty)
    inspector = inspect(empty)
    for name, table in Base.metadata.tables.items():
        found = {column["name"]: column["nullable"] for column in inspector.get_columns(name)}
        assert found == {column.name: column.nullable for column in table.columns}


def test_rebuilding_a_parent_table_keeps_its_children(
    empty: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrate(empty)
    _a_ticket_with_an_entry(empty)
    _newer_program(monkeypatch, tmp_path)
    assert migrate(empty).after == "9999"
    with reading(empty) as session:
        assert session.execute(select(table_of(Entry).c.text)).scalars().all() == ["t"]
    with transaction(empty) as session:  # and foreign keys are on again
        session.execute(table_of(Ticket).delete())
        assert session.execute(select(table_of(Entry).c.text)).all() == []


def test_an_older_sqlite_file_is_copied_before_it_is_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'var' / 'mailticket.db'}")
    migrate(engine)
    before = head_revision()
    _a_ticket_with_an_entry(engine)
    _newer_program(monkeypatch, tmp_path)
    backup = migrate(engine, tmp_path / "copies").backup
    engine.dispose()
    assert backup == tmp_path / "copies" / f"mailticket-before-upgrade-from-{before}.db"
    assert backup.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in backup.parent.iterdir()] == [backup.name]
    with closing(sqlite3.connect(backup)) as copy:
        assert copy.execute("SELECT text FROM entry").fetchall() == [("t",)]
        assert copy.execute("SELECT version_num FROM alembic_version").fetchall() == [(before,)]


def test_a_copy_never_replaces_an_older_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'mailticket.db'}")
    migrate(engine)
    taken = tmp_path / f"mailticket-before-upgrade-from-{head_revision()}.db"
    taken.write_text("an older copy")
    _newer_program(monkeypatch, tmp_path)
    backup = migrate(engine).backup
    engine.dispose()
    assert taken.read_text() == "an older copy"
    assert backup == taken.with_name(f"{taken.stem}-2.db")


def test_nothing_is_changed_when_the_copy_cannot_be_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'mailticket.db'}")
    before = migrate(engine).after
    _newer_program(monkeypatch, tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(Permanent, match="nothing was changed"):
        migrate(engine, tmp_path / "file" / "copies")
    assert current(engine) == before
    engine.dispose()


def test_a_migration_that_fails_leaves_the_database_as_it_was(
    empty: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = migrate(empty).after
    _newer_program(monkeypatch, tmp_path, more="op.add_column('ticket', sa.Column('x', sa.Text())); 1 / 0")
    with pytest.raises(ZeroDivisionError):
        migrate(empty)
    assert current(empty) == before
    assert "x" not in {column["name"] for column in inspect(empty).get_columns("ticket")}


def test_a_migration_that_breaks_references_is_undone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'mailticket.db'}")
    before = migrate(engine).after
    _a_ticket_with_an_entry(engine)
    _newer_program(monkeypatch, tmp_path, more="op.execute('DELETE FROM ticket')")
    with pytest.raises(Permanent, match="broken references in entry"):
        migrate(engine)
    assert current(engine) == before
    with reading(engine) as session:
        assert session.execute(text("SELECT count(*) FROM ticket")).scalar_one() == 1
    engine.dispose()


def test_the_newest_migration_by_name_is_the_one_alembic_ends_at() -> None:
    assert head_revision() == ScriptDirectory.from_config(alembic_config(None)).get_current_head()


def test_a_database_newer_than_the_program_is_refused(
    empty: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as newer:
        _newer_program(newer, tmp_path)
        migrate(empty)
    with pytest.raises(Permanent, match="revision 9999, which this version of mailticket does not know"):
        migrate(empty)
    assert current(empty) == "9999"
    assert not is_current(empty)


def test_daemons_that_start_together_migrate_once(database_url: str) -> None:
    engines = [open_engine(database_url) for _ in range(4)]
    reports = at_once(lambda number: migrate(engines[number]), threads=4)
    assert sorted(report.changed for report in reports) == [False, False, False, True]
    for engine in engines:
        engine.dispose()
