"""The full-text index of thread entries: one interface, SQLite's FTS5 or PostgreSQL's tsvector behind it.

One document per entry: the subject of its ticket, its text, and who wrote it with the names of the
files. Both databases get the terms that domain/terms.py makes, and none of their own dictionaries, so
that the same question finds the same entries. A document follows its entry wherever that moves; who
changes an entry's words, or a ticket's subject, calls `index_entries` or `index_ticket`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    TextClause,
    bindparam,
    cast,
    column,
    literal_column,
    select,
    table,
    text,
)
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlalchemy.orm import Session

from mailticket.domain.terms import MOST_TERMS, Asked, Question, terms
from mailticket.store.models import Entry, EntryAttachment, Ticket

TABLE: Final = "entry_search"
"""Made by a migration, by hand: no model describes a virtual table."""
_BATCH: Final = 200
_COLUMN_GAP: Final = 2
"""Positions between two parts of a document, so that no phrase runs over them (PostgreSQL)."""
_IDS: Final[BindParameter[Any]] = bindparam("ids", expanding=True)
_PUT: Final = {
    "sqlite": text(
        "INSERT INTO entry_search (rowid, subject, body, about) VALUES (:id, :subject, :body, :about)"
    ),
    "postgresql": text("INSERT INTO entry_search (entry_id, terms) VALUES (:id, CAST(:terms AS tsvector))"),
}
_DROP: Final = {
    "sqlite": text("DELETE FROM entry_search WHERE rowid IN :ids").bindparams(_IDS),
    "postgresql": text("DELETE FROM entry_search WHERE entry_id IN :ids").bindparams(_IDS),
}


@dataclass(frozen=True, slots=True)
class Document:
    """What of an entry can be found. `about`: who wrote it, and the names of its files."""

    entry_id: int
    subject: str
    body: str
    about: str


def put_documents(session: Session, documents: Iterable[Document]) -> None:
    """Add documents of entries that have none yet. Flushes nothing."""
    dialect = session.get_bind().dialect.name
    rows = [_row(dialect, one) for one in documents]
    if rows:
        session.connection().execute(_PUT[dialect], rows)


def index_entries(session: Session, entries: Collection[int]) -> None:
    """Make the documents of these entries anew."""
    session.flush()
    drop = _DROP[session.get_bind().dialect.name]
    for batch in _batches(sorted(entries)):
        session.execute(drop, {"ids": batch})
        put_documents(session, _documents(session, batch))


def index_ticket(session: Session, ticket: int) -> None:
    """Make the documents of a ticket's entries anew, after its subject changed."""
    index_entries(session, session.execute(select(Entry.id).where(Entry.ticket_id == ticket)).scalars().all())


def matching(dialect: str, asked: Question) -> tuple[Any, ColumnElement[int], ColumnElement[bool]]:
    """The index as a table to select from, its column of entry ids, and the condition that `asked` makes."""
    if dialect == "sqlite":
        index = table(TABLE, column("rowid"))
        condition = literal_column(TABLE).op("MATCH")(_fts5(asked))
        return index, index.c.rowid, condition
    index = table(TABLE, column("entry_id"), column("terms"))
    condition = index.c.terms.op("@@")(_tsquery(asked))
    return index, index.c.entry_id, condition


def make_index(dialect: str) -> list[TextClause]:
    """The statements that make the empty index; for the migration."""
    if dialect == "sqlite":
        options = "subject, body, about, tokenize='ascii', columnsize=0"
        return [text(f"CREATE VIRTUAL TABLE {TABLE} USING fts5({options})")]
    return [
        text(
            f"CREATE TABLE {TABLE} (entry_id bigint PRIMARY KEY REFERENCES entry (id) ON DELETE CASCADE, "
            "terms tsvector NOT NULL)"
        ),
        text(f"CREATE INDEX ix_{TABLE}_terms ON {TABLE} USING gin (terms)"),
    ]


def is_index(name: str | None) -> bool:
    """Whether a table is the index, or one of those in which FTS5 keeps it."""
    return name is not None and name.startswith(TABLE)


def _row(dialect: str, one: Document) -> dict[str, Any]:
    parts = {"subject": terms(one.subject), "about": terms(one.about), "body": terms(one.body)}
    if dialect == "sqlite":
        return {"id": one.entry_id, **{name: " ".join(words) for name, words in parts.items()}}
    return {"id": one.entry_id, "terms": _tsvector(list(parts.values()))}


def _tsvector(parts: Sequence[Sequence[str]]) -> str:
    """A tsvector as PostgreSQL reads it. Terms are letters and digits only: nothing needs escaping."""
    places: dict[str, list[str]] = {}
    at = 1
    for words in parts:
        for word in words:
            if at > MOST_TERMS:
                break
            places.setdefault(word, []).append(str(at))
            at += 1
        at += _COLUMN_GAP
    return " ".join(f"'{word}':{','.join(where)}" for word, where in places.items())


def _fts5(asked: Question) -> str:
    """The question in FTS5's language (sqlite.org/fts5.html section 3)."""
    wanted = " AND ".join(_fts5_phrase(one) for one in asked.wanted)
    unwanted = " OR ".join(_fts5_phrase(one) for one in asked.unwanted)
    return f"({wanted}) NOT ({unwanted})" if unwanted else wanted


def _fts5_phrase(one: Asked) -> str:
    return f'"{" ".join(one.terms)}"{"*" if one.prefix else ""}'


def _tsquery(asked: Question) -> ColumnElement[Any]:
    """The question as a tsquery, past every parser of PostgreSQL's own."""
    parts = [_ts_phrase(one) for one in asked.wanted]
    parts += [f"!({_ts_phrase(one)})" for one in asked.unwanted]
    return cast(" & ".join(parts), TSQUERY)


def _ts_phrase(one: Asked) -> str:
    words = [f"'{term}'" for term in one.terms]
    if one.prefix:
        words[-1] += ":*"
    return f"({' <-> '.join(words)})"


def _documents(session: Session, entries: Sequence[int]) -> list[Document]:
    names: dict[int, list[str]] = {}
    files = select(EntryAttachment.entry_id, EntryAttachment.filename).where(
        EntryAttachment.entry_id.in_(entries)
    )
    for entry, filename in session.execute(files):
        names.setdefault(entry, []).append(filename)
    rows = session.execute(
        select(Entry.id, Entry.text, Entry.author, Entry.author_name, Ticket.subject)
        .join(Ticket, Ticket.id == Entry.ticket_id)
        .where(Entry.id.in_(entries))
        .order_by(Entry.id)
    )
    return [
        Document(row.id, row.subject, row.text, about(row.author_name, row.author, names.get(row.id, ())))
        for row in rows
    ]


def about(author_name: str, author: str, files: Iterable[str]) -> str:
    """The third part of a document."""
    return " ".join([author_name, author.removeprefix("agent:"), *files])


def _batches(ids: Sequence[int]) -> Iterable[Sequence[int]]:
    return (ids[at : at + _BATCH] for at in range(0, len(ids), _BATCH))
