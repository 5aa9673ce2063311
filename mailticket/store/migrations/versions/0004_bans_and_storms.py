"""Who is banned, what senders sent in the last day, and which held mails a person has let in.

There is no way down: whoever goes back restores the copy made before the upgrade.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def _id() -> sa.types.TypeEngine[int]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("inbound", sa.Column("released", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("auto_mail", sa.Column("template", sa.String(length=64), server_default="", nullable=False))
    op.create_index("ix_auto_mail_ticket_id_at", "auto_mail", ["ticket_id", "at"])
    op.create_table(
        "sender_mail",
        sa.Column("id", _id(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sender", sa.String(length=320), nullable=False),
        sa.Column("subject_key", sa.String(length=64), nullable=False),
        sa.Column("content_key", sa.String(length=64), nullable=True),
        sa.Column("ticket_id", _id(), nullable=True),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sender_mail")),
    )
    op.create_index(op.f("ix_sender_mail_at"), "sender_mail", ["at"])
    op.create_index("ix_sender_mail_sender_at", "sender_mail", ["sender", "at"])
    op.create_table(
        "ban",
        sa.Column("id", _id(), nullable=False),
        sa.Column("pattern", sa.String(length=320), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("action", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("hits", sa.Integer(), server_default="0", nullable=False),
        sa.Column("last_hit_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ban")),
        sa.UniqueConstraint("pattern", name=op.f("uq_ban_pattern")),
    )
    op.create_index(op.f("ix_ban_kind"), "ban", ["kind"])
