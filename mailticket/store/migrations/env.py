"""Run by Alembic, always on the connection `mailticket.store.migrate` gives it."""

from __future__ import annotations

from typing import Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy import Connection

from mailticket.store.fulltext import is_index
from mailticket.store.models import Base, UTCDateTime


def render_item(kind: str, item: object, _context: AutogenContext) -> str | Literal[False]:
    """A migration must not change when our own types do: it names what the database sees."""
    return "sa.DateTime(timezone=True)" if kind == "type" and isinstance(item, UTCDateTime) else False


connection: Connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    render_as_batch=True,
    transactional_ddl=True,
    compare_type=True,
    render_item=render_item,
    include_name=lambda name, kind, _parents: not (kind == "table" and is_index(name)),
)
with context.begin_transaction():
    context.run_migrations()
