"""acknowledgements that wait.

There is no way down: whoever goes back restores the copy made before the upgrade.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


WAITING = "state = 'queued' AND template = 'ticket.autoresp'"


def upgrade() -> None:
    op.create_index(
        "ix_outbox_acknowledging",
        "outbox",
        ["recipient"],
        sqlite_where=sa.text(WAITING),
        postgresql_where=sa.text(WAITING),
    )
