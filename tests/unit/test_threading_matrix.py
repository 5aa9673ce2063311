"""What becomes of a reply, for every way mail programs and hosts may have mangled it.

The table in docs/threading.md is the expectation; each combination goes through the real reading,
gathering and deciding, against a database with one ticket.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine

from mailticket.config.desk import Department, Desk, Priority
from mailticket.domain.change import Decision, OpenTicket
from mailticket.domain.decide import decide
from mailticket.domain.types import Arrival, Outcome
from mailticket.mail.read import read
from mailticket.mail.token import Role, message_id, mint, reply_address
from mailticket.store.engine import open_engine, reading, transaction
from mailticket.store.migrate import migrate
from mailticket.store.models import MessageRef, Ticket
from mailticket.store.outbox import message_key
from mailticket.store.people import add_participant, find_or_add_person
from mailticket.store.queries import gather

NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)
SECRET = b"0123456789abcdef0123456789abcdef"
NUMBER = "483920"
ANN, ROOT = "ann@customer.example", "first@customer.example"
DESK = Desk(
    name="Example Bank",
    instance="test",
    default_department="support",
    departments={"support": Department(name="Support", addresses=("support@desk.example",))},
    priorities={"normal": Priority(name="Normal", urgency=3)},
)
DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "threading.md"

ADDRESS = ("kept", "rewritten", "dropped")
OUR_ID = ("kept", "rewritten")
REFERENCES = ("kept", "dropped", "trimmed")
SUBJECT = {
    "kept": f"Re: Printer on fire [#{NUMBER}]",
    "AW:": f"AW: Printer on fire [#{NUMBER}]",
    "translated": "答复：Printer on fire",
    "changed": "A whole new thing",
}
SENDER = {
    "same": ANN,
    "alias": "ann.private@webmail.example",
    "colleague": "bob@customer.example",
    "stranger": "mallory@evil.example",
}
COMBINATIONS = list(itertools.product(ADDRESS, OUR_ID, REFERENCES, SUBJECT, SENDER))


@dataclass(frozen=True)
class World:
    """A database with one ticket of Ann's, and the token and Message-ID of our mail to her."""

    engine: Engine
    ticket: int
    token: str
    our_id: str


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Ann wrote once and was acknowledged."""
    engine = open_engine(f"sqlite:///{tmp_path_factory.mktemp('matrix') / 'desk.db'}")
    migrate(engine)
    with transaction(engine) as session:
        person = find_or_add_person(session, ANN, "Ann", NOW)
        ticket = Ticket(
            number=NUMBER, subject="Printer on fire", status="open", department="support", priority="normal",
            requester_id=person, requester_address=ANN, requester_name="Ann", source="smtp",
            created_at=NOW, updated_at=NOW, version=1,
        )  # fmt: skip
        session.add(ticket)
        session.flush()
        add_participant(session, ticket.id, ANN, person, ANN, NOW, role="requester")
        token = mint(SECRET, Role.CUSTOMER, ticket.id, 1, ANN)
        our_id = message_id(token, "abc", "desk.example")
        for direction, known in (("in", ROOT), ("out", our_id)):
            session.add(
                MessageRef(
                    key=message_key(known), message_id=known, ticket_id=ticket.id, direction=direction,
                    party=ANN,
                )
            )  # fmt: skip
        found = World(engine, ticket.id, token, our_id)
    yield found
    engine.dispose()


def mail_of(world: World, address: str, our_id: str, references: str, subject: str, sender: str) -> bytes:
    """The reply to our acknowledgement after all that was done to it."""
    to = {
        "kept": reply_address("support@desk.example", world.token),
        "rewritten": reply_address("support@desk.example", world.token[:-4] + "aaaa"),
        "dropped": "support@desk.example",
    }[address]
    ours = world.our_id if our_id == "kept" else "0100018f-000000@relay.example"
    lines = [f"From: {SENDER[sender]}", f"To: {to}", "Message-ID: <reply@customer.example>"]
    lines.append(f"Subject: {SUBJECT[subject]}")
    if references == "kept":
        lines += [f"In-Reply-To: <{ours}>", f"References: <{ROOT}>\r\n <{ours}>"]
    elif references == "trimmed":
        lines.append(f"References: <{ROOT}>")
    return "\r\n".join([*lines, "", "It burns again."]).encode()


def decision_on(world: World, raw: bytes) -> Decision:
    """What the desk decides about a mail, with nothing written."""
    mail = read(raw, "someone@relay.example")
    recipient = mail.mail.to[0].address
    arrival = Arrival(1, recipient, "someone@relay.example", "smtp", NOW, "digest")
    with reading(world.engine) as session:
        facts = gather(session, mail, arrival, DESK, SECRET, lock=False)
    return decide(mail, arrival, facts, DESK, NOW)


def outcome(world: World, raw: bytes) -> str:
    """What the desk makes of a mail, as the table calls it."""
    decision = decision_on(world, raw)
    if decision.outcome is Outcome.THREADED:
        assert decision.ticket == world.ticket
        return "joined"
    assert decision.outcome is Outcome.NEW_TICKET
    opening = decision.changes[0]
    assert isinstance(opening, OpenTicket)
    return "held" if opening.held else "new"


def table() -> list[tuple[str, ...]]:
    """The rows of the document's table."""
    part = DOCUMENT.read_text(encoding="utf-8").partition("| Reply address |")[2]
    found: list[tuple[str, ...]] = []
    for line in part.splitlines()[2:]:
        if not line.startswith("|"):
            break
        found.append(tuple(cell.strip() for cell in line.strip("|").split("|")))
    return found


def expected(combination: tuple[str, ...]) -> str:
    """What the first fitting row says."""
    *pointers, sender = combination
    asked = (*pointers, "same" if sender == "same" else "other")
    for *conditions, becomes in table():
        if all(wanted in ("*", given) for wanted, given in zip(conditions, asked, strict=True)):
            return becomes
    raise AssertionError(f"the table says nothing of {combination}")


@pytest.mark.parametrize("combination", COMBINATIONS, ids=" ".join)
def test_each_combination_becomes_what_the_document_says(
    world: World, combination: tuple[str, str, str, str, str]
) -> None:
    assert outcome(world, mail_of(world, *combination)) == expected(combination)


def test_the_matrix_is_whole_and_each_row_of_the_table_is_needed() -> None:
    assert len(set(COMBINATIONS)) == 288
    unused = set(table())
    for combination in COMBINATIONS:
        *pointers, sender = combination
        asked = (*pointers, "same" if sender == "same" else "other")
        row = next(
            row
            for row in table()
            if all(wanted in ("*", given) for wanted, given in zip(row[:-1], asked, strict=True))
        )
        unused.discard(row)
    assert unused == set()


def test_the_scores_in_the_document_are_those_of_the_code() -> None:
    from mailticket.domain.matching import SCORES

    text = DOCUMENT.read_text(encoding="utf-8").partition("## What mail programs")[0]
    rows = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("| ")]
    told = sorted((place.strip(), int(score)) for place, _, score in rows if score.strip().isdigit())
    assert told == sorted(SCORES.values())
