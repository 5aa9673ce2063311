"""How an IMAP folder compares with the ledger.

There is no way down: whoever goes back restores the copy made before the upgrade.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("mailbox_contact", schema=None) as batch_op:
        batch_op.add_column(sa.Column("counted_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("in_folder", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("untaken", sa.Integer(), nullable=True))
