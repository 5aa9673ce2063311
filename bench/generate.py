"""A desk with up to a million open tickets, put into a real database with the store's own tables.

The same rows in every run: no randomness, so that runs can be compared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from sqlalchemy import Engine, Table, insert

from mailticket.config.desk import Agent, Department, Desk, Digest, Priority, SLAPlan
from mailticket.domain.eventchain import SALT_BYTES, START, EntryWords, Place, link, words_digest
from mailticket.store.dialect import table_of
from mailticket.store.due import SLA
from mailticket.store.engine import transaction
from mailticket.store.fulltext import Document, about, put_documents
from mailticket.store.models import (
    Deadline,
    Entry,
    MessageRef,
    Participant,
    Person,
    PersonAddress,
    Ticket,
    TicketEvent,
)
from mailticket.store.outbox import message_key

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
"""A Monday morning: what the clock of these measurements shows."""
FIRST_RESPONSE = timedelta(hours=4)
_PEOPLE = 10_000
_DEPARTMENTS = 20
_AGENTS = 100
_CHUNK = 5_000
_PRIORITIES = ("low", "normal", "normal", "normal", "high")
_STATUSES = ("open", "in-progress", "open", "in-progress", "open", "in-progress", "waiting", "on-hold")


@dataclass(frozen=True, slots=True)
class Amount:
    """How many open tickets; `late` of them have just broken a promise that nobody was told of yet."""

    tickets: int
    late: int = 0


def big_desk() -> Desk:
    """20 departments of one manager, 100 agents, a plan around the clock, a digest at 08:00."""
    agents = {
        f"agent{n}": Agent(key=f"agent{n}", name=f"Agent {n}", addresses=(f"agent{n}@agents.example",))
        for n in range(_AGENTS)
    }
    departments = {
        f"dept{n}": Department(
            key=f"dept{n}",
            name=f"Department {n}",
            addresses=(f"dept{n}@desk.example",),
            manager="agent0",
            members=tuple(f"agent{m}" for m in range(n, _AGENTS, _DEPARTMENTS)),
        )
        for n in range(_DEPARTMENTS)
    }
    plan = SLAPlan(key="std", name="Standard", first_response=FIRST_RESPONSE, resolution=timedelta(days=3))
    return Desk(
        name="Example Help Desk",
        instance="bench",
        default_department="dept0",
        departments=departments,
        agents=agents,
        priorities={
            "low": Priority(key="low", name="Low", urgency=4),
            "normal": Priority(key="normal", name="Normal", urgency=3),
            "high": Priority(key="high", name="High", urgency=1),
        },
        sla_plans={"std": plan},
        digest=Digest(),
    )


def generate(engine: Engine, amount: Amount, advance: Callable[[int], object] = lambda _count: None) -> None:
    """Fill an empty, migrated database. `advance` hears how many tickets more there are now."""
    with transaction(engine) as session:
        people = range(1, min(_PEOPLE, max(amount.tickets, 1)) + 1)
        session.execute(insert(table_of(Person)), [_person(n) for n in people])
        session.execute(insert(table_of(PersonAddress)), [_address(n) for n in people])
    for start in range(0, amount.tickets, _CHUNK):
        numbers = range(start + 1, min(start + _CHUNK, amount.tickets) + 1)
        rows = list(_tables([_ticket(number, amount) for number in numbers]))
        with transaction(engine) as session:
            for table, values in rows:
                session.execute(insert(table), values)
            put_documents(session, [_document(ticket) for ticket in rows[0][1]])
        advance(len(numbers))


def message_id(number: int) -> str:
    """The Message-ID of the mail that opened a ticket."""
    return f"{number}.bench@mail.customer.example"


def _person(number: int) -> dict[str, Any]:
    return {"id": number, "name": f"Person {number}", "language": None, "created_at": NOW}


def _address(number: int) -> dict[str, Any]:
    return {"address": _mail(number), "person_id": number, "undeliverable_since": None}


def _mail(person: int) -> str:
    return f"person{person}@mail.customer.example"


def _ticket(number: int, amount: Amount) -> dict[str, Any]:
    """Most came in during the last three hours, the late ones between four and five hours ago."""
    late = number <= amount.late
    age = (
        FIRST_RESPONSE + timedelta(seconds=1 + number % 3600) if late else timedelta(seconds=number % 10_800)
    )
    created = NOW - age
    person = number % min(_PEOPLE, amount.tickets) + 1
    department = number * 7919 % _DEPARTMENTS
    agent = department + _DEPARTMENTS * (number // 7 % (_AGENTS // _DEPARTMENTS))
    status = "open" if late else _STATUSES[number % len(_STATUSES)]
    running = status in ("open", "in-progress")
    return {
        "id": number,
        "number": str(1_000_000 + number),
        "subject": f"Case {number} about the calendar",
        "status": status,
        "department": f"dept{department}",
        "topic": None,
        "priority": _PRIORITIES[number % len(_PRIORITIES)],
        "sla_plan": "std",
        "assignee": None if number % 5 == 0 else f"agent{agent}",
        "team": None,
        "requester_id": person,
        "requester_address": _mail(person),
        "requester_name": f"Person {person}",
        "source": "smtp",
        "tags": [],
        "created_at": created,
        "updated_at": created,
        "last_message_at": created,
        "due_at": created + FIRST_RESPONSE if running else None,
        "held": False,
        "version": 1,
    }


def _tables(tickets: Sequence[dict[str, Any]]) -> Iterator[tuple[Table, Sequence[Mapping[str, Any]]]]:
    events = [event for item in tickets for event in _chained(item)]
    yield table_of(Ticket), tickets
    yield table_of(Participant), [_participant(item) for item in tickets]
    yield table_of(Entry), [_entry(item) for item in tickets]
    yield table_of(TicketEvent), events
    yield table_of(MessageRef), [_reference(item) for item in tickets]
    yield (
        table_of(Deadline),
        [
            {"ticket_id": item["id"], "kind": SLA, "due_at": item["due_at"], "version": 1}
            for item in tickets
        ],
    )  # fmt: skip


def _participant(ticket: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "ticket_id": ticket["id"],
        "address": ticket["requester_address"],
        "person_id": ticket["requester_id"],
        "role": "requester",
        "added_at": ticket["created_at"],
        "added_by": ticket["requester_address"],
    }


def _entry(ticket: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": ticket["id"],
        "ticket_id": ticket["id"],
        "kind": "message",
        "audience": "customer",
        "author": ticket["requester_address"],
        "author_name": ticket["requester_name"],
        "trust": "known",
        "text": "The calendar shows nothing since this morning.",
        "message_id": message_id(ticket["id"]),
        "content_digest": sha256(str(ticket["id"]).encode()).hexdigest(),
        "reason": "the mail that opened the ticket",
        "created_at": ticket["created_at"],
    }


def _document(ticket: Mapping[str, Any]) -> Document:
    entry = _entry(ticket)
    told = about(entry["author_name"], entry["author"], ())
    return Document(entry["id"], ticket["subject"], entry["text"], told)


def _chained(ticket: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The events of a ticket with their digests; the ticket learns its head."""
    head, entry = START, _entry(ticket)
    told = EntryWords(entry["kind"], entry["audience"], entry["author"], entry["text"])
    for seq, event in enumerate(_events(ticket), start=1):
        salt = sha256(f"{ticket['id']}.{seq}".encode()).digest()[:SALT_BYTES]
        tells = told if event["kind"] == entry["kind"] else None
        words = words_digest(salt, event["actor"], event["reason"], event["data"], tells)
        head = link(
            head, Place(ticket["id"], seq, event["entry_id"], event["kind"], event["at"], None), words
        )
        yield {**event, "chain_id": ticket["id"], "seq": seq, "salt": salt, "words": words, "digest": head}
        ticket |= {"log_length": seq, "log_head": head}


def _events(ticket: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    same = {"ticket_id": ticket["id"], "actor": ticket["requester_address"], "at": ticket["created_at"]}
    yield {**same, "entry_id": None, "kind": "created", "reason": "a new ticket", "data": {}}
    yield {**same, "entry_id": ticket["id"], "kind": "message", "reason": "its first mail", "data": {}}
    if ticket["status"] != "open":
        data = {"field": "status", "before": "open", "after": ticket["status"]}
        yield {**same, "entry_id": None, "kind": "status", "reason": "an agent", "data": data}


def _reference(ticket: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "key": message_key(message_id(ticket["id"])),
        "message_id": message_id(ticket["id"]),
        "ticket_id": ticket["id"],
        "entry_id": ticket["id"],
        "direction": "in",
        "party": ticket["requester_address"],
    }
