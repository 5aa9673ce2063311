"""Which database errors are worth another try."""

from __future__ import annotations

import pytest
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from mailticket.store.failures import as_temporary, connection_lost


class OperationalError(Exception):
    """What a driver raises, with the codes ours is asked for."""

    def __init__(self, sqlstate: str | None = None, sqlite_errorcode: int | None = None) -> None:
        super().__init__("a text\nin any language")
        if sqlite_errorcode is None:
            self.sqlstate = sqlstate
        else:
            self.sqlite_errorcode = sqlite_errorcode


def _error(orig: Exception, lost: bool = False) -> DBAPIError:
    return DBAPIError("SELECT 1", None, orig, connection_invalidated=lost)


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("25006", "read-only"),
        ("25P03", "too long"),
        ("40001", "collided"),
        ("40P01", "collided"),
        ("53100", "disk of the database is full"),
        ("53300", "short of resources"),
        ("55P03", "locked"),
        ("57014", "too long to answer"),
        ("57P01", "shutting down"),
        ("58030", "system error"),
        ("08006", "broke"),
        ("28P01", "refuses the login"),
        ("3D000", "does not have this database"),
    ],
)
def test_a_state_of_the_server_is_temporary(state: str, words: str) -> None:
    error = as_temporary(_error(OperationalError(sqlstate=state)))
    assert error is not None
    assert words in str(error)


@pytest.mark.parametrize("state", ["23505", "23502", "22021", "22P02", "42P01", "42703"])
def test_a_fault_of_the_statement_is_not(state: str) -> None:
    assert as_temporary(_error(OperationalError(sqlstate=state))) is None


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (5, "locked"),
        (517, "locked"),  # SQLITE_BUSY_SNAPSHOT: the low byte is the primary code
        (7, "memory"),
        (8, "read-only"),
        (10, "disk"),
        (778, "disk"),  # SQLITE_IOERR_WRITE
        (11, "damaged"),
        (13, "full"),
        (14, "cannot be opened"),
        (26, "not a database"),
    ],
)
def test_a_state_of_the_file_is_temporary(code: int, words: str) -> None:
    error = as_temporary(_error(OperationalError(sqlite_errorcode=code)))
    assert error is not None
    assert words in str(error)


@pytest.mark.parametrize("code", [1, 18, 19, 20])
def test_a_fault_of_the_sqlite_statement_is_not(code: int) -> None:
    assert as_temporary(_error(OperationalError(sqlite_errorcode=code))) is None


def test_a_server_that_does_not_answer_is_temporary_with_its_last_words() -> None:
    error = as_temporary(_error(OperationalError()))
    assert str(error) == "the database server cannot be reached: in any language"


def test_no_free_connection_is_temporary() -> None:
    assert "busy" in str(as_temporary(PoolTimeout("limit reached")))


@pytest.mark.parametrize(
    ("state", "lost", "answer"),
    [(None, True, True), ("57P01", False, True), ("08006", False, True), ("40001", False, False)],
)
def test_a_lost_connection_is_told_from_an_answer(state: str | None, lost: bool, answer: bool) -> None:
    assert connection_lost(_error(OperationalError(sqlstate=state), lost)) is answer
