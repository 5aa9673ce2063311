"""What was mailed in each digest: the state it was made from, and the tickets behind its numbers.

There is no way down: whoever goes back restores the copy made before the upgrade.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "digest_issue",
        sa.Column("id", _ID, nullable=False),
        sa.Column("digest", sa.String(length=160), nullable=False),
        sa.Column("slot", sa.String(length=32), nullable=False),
        sa.Column("reader", sa.String(length=80), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("states", sa.JSON(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_digest_issue")),
        sa.UniqueConstraint("digest", "slot", name=op.f("uq_digest_issue_digest_slot")),
    )
    op.create_index("ix_digest_issue_digest_id", "digest_issue", ["digest", "id"])
    op.create_table(
        "digest_number",
        sa.Column("issue_id", _ID, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("ticket_id", _ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["issue_id"],
            ["digest_issue.id"],
            name=op.f("fk_digest_number_issue_id_digest_issue"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["ticket_id"],
            ["ticket.id"],
            name=op.f("fk_digest_number_ticket_id_ticket"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("issue_id", "number", name=op.f("pk_digest_number")),
    )
    op.create_index(op.f("ix_digest_number_ticket_id"), "digest_number", ["ticket_id"])
    op.create_index(
        "ix_ticket_event_bounced",
        "ticket_event",
        ["at"],
        sqlite_where=sa.text("kind = 'bounced'"),
        postgresql_where=sa.text("kind = 'bounced'"),
    )
