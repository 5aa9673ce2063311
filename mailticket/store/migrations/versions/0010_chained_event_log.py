"""The event log becomes a chain; what it holds already is chained in the order it was written.

There is no way down: whoever goes back restores the copy made before the upgrade.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from datetime import UTC
from itertools import groupby
from typing import Any

import sqlalchemy as sa
from alembic import op

from mailticket.domain.eventchain import SALT_BYTES, START, EntryWords, Place, link, words_digest

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_BATCH = 500
_WITH_WORDS = ("message", "response", "note")

_TICKET = sa.table("ticket", sa.column("id"), sa.column("log_length"), sa.column("log_head"))
_ENTRY = sa.table(
    "entry", sa.column("id"), sa.column("kind"), sa.column("audience"), sa.column("author"), sa.column("text")
)
_EVENT = sa.table(
    "ticket_event",
    sa.column("id"), sa.column("ticket_id"), sa.column("entry_id"), sa.column("kind"), sa.column("actor"),
    sa.column("at", sa.DateTime(timezone=True)), sa.column("reason"), sa.column("data", sa.JSON),
    sa.column("chain_id"), sa.column("seq"), sa.column("salt"), sa.column("words"), sa.column("digest"),
)  # fmt: skip


def upgrade() -> None:
    op.create_table(
        "event_seal",
        sa.Column("number", _ID, autoincrement=False, nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("newest_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_id", _ID, nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("packed", sa.LargeBinary(), nullable=False),
        sa.Column("key", sa.String(length=16), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_event_seal")),
    )
    op.add_column("ticket", sa.Column("log_length", sa.Integer(), server_default="0", nullable=False))
    op.add_column("ticket", sa.Column("log_head", sa.LargeBinary(), nullable=True))
    op.add_column("ticket_event", sa.Column("trust", sa.String(length=16), nullable=True))
    op.add_column("ticket_event", sa.Column("chain_id", _ID, nullable=True))
    op.add_column("ticket_event", sa.Column("seq", sa.Integer(), nullable=True))
    for name in ("salt", "words", "digest"):
        op.add_column("ticket_event", sa.Column(name, sa.LargeBinary(), nullable=True))
    connection = op.get_bind()
    for rows in _tickets(connection):
        _chain(connection, rows)
    op.create_index("ix_ticket_event_chain_id_seq", "ticket_event", ["chain_id", "seq"], unique=True)


def _tickets(connection: sa.Connection) -> Iterator[Sequence[Any]]:
    """The events of some tickets at a time, in order."""
    last = 0
    while True:
        some = sa.select(_TICKET.c.id).where(_TICKET.c.id > last).order_by(_TICKET.c.id).limit(_BATCH)
        tickets = list(connection.execute(some).scalars())
        if not tickets:
            return
        first, last = tickets[0], tickets[-1]
        yield connection.execute(
            sa.select(
                _EVENT, _ENTRY.c.kind.label("entry_kind"), _ENTRY.c.audience, _ENTRY.c.author, _ENTRY.c.text
            )
            .outerjoin(_ENTRY, _ENTRY.c.id == _EVENT.c.entry_id)
            .where(_EVENT.c.ticket_id.between(first, last))
            .order_by(_EVENT.c.ticket_id, _EVENT.c.id)
        ).all()


def _chain(connection: sa.Connection, rows: Sequence[Any]) -> None:
    links: list[dict[str, Any]] = []
    heads: list[dict[str, Any]] = []
    for ticket, events in groupby(rows, key=lambda row: row.ticket_id):
        head, length = START, 0
        for length, row in enumerate(events, start=1):
            salt = os.urandom(SALT_BYTES)
            entry = None
            if row.kind in _WITH_WORDS and row.entry_kind is not None:
                entry = EntryWords(row.entry_kind, row.audience, row.author, row.text)
            at = row.at if row.at.tzinfo is not None else row.at.replace(tzinfo=UTC)
            words = words_digest(salt, row.actor, row.reason, row.data, entry)
            head = link(head, Place(ticket, length, row.entry_id, row.kind, at, None), words)
            links.append(
                {"row": row.id, "chain": ticket, "place": length, "grain": salt, "said": words, "proof": head}
            )
        heads.append({"ticket": ticket, "length": length, "head": head})
    if links:
        connection.execute(_LINK, links)
        connection.execute(_HEAD, heads)


_LINK = (
    sa.update(_EVENT)
    .where(_EVENT.c.id == sa.bindparam("row"))
    .values(
        chain_id=sa.bindparam("chain"), seq=sa.bindparam("place"),
        salt=sa.bindparam("grain", type_=sa.LargeBinary), words=sa.bindparam("said", type_=sa.LargeBinary),
        digest=sa.bindparam("proof", type_=sa.LargeBinary),
    )
)  # fmt: skip
_HEAD = (
    sa.update(_TICKET)
    .where(_TICKET.c.id == sa.bindparam("ticket"))
    .values(log_length=sa.bindparam("length"), log_head=sa.bindparam("head", type_=sa.LargeBinary))
)
