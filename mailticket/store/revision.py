"""Which form a database is in, and which one this program works with; told without loading Alembic."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Engine, inspect, text

from mailticket.store.engine import reading

SCRIPTS: Final = Path(__file__).parent / "migrations"
"""Where the migrations are; each file's name begins with the revision it makes."""


def current(engine: Engine) -> str | None:
    """The revision the database is at, None when it is empty. Raises `Temporary` when it cannot be read."""
    with reading(engine) as session:
        return revision_of(session.connection())


def is_current(engine: Engine) -> bool:
    """True when the database is at this program's revision."""
    return current(engine) == head_revision()


def head_revision() -> str:
    """The revision this program works with: that of the newest migration."""
    return max(script.name.partition("_")[0] for script in (SCRIPTS / "versions").glob("[0-9]*.py"))


def revision_of(connection: Connection) -> str | None:
    """The revision that Alembic has noted in the database, None where it never was."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    noted: str | None = connection.execute(
        text("SELECT version_num FROM alembic_version")
    ).scalar_one_or_none()
    return noted
