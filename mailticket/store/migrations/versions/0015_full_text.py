"""The full-text index of thread entries, and indexes for lists of tickets by date.

There is no way down: whoever goes back restores the copy made before the upgrade.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.orm import Session

from mailticket.store.fulltext import index_entries, make_index

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_ENTRY = sa.table("entry", sa.column("id"))
_BATCH = 2_000


def upgrade() -> None:
    connection = op.get_bind()
    for statement in make_index(connection.dialect.name):
        op.execute(statement)
    last = 0
    with Session(connection, join_transaction_mode="rollback_only") as session:
        while True:
            some = sa.select(_ENTRY.c.id).where(_ENTRY.c.id > last).order_by(_ENTRY.c.id).limit(_BATCH)
            entries = list(connection.execute(some).scalars())
            if not entries:
                break
            index_entries(session, entries)
            last = entries[-1]
    op.create_index("ix_ticket_created_at", "ticket", ["created_at", "id"])
    op.create_index("ix_ticket_updated_at", "ticket", ["updated_at", "id"])
    op.create_index(
        "ix_ticket_closed_at",
        "ticket",
        ["closed_at", "id"],
        sqlite_where=sa.text("closed_at IS NOT NULL"),
        postgresql_where=sa.text("closed_at IS NOT NULL"),
    )
    unfinished = sa.text("closed_at IS NULL")
    for name in ("department", "assignee"):
        op.create_index(
            f"ix_ticket_{name}_due",
            "ticket",
            [name, "due_at", "id"],
            sqlite_where=unfinished,
            postgresql_where=unfinished,
        )
    op.create_index(
        "ix_ticket_overdue",
        "ticket",
        ["overdue_since", "id"],
        sqlite_where=sa.text("overdue_since IS NOT NULL"),
        postgresql_where=sa.text("overdue_since IS NOT NULL"),
    )
