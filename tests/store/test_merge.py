"""Merging tickets and moving entries: everything goes along, and old pointers lead to the new place."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from mailticket.domain.types import EventKind
from mailticket.store import deadlines
from mailticket.store.changes import record
from mailticket.store.engine import transaction
from mailticket.store.merge import final_ticket, merge, move_entry
from mailticket.store.models import Entry, MessageRef, Outbox, Participant, Ticket, TicketEvent
from mailticket.store.outbox import message_key
from mailticket.store.people import add_participant, find_or_add_person, remove_participant
from tests.store.conftest import NOW

ANN, BOB = "ann@customer.example", "bob@customer.example"


def make_ticket(session: Session, number: str, requester: str) -> Ticket:
    person = find_or_add_person(session, requester, "", NOW)
    ticket = Ticket(
        number=number, subject="s", status="open", department="support", priority="normal",
        requester_id=person, requester_address=requester, requester_name="", source="smtp",
        created_at=NOW, updated_at=NOW, version=1,
    )  # fmt: skip
    session.add(ticket)
    session.flush()
    add_participant(session, ticket.id, requester, person, requester, NOW, role="requester")
    return ticket


def test_a_number_leads_to_its_ticket_through_any_number_of_merges(engine: Engine) -> None:
    with transaction(engine) as session:
        chain = [make_ticket(session, str(number), ANN) for number in range(60)]
        for one, following in pairwise(chain):
            merge(session, one, following, actor="agent:sam", why="the same", now=NOW)
        assert final_ticket(session, chain[0]) is chain[-1]
        assert final_ticket(session, chain[0], lock=True) is chain[-1]


def test_a_ring_of_merges_is_a_clear_error_and_no_endless_loop(engine: Engine) -> None:
    with transaction(engine) as session:
        one, two = make_ticket(session, "1", ANN), make_ticket(session, "2", ANN)
        one.merged_into_id, two.merged_into_id = two.id, one.id
        session.flush()
        with pytest.raises(ValueError, match="in a ring"):
            final_ticket(session, one)
        session.rollback()


def say(session: Session, ticket: Ticket, text: str, *, minutes: int = 0, digest: str | None = None) -> Entry:
    entry = Entry(
        ticket_id=ticket.id, kind="message", audience="customer", author=ticket.requester_address,
        author_name="", trust="unknown", text=text, reason="r", content_digest=digest,
        created_at=NOW + timedelta(minutes=minutes),
    )  # fmt: skip
    session.add(entry)
    session.flush()
    message_id = f"{text}@customer.example"
    session.add(
        MessageRef(
            key=message_key(message_id), message_id=message_id, ticket_id=ticket.id, entry_id=entry.id,
            direction="in", party=ticket.requester_address,
        )
    )  # fmt: skip
    event = TicketEvent(
        ticket_id=ticket.id, entry_id=entry.id, kind="message", actor=ticket.requester_address,
        at=entry.created_at, reason="r", data={},
    )  # fmt: skip
    session.add(event)
    session.flush()
    return entry


def queue(session: Session, ticket: Ticket) -> None:
    session.add(
        Outbox(
            dedupe_key=f"k{ticket.number}", template="ticket.alert", audience="internal", ticket_id=ticket.id,
            recipient="sam@agents.example", recipient_name="", envelope_from="", message_id="x",
            message_key="x", context={}, reason="", created_at=NOW, next_try_at=NOW,
        )
    )  # fmt: skip


def texts(session: Session, ticket: Ticket) -> list[str]:
    rows = select(Entry.text).where(Entry.ticket_id == ticket.id).order_by(Entry.id)
    return list(session.execute(rows).scalars())


def events(session: Session, ticket: Ticket) -> list[str]:
    rows = select(TicketEvent.kind).where(TicketEvent.ticket_id == ticket.id).order_by(TicketEvent.id)
    return list(session.execute(rows).scalars())


def test_everything_of_a_merged_ticket_moves_and_its_number_leads_to_the_target(engine: Engine) -> None:
    with transaction(engine) as session:
        source, target = make_ticket(session, "222222", BOB), make_ticket(session, "111111", ANN)
        say(session, target, "first")
        say(session, source, "second", minutes=5)
        queue(session, source)
        deadlines.plan(session, source.id, "sla", NOW)
        done = merge(session, source, target, actor="agent:sam", why="the same case", now=NOW)
        record(session, done)
    with transaction(engine) as session:
        source, target = (session.get_one(Ticket, one) for one in (source.id, target.id))
        assert texts(session, target) == ["first", "second"]
        assert texts(session, source) == []
        assert (source.status, source.merged_into_id, source.closed_at) == ("merged", target.id, NOW)
        assert target.last_message_at == NOW + timedelta(minutes=5)
        assert set(session.execute(select(MessageRef.ticket_id)).scalars()) == {target.id}
        assert session.execute(select(Outbox.ticket_id)).scalars().all() == [target.id]
        assert deadlines.planned(session, source.id) == {}
        roles = {row.address: row.role for row in session.execute(select(Participant)).scalars()}
        assert roles == {ANN: "requester", BOB: "collaborator"}
        assert events(session, source) == ["merged"]
        assert events(session, target) == ["message", "message", "merged"]
        assert final_ticket(session, source) is target


def test_a_chain_of_merges_leads_to_its_end(engine: Engine) -> None:
    with transaction(engine) as session:
        one, two, three = (make_ticket(session, number, ANN) for number in ("111111", "222222", "333333"))
        merge(session, one, two, actor="agent:sam", why="w", now=NOW)
        merge(session, two, three, actor="agent:sam", why="w", now=NOW)
        assert final_ticket(session, one) is three


@pytest.mark.parametrize("which", ["itself", "merged source", "merged target"])
def test_what_cannot_be_merged_is_refused(engine: Engine, which: str) -> None:
    with transaction(engine) as session:
        one, two, three = (make_ticket(session, number, ANN) for number in ("111111", "222222", "333333"))
        merge(session, one, two, actor="agent:sam", why="w", now=NOW)
        pair = {"itself": (three, three), "merged source": (one, three), "merged target": (three, one)}[which]
        with pytest.raises(ValueError, match="cannot be merged"):
            merge(session, *pair, actor="agent:sam", why="w", now=NOW)


def test_one_mail_on_both_tickets_does_not_hinder_a_merge(engine: Engine) -> None:
    with transaction(engine) as session:
        source, target = make_ticket(session, "222222", ANN), make_ticket(session, "111111", ANN)
        say(session, target, "to-support", digest="d")
        say(session, source, "to-it", digest="d")
        merge(session, source, target, actor="agent:sam", why="w", now=NOW)
        assert texts(session, target) == ["to-support", "to-it"]


def test_an_approved_merge_names_the_newest_message_for_the_alert(engine: Engine) -> None:
    with transaction(engine) as session:
        source, target = make_ticket(session, "222222", BOB), make_ticket(session, "111111", ANN)
        source.held, source.suspected_ticket_id = True, target.id
        entry = say(session, source, "held")
        done = merge(session, source, target, actor="agent:sam", why="w", now=NOW, approved=True)
        assert [(event.kind, event.ticket_id, event.entry_id) for event in done] == [
            (EventKind.MERGED, source.id, None),
            (EventKind.APPROVED, target.id, entry.id),
        ]
        assert not source.held


def test_a_moved_message_takes_its_message_id_and_events_along(engine: Engine) -> None:
    with transaction(engine) as session:
        origin, target = make_ticket(session, "111111", ANN), make_ticket(session, "222222", ANN)
        say(session, origin, "stays")
        moved = say(session, origin, "goes", minutes=3)
        now_in, done = move_entry(session, origin, 0, target, actor="agent:sam", why="w", now=NOW)
        assert now_in is target
        assert (texts(session, origin), texts(session, target)) == (["stays"], ["goes"])
        assert events(session, target) == ["message"]
        refs = session.execute(select(MessageRef.ticket_id).where(MessageRef.entry_id == moved.id)).scalars()
        assert list(refs) == [target.id]
        assert [event.kind for event in done] == [EventKind.MOVED, EventKind.MOVED]
        assert origin.last_message_at == NOW
        assert deadlines.planned(session, origin.id) == {"sla": NOW}


def test_the_entry_named_is_moved_and_not_the_newest(engine: Engine) -> None:
    with transaction(engine) as session:
        origin, target = make_ticket(session, "111111", ANN), make_ticket(session, "222222", ANN)
        named = say(session, origin, "named")
        say(session, origin, "newest", minutes=3)
        move_entry(session, origin, named.id, target, actor="agent:sam", why="w", now=NOW)
        assert texts(session, target) == ["named"]


def test_a_message_moved_to_a_new_ticket_is_of_its_author(engine: Engine) -> None:
    with transaction(engine) as session:
        origin = make_ticket(session, "111111", ANN)
        say(session, origin, "stays")
        say(session, origin, "goes", minutes=3)
        fresh, done = move_entry(session, origin, 0, None, actor="agent:sam", why="w", now=NOW)
        assert (fresh.requester_address, fresh.department, fresh.predecessor_id) == (
            ANN,
            "support",
            origin.id,
        )
        assert [event.kind for event in done] == [EventKind.CREATED, EventKind.MOVED, EventKind.MOVED]
        assert texts(session, fresh) == ["goes"]


def test_a_ticket_left_without_a_message_is_merged_into_the_target(engine: Engine) -> None:
    with transaction(engine) as session:
        origin, target = make_ticket(session, "111111", ANN), make_ticket(session, "222222", ANN)
        say(session, origin, "only")
        move_entry(session, origin, 0, target, actor="agent:sam", why="w", now=NOW)
        assert (origin.status, origin.merged_into_id) == ("merged", target.id)


def test_a_requester_is_never_taken_off_a_ticket(engine: Engine) -> None:
    with transaction(engine) as session:
        ticket = make_ticket(session, "111111", ANN)
        assert not remove_participant(session, ticket.id, ANN)
        assert not remove_participant(session, ticket.id, BOB)
        bob = find_or_add_person(session, BOB, "Bob", NOW)
        assert add_participant(session, ticket.id, BOB, bob, "agent:sam", NOW)
        assert not add_participant(session, ticket.id, BOB, bob, "agent:sam", NOW)
        assert remove_participant(session, ticket.id, BOB)
