"""The migrations, and the programs Alembic runs them with."""
