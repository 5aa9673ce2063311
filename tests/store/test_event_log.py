"""The event log proves itself: whatever is done to it by SQL is found, and what the desk does is not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, delete, select, text, update
from sqlalchemy.orm import Session

from mailticket.domain.eventchain import pack, ranges, seal_key, unpack
from mailticket.domain.types import Event, EventKind, Trust
from mailticket.store.engine import reading, transaction
from mailticket.store.event_log import Words, erase_words, record
from mailticket.store.merge import merge, move_entry
from mailticket.store.models import Entry, EventSeal, Ticket, TicketEvent
from mailticket.store.proof import Proof, prove
from mailticket.store.seals import latest_seal, make_seal
from tests.store.small_desk import SAM, SmallDesk

KEY = seal_key(b"0123456789abcdef0123456789abcdef")
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def mail(sender: str, subject: str, body: str, more: str = "") -> bytes:
    return (
        f"From: {sender}\r\nTo: support@desk.example\r\nSubject: {subject}\r\n"
        f"Message-ID: <{abs(hash((sender, subject, body)))}@mail.example>\r\n{more}\r\n{body}\r\n"
    ).encode()


@pytest.fixture
def desk(engine: Engine) -> SmallDesk:
    """Three tickets, the first with an answer, a close and a reopening reply; nothing sealed."""
    desk = SmallDesk(engine)
    for name in ("ann", "bea", "cid"):
        desk.receive(mail(f"{name}@customer.example", f"Printer of {name}", f"It is {name}'s and broken."))
    alert = next(one for one in desk.to(SAM) if "Printer of ann" in one["Subject"])
    reply = alert["Reply-To"].addresses[0].addr_spec
    desk.receive(mail(SAM, f"Re: {alert['Subject']}", "#priority normal\n#close\nA new drum is in."), reply)
    return desk


def proof(engine: Engine, **options: Any) -> Proof:
    with reading(engine, snapshot=True) as session:
        return prove(session, KEY, **options)


def seal(engine: Engine, now: datetime = NOW, key: bytes = KEY) -> EventSeal | None:
    with transaction(engine) as session:
        return make_seal(session, key, now)


@contextmanager
def undone(engine: Engine) -> Iterator[Session]:
    """A transaction that changes nothing in the end."""
    with Session(engine) as session:
        yield session
        session.rollback()


def words(found: Proof) -> str:
    return "; ".join(str(one) for one in found.findings)


def test_what_the_desk_writes_holds_before_and_after_a_seal(desk: SmallDesk) -> None:
    before = proof(desk.engine)
    assert before.holds, words(before)
    assert before.tickets == 3
    assert before.events == before.unsealed > 8
    assert seal(desk.engine) is not None
    assert seal(desk.engine) is None
    after = proof(desk.engine)
    assert (after.holds, after.unsealed, after.seals) == (True, 0, 1)


def test_an_event_tells_how_its_actor_was_known(desk: SmallDesk) -> None:
    with reading(desk.engine) as session:
        known = {row.actor: row.trust for row in session.execute(select(TicketEvent)).scalars()}
    assert known["agent:sam"] == Trust.TOKEN
    assert known["ann@customer.example"] == Trust.UNKNOWN


def test_merging_moving_and_a_mail_after_that_leave_the_log_whole(desk: SmallDesk) -> None:
    seal(desk.engine)
    one, two, three = desk.tickets()
    with transaction(desk.engine) as session:
        events = merge(
            session, session.get_one(Ticket, two.id), session.get_one(Ticket, one.id),
            actor="agent:sam", why="the same", now=NOW,
        )  # fmt: skip
        record(session, events)
    with transaction(desk.engine) as session:
        entry = session.execute(select(Entry.id).where(Entry.ticket_id == three.id)).scalar_one()
        _, events = move_entry(
            session, session.get_one(Ticket, three.id), entry, None, actor="agent:sam", why="its own", now=NOW
        )
        record(session, events)
    desk.receive(mail("ann@customer.example", f"Re: [#{one.number}] Printer of ann", "Thanks"))
    assert proof(desk.engine).holds, words(proof(desk.engine))
    seal(desk.engine, NOW + timedelta(hours=1))
    assert proof(desk.engine).holds, words(proof(desk.engine))


_OTHER: dict[str, Any] = {
    "kind": "note",
    "actor": "agent:mallory",
    "at": datetime(2026, 11, 21, 9, tzinfo=UTC),
    "reason": "because I say so",
    "data": {"field": "status", "before": "open", "after": "closed"},
    "trust": "authenticated",
    "seq": 99,
    "chain_id": 77,
    "ticket_id": 2,
    "entry_id": None,
    "salt": b"another salt",
    "words": bytes(32),
    "digest": bytes(32),
}


def test_the_table_of_tampering_names_every_column() -> None:
    assert {*_OTHER, "id"} == {column.name for column in TicketEvent.__table__.columns}


@pytest.mark.parametrize("sealed", [False, True], ids=["unsealed", "sealed"])
def test_a_changed_column_of_any_event_is_found(desk: SmallDesk, sealed: bool) -> None:
    if sealed:
        seal(desk.engine)
    tried: set[str] = set()
    with undone(desk.engine) as session:
        rows = session.execute(select(TicketEvent).where(TicketEvent.ticket_id == 1)).scalars().all()
        for row in rows:
            for column, other in _OTHER.items():
                before = getattr(row, column)
                if before == other:
                    continue
                where = update(TicketEvent).where(TicketEvent.id == row.id)
                tried.add(column)
                session.connection().execute(where.values({column: other}))
                assert not prove(session, KEY).holds, (column, row.id)
                session.connection().execute(where.values({column: before}))
        assert prove(session, KEY).holds
    assert tried == set(_OTHER)


@pytest.mark.parametrize("sealed", [False, True], ids=["unsealed", "sealed"])
def test_any_deleted_event_is_found(desk: SmallDesk, sealed: bool) -> None:
    if sealed:
        seal(desk.engine)
    with reading(desk.engine) as session:
        ids = session.execute(select(TicketEvent.id)).scalars().all()
    for one in ids:
        with undone(desk.engine) as session:
            session.execute(delete(TicketEvent).where(TicketEvent.id == one))
            found = prove(session, KEY)
            assert not found.holds
            assert "gone" in words(found)


def tampered(engine: Engine, *statements: Any) -> Proof:
    with transaction(engine) as session:
        for statement in statements:
            session.execute(statement)
    return proof(engine)


def test_an_inserted_event_is_found(desk: SmallDesk) -> None:
    found = tampered(
        desk.engine,
        TicketEvent.__table__.insert().values(  # type: ignore[attr-defined]
            ticket_id=1, kind="closed", actor="agent:sam", at=NOW, reason="never happened", data={}
        ),
    )
    assert "inserted" in words(found)


def test_two_events_that_changed_places_are_found(desk: SmallDesk) -> None:
    swap = [
        update(TicketEvent).where(TicketEvent.chain_id == 1, TicketEvent.seq == old).values(seq=new)
        for old, new in ((1, 77), (2, 1), (77, 2))
    ]
    found = tampered(desk.engine, *swap)
    assert str(found.findings[0]).startswith("event 1 of ticket #")


def test_a_cut_tail_is_found_even_when_the_ticket_was_adjusted_to_it(desk: SmallDesk) -> None:
    seal(desk.engine)
    with reading(desk.engine) as session:
        last, before = (
            session.execute(
                select(TicketEvent).where(TicketEvent.chain_id == 1).order_by(TicketEvent.seq.desc()).limit(2)
            )
            .scalars()
            .all()
        )
    cut = delete(TicketEvent).where(TicketEvent.id == last.id)
    found = tampered(desk.engine, cut)
    assert "the last of the log" in words(found)
    adjusted = update(Ticket).where(Ticket.id == 1).values(log_length=before.seq, log_head=before.digest)
    found = tampered(desk.engine, adjusted)
    assert (
        words(found)
        == f"event {last.seq} of ticket #{desk.tickets()[0].number}: sealed events are gone: {last.seq}"
    )


def test_a_deleted_ticket_is_found(desk: SmallDesk) -> None:
    seal(desk.engine)
    found = tampered(
        desk.engine,
        text("UPDATE inbound SET ticket_id = NULL WHERE ticket_id = 3"),
        text("DELETE FROM outbox WHERE ticket_id = 3"),
        text("DELETE FROM ticket WHERE id = 3"),
    )
    assert "the ticket with id 3 is gone, with its events 1-" in words(found)


def test_a_changed_text_of_an_entry_is_found(desk: SmallDesk) -> None:
    found = tampered(desk.engine, update(Entry).where(Entry.id == 1).values(text="It works, thanks."))
    assert "the text of its entry was changed" in words(found)


def _rebuilt(engine: Engine) -> None:
    """What an intruder who knows this program does: change an event and chain everything anew."""
    with transaction(engine) as session:
        rows = session.execute(
            select(TicketEvent).where(TicketEvent.chain_id == 1).order_by(TicketEvent.seq)
        ).scalars()
        old = [(row.kind, row.entry_id, row.actor, row.at, row.reason, row.data) for row in rows]
        session.execute(delete(TicketEvent).where(TicketEvent.chain_id == 1))
        ticket = session.get_one(Ticket, 1)
        ticket.log_length, ticket.log_head = 0, None
        record(
            session,
            [
                Event(EventKind(kind), 1, entry, "mallory@customer.example", at, reason, data)
                for kind, entry, actor, at, reason, data in old
            ],
        )


def test_a_chain_that_was_rebuilt_contradicts_its_seal(desk: SmallDesk) -> None:
    seal(desk.engine)
    _rebuilt(desk.engine)
    assert not proof(desk.engine).holds


def test_new_seals_over_a_rebuilt_chain_contradict_the_one_kept_elsewhere(desk: SmallDesk) -> None:
    kept = seal(desk.engine)
    assert kept is not None
    _rebuilt(desk.engine)
    with transaction(desk.engine) as session:
        session.execute(delete(EventSeal))
    seal(desk.engine)
    assert proof(desk.engine).holds  # whoever has the secret key as well can do that
    found = proof(desk.engine, expected={kept.number: kept.digest})
    assert words(found) == "seal 1 is not the one you kept: the log was written anew"
    found = proof(desk.engine, expected={7: kept.digest})
    assert "the log was cut off" in words(found)


@pytest.mark.parametrize(
    "change",
    [
        lambda row: {"made_at": row.made_at + timedelta(seconds=1)},
        lambda row: {"packed": pack([*(unpack(row.packed) or ())][1:])},
        lambda row: {"packed": b"nonsense"},
        lambda row: {"digest": "0" * 64},
        lambda row: {"count": 1},
        lambda row: {"number": 9},
    ],
    ids=["made_at", "packed", "unreadable", "digest", "count", "number"],
)
def test_a_changed_seal_is_found(desk: SmallDesk, change: Callable[[EventSeal], dict[str, Any]]) -> None:
    row = seal(desk.engine)
    assert row is not None
    found = tampered(desk.engine, update(EventSeal).values(change(row)))
    assert not found.holds
    assert "seal" in words(found)


def test_a_seal_of_another_secret_is_noted_and_its_events_are_compared(desk: SmallDesk) -> None:
    seal(desk.engine, key=seal_key(b"the secret before"))
    found = proof(desk.engine)
    assert found.holds
    assert "another secret key" in found.notes[0]


def test_since_looks_at_what_is_younger_only(desk: SmallDesk) -> None:
    seal(desk.engine)
    desk.now += timedelta(days=3)
    desk.receive(mail("dan@customer.example", "Mouse", "It squeaks."))
    seal(desk.engine, desk.now)
    found = proof(desk.engine, since=desk.now - timedelta(days=1))
    assert (found.holds, found.tickets, found.seals) == (True, 1, 1), words(found)
    tampering = update(TicketEvent).where(TicketEvent.chain_id == 1).values(reason="x")
    with transaction(desk.engine) as session:
        session.execute(tampering)
    assert proof(desk.engine, since=desk.now - timedelta(days=1)).holds
    assert not proof(desk.engine).holds


def test_an_event_that_commits_late_gets_into_the_next_seal(desk: SmallDesk) -> None:
    if desk.engine.dialect.name == "sqlite":
        pytest.skip("one writer at a time")
    with transaction(desk.engine) as session:
        late = session.execute(text("SELECT nextval('ticket_event_id_seq')")).scalar_one()
    desk.receive(mail("dan@customer.example", "Mouse", "It squeaks."))
    seal(desk.engine, desk.now)
    desk.receive(mail("eve@customer.example", "Screen", "It flickers."))
    with transaction(desk.engine) as session:
        newest = session.execute(select(TicketEvent.id).order_by(TicketEvent.id.desc()).limit(1)).scalar_one()
        session.execute(update(TicketEvent).where(TicketEvent.id == newest).values(id=late))
    second = seal(desk.engine, desk.now)
    assert second is not None
    assert late in [event.id for event in unpack(second.packed) or ()]
    assert proof(desk.engine).holds, words(proof(desk.engine))
    assert proof(desk.engine, since=desk.now).holds


def _without_ann(old: Words) -> Words:
    return replace(old, actor=old.actor.replace("ann@customer.example", "erased"))


def erase(engine: Engine) -> int:
    with transaction(engine) as session:
        session.execute(update(Entry).where(Entry.id == 1).values(text="[erased]", author="erased"))
        return erase_words(session, [1], _without_ann, entries=[1], actor="operator", why="asked to", now=NOW)


@pytest.mark.parametrize("sealed", [False, True], ids=["unsealed", "sealed"])
def test_erasing_a_persons_words_keeps_the_proof(desk: SmallDesk, sealed: bool) -> None:
    if sealed:
        seal(desk.engine)
    assert erase(desk.engine) == 2
    found = proof(desk.engine)
    assert found.holds, words(found)
    assert found.erased == 2
    with reading(desk.engine) as session:
        rows = session.execute(select(TicketEvent).where(TicketEvent.chain_id == 1)).scalars().all()
        assert "ann@" not in str([(row.actor, row.reason, row.data) for row in rows])
        assert [row.kind for row in rows][-1] == "erased"


def test_words_that_are_made_to_look_erased_are_found(desk: SmallDesk) -> None:
    found = tampered(desk.engine, update(TicketEvent).where(TicketEvent.id == 1).values(salt=None, actor="x"))
    assert "no event says that they were erased" in words(found)


def test_erased_words_cannot_be_changed_again_unseen(desk: SmallDesk) -> None:
    erase(desk.engine)
    assert proof(desk.engine).holds
    found = tampered(
        desk.engine, update(TicketEvent).where(TicketEvent.salt.is_(None)).values(reason="other words")
    )
    assert not found.holds


def test_erasing_twice_holds(desk: SmallDesk) -> None:
    erase(desk.engine)
    with transaction(desk.engine) as session:
        gone = erase_words(
            session, [1], lambda old: replace(old, reason="erased"), actor="operator", why="all", now=NOW
        )
    assert gone > 2
    assert proof(desk.engine).holds, words(proof(desk.engine))


def test_a_big_backlog_is_sealed_piece_by_piece(desk: SmallDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mailticket.store.seals.MOST", 3)
    made = 0
    while seal(desk.engine, NOW + timedelta(days=1)) is not None:
        made += 1
    assert made >= 3
    found = proof(desk.engine)
    assert (found.holds, found.seals, found.unsealed) == (True, made, 0), words(found)
    with reading(desk.engine) as session:
        newest = latest_seal(session)
    assert newest is not None
    assert newest.number == made


@pytest.mark.parametrize(("numbers", "said"), [([], ""), ([3], "3"), ([1, 2, 3, 7, 9, 10], "1-3, 7, 9-10")])
def test_positions_are_told_as_ranges(numbers: list[int], said: str) -> None:
    assert ranges(numbers) == said
