"""Held replies, Outlook's thread headers, and who takes part in what by address.

There is no way down: whoever goes back restores the copy made before the upgrade.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("ticket", sa.Column("held", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.create_index(
        "ix_ticket_held",
        "ticket",
        ["suspected_ticket_id"],
        sqlite_where=sa.text("held"),
        postgresql_where=sa.text("held"),
    )
    op.create_index(op.f("ix_participant_address"), "participant", ["address"])
    op.add_column("message_ref", sa.Column("thread_index", sa.Text(), nullable=True))
    op.add_column("message_ref", sa.Column("thread_topic", sa.Text(), nullable=True))
