"""The unfinished tickets by due date; and an index of held tickets that SQLite's planner can use.

There is no way down: whoever goes back restores the copy made before the upgrade.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_ticket_unfinished_due",
        "ticket",
        ["due_at", "id"],
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.drop_index("ix_ticket_held", table_name="ticket")
    op.create_index(
        "ix_ticket_held",
        "ticket",
        ["suspected_ticket_id"],
        sqlite_where=sa.text("held = 1"),
        postgresql_where=sa.text("held"),
    )
