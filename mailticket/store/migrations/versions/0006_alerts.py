"""Alerts that wait for their readers, and when each deadline was planned.

There is no way down: whoever goes back restores the copy made before the upgrade.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("deadline", sa.Column("planned_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(op.f("ix_deadline_planned_at"), "deadline", ["planned_at"])
    op.create_table(
        "alert",
        sa.Column("id", _ID, nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("reader", sa.String(length=326), nullable=False),
        sa.Column("ticket_id", _ID, nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["ticket_id"], ["ticket.id"], name=op.f("fk_alert_ticket_id_ticket"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert")),
        sa.UniqueConstraint("key", name=op.f("uq_alert_key")),
    )
    op.create_index("ix_alert_waiting", "alert", ["reader", "due_at"])
    op.create_index(op.f("ix_alert_ticket_id"), "alert", ["ticket_id"])
    op.create_table(
        "alert_reader",
        sa.Column("reader", sa.String(length=326), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("reader", name=op.f("pk_alert_reader")),
    )
    op.create_index(op.f("ix_alert_reader_due_at"), "alert_reader", ["due_at"])
