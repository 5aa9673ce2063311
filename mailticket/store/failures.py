"""What a database error means: try again later, or a mistake of ours.

Judged by the error codes of SQLite and the SQLSTATE classes of PostgreSQL (its manual, appendix A),
never by message texts, which are translated.
"""

from __future__ import annotations

from typing import Final, NoReturn

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from mailticket.errors import Temporary

# SQLite primary result codes (sqlite.org/rescode.html)
_SQLITE: Final = {
    5: "the database is locked by another process",
    6: "the database is locked by another process",
    7: "the database ran out of memory",
    8: "the database is read-only",
    10: "the disk of the database reports an error",
    11: "the database file is damaged",
    13: "the disk of the database is full",
    14: "the database file cannot be opened",
    15: "the database is locked by another process",
    26: "the database file is damaged or not a database",
}
# the first entry that fits wins
_POSTGRES: Final = (
    ("25006", "the database is read-only"),
    ("25P03", "the transaction took too long"),
    ("40001", "the transaction collided with another one"),
    ("40P01", "the transaction collided with another one"),
    ("55P03", "the database is locked by another process"),
    ("57014", "the database took too long to answer"),
    ("57", "the database server is shutting down or starting"),
    ("53100", "the disk of the database is full"),
    ("53", "the database server is short of resources"),
    ("58", "the database server reports a system error"),
    ("08", "the connection to the database broke"),
    ("28", "the database server refuses the login"),
    ("3D", "the database server does not have this database"),
)


class CommitUnknown(Temporary):
    """The connection broke during COMMIT: done or not done, only a look at the rows can tell."""


def connection_lost(error: DBAPIError) -> bool:
    """True when the server can no longer tell us how the statement ended."""
    state = getattr(error.orig, "sqlstate", None)
    if error.connection_invalidated:
        return True
    return isinstance(state, str) and state.startswith(("57P", "08"))


def as_temporary(error: DBAPIError | PoolTimeout) -> Temporary | None:
    """The error in plain words if trying again later may help, else None."""
    if isinstance(error, PoolTimeout):
        return Temporary("all database connections are busy")
    code = getattr(error.orig, "sqlite_errorcode", None)
    if isinstance(code, int):
        words = _SQLITE.get(code & 0xFF)
        return Temporary(words) if words else None
    state = getattr(error.orig, "sqlstate", None)
    if isinstance(state, str):
        return next((Temporary(words) for prefix, words in _POSTGRES if state.startswith(prefix)), None)
    if error.connection_invalidated or type(error.orig).__name__ == "OperationalError":
        told = str(error.orig).strip().splitlines()
        return Temporary(f"the database server cannot be reached{': ' + told[-1].strip() if told else ''}")
    return None


def raise_plain(error: DBAPIError | PoolTimeout) -> NoReturn:
    """Raise `error` as `Temporary` in plain words where that is what it is, else as it is."""
    plain = as_temporary(error)
    if plain is None:
        raise error
    raise plain from error
