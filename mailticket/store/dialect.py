"""The few places where the two databases want other words for the same thing."""

from __future__ import annotations

from functools import cache
from typing import Any

from sqlalchemy import Executable, Select, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import DeclarativeBase, Session


def table_of(model: type[DeclarativeBase]) -> Table:
    """A model's table, typed as one."""
    table = model.__table__
    assert isinstance(table, Table)
    return table


def upsert(session: Session, table: Table) -> sqlite.Insert | postgresql.Insert:
    """An INSERT that knows ON CONFLICT, for the database of `session`."""
    if session.get_bind().dialect.name == "sqlite":
        return sqlite.insert(table)
    return postgresql.insert(table)


def insert_new(session: Session, table: Table, *conflict: str, returning: tuple[str, ...] = ()) -> Executable:
    """INSERT ... ON CONFLICT (conflict) DO NOTHING; RETURNING tells of the rows that were new.

    Built once per database, because building a statement costs more than running it.
    """
    return _insert_new(session.get_bind().dialect.name, table, conflict, returning)


@cache
def _insert_new(
    dialect: str, table: Table, conflict: tuple[str, ...], returning: tuple[str, ...]
) -> Executable:
    insert = sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)
    statement = insert.on_conflict_do_nothing(index_elements=list(conflict))
    return statement.returning(*(table.c[name] for name in returning)) if returning else statement


def claimable(query: Select[Any], table: Table) -> Select[Any]:
    """The rows of `query` that no other worker has locked, locked for us until the transaction ends.

    PostgreSQL: FOR UPDATE SKIP LOCKED. SQLite compiles it to nothing, and needs nothing: BEGIN
    IMMEDIATE lets one writer in at a time.
    """
    return query.with_for_update(of=table, skip_locked=True)
