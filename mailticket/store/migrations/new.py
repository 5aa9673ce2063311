"""For developers: `python -m mailticket.store.migrations.new "add a column"`.

Writes the migration from the newest one to the models as they are now, with the next number, for
SQLite and PostgreSQL alike. Read it before committing it: a renamed column looks like one dropped
and one added.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from alembic import command

from mailticket.store.engine import open_engine
from mailticket.store.migrate import alembic_config
from mailticket.store.revision import SCRIPTS


def write_migration(message: str) -> None:
    """Write the next file in versions/. Uses a throw-away SQLite database."""
    number = 1 + max((int(path.name[:4]) for path in (SCRIPTS / "versions").glob("[0-9]*.py")), default=0)
    with tempfile.TemporaryDirectory() as folder:
        engine = open_engine(f"sqlite:///{Path(folder) / 'models.db'}")
        with engine.begin() as connection:
            config = alembic_config(connection)
            config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
            if number > 1:
                command.upgrade(config, "head")
            command.revision(config, message, autogenerate=True, rev_id=f"{number:04d}")
        engine.dispose()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit('usage: python -m mailticket.store.migrations.new "what changes"')
    write_migration(sys.argv[1])
