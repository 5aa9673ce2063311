"""Statuses and fields of one's own, links between tickets, referrals.

There is no way down: whoever goes back restores the copy made before the upgrade.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "ticket_link",
        sa.Column("ticket_id", _ID, nullable=False),
        sa.Column("other_id", _ID, nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["ticket_id"], ["ticket.id"], name=op.f("fk_ticket_link_ticket_id_ticket"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["other_id"], ["ticket.id"], name=op.f("fk_ticket_link_other_id_ticket"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("ticket_id", "other_id", "kind", name=op.f("pk_ticket_link")),
    )
    op.create_index(op.f("ix_ticket_link_other_id"), "ticket_link", ["other_id"])
    op.create_table(
        "ticket_referral",
        sa.Column("ticket_id", _ID, nullable=False),
        sa.Column("department", sa.String(length=80), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["ticket_id"], ["ticket.id"], name=op.f("fk_ticket_referral_ticket_id_ticket"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("ticket_id", "department", name=op.f("pk_ticket_referral")),
    )
    op.create_index(op.f("ix_ticket_referral_department"), "ticket_referral", ["department"])
    op.add_column("ticket", sa.Column("custom_status", sa.String(length=40), nullable=True))
    op.add_column("ticket", sa.Column("fields", sa.JSON(), server_default=sa.text("'{}'"), nullable=False))
    op.add_column("ticket", sa.Column("last_note_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_ticket_predecessor",
        "ticket",
        ["predecessor_id"],
        sqlite_where=sa.text("predecessor_id IS NOT NULL"),
        postgresql_where=sa.text("predecessor_id IS NOT NULL"),
    )
    # what is finished is asked for no solution any more
    op.execute(
        "UPDATE ticket SET last_note_at = (SELECT max(created_at) FROM entry "
        "WHERE entry.ticket_id = ticket.id AND entry.kind = 'note' AND entry.author LIKE 'agent:%') "
        "WHERE closed_at IS NULL"
    )
