"""What single parts of the daemon cost, in this process: writing a mail, the store, a tick."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Engine

from bench.load import DESK_ADDRESS
from mailticket.config.desk import Brakes, Department, Desk, Digest, Priority
from mailticket.delivery.context import context_of
from mailticket.delivery.render import Renderer
from mailticket.delivery.samples import SAMPLES
from mailticket.mail.compose import OutgoingParts, compose
from mailticket.mail.types import Address, RawMail
from mailticket.store import deadlines, outbox
from mailticket.store.engine import open_engine, transaction
from mailticket.store.inbox import InboundState, Inbox, finish
from mailticket.store.migrate import migrate
from mailticket.store.models import Person, Ticket
from mailticket.work.ticks import Ticks

_BATCH = 20
_LEASE = timedelta(minutes=5)
_TICKS = 50
_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True)
class PartCost:
    """Milliseconds of one `unit` of a part."""

    part: str
    unit: str
    cpu_ms: float
    wall_ms: float


def measure_writing(count: int = 200) -> list[PartCost]:
    """Rendering a template and composing the mail, for the two mails a new ticket causes."""
    renderer = Renderer()
    return [_writing(renderer, code, count) for code in ("ticket.autoresp", "ticket.alert")]


def measure_store(raws: Sequence[bytes], folder: Path) -> list[PartCost]:
    """The store's share of a mail's way: into the inbox, through a worker's hands, and out of the outbox."""
    engine = _database(folder / "store.db")
    try:
        return _store_steps(engine, raws)
    finally:
        engine.dispose()


def measure_tick(folder: Path, tickets: int = 1000) -> PartCost:
    """One look for due deadlines with that many open tickets and nothing due."""
    engine = _database(folder / "ticks.db")
    try:
        _open_tickets(engine, tickets)
        ticks = Ticks(engine, _desk, b"benchmark", lambda: datetime.now(UTC), lambda: None)
        if ticks.deadlines():
            raise AssertionError("nothing was to be due")
        with _costing("tick, nothing due", f"look at {tickets} open tickets", _TICKS) as costs:
            for _ in range(_TICKS):
                ticks.deadlines()
        ticks.close()
        return costs[0]
    finally:
        engine.dispose()


def _writing(renderer: Renderer, code: str, count: int) -> PartCost:
    def write(number: int) -> None:
        rendered = renderer.render(code, "en", context_of(SAMPLES[code]()))
        compose(
            OutgoingParts(
                sender=Address("Support", DESK_ADDRESS),
                to=(Address("Erika Muster", "erika@mail.customer.example"),),
                subject=rendered.subject,
                message_id=f"{number}.bench@desk.example",
                date=datetime.now(UTC),
                text=rendered.text,
                html=rendered.html,
                automatic="auto-replied",
                instance="bench",
            )
        )

    write(0)
    with _costing(f"render and compose {code}", "mail", count) as costs:
        for number in range(count):
            write(number)
    return costs[0]


def _store_steps(engine: Engine, raws: Sequence[bytes]) -> list[PartCost]:
    inbox = Inbox(engine, lambda: datetime.now(UTC), lambda address: address)
    mails = [RawMail(raw, "person@mail.customer.example", DESK_ADDRESS, "smtp", "127.0.0.1") for raw in raws]
    count = len(mails)
    every: list[PartCost] = []

    def step(name: str, work: Callable[[], None]) -> None:
        with _costing(name, "mail", count) as costs:
            work()
        every.extend(costs)

    ids: list[int] = []
    claimed: list[outbox.ClaimedOut] = []
    step("store: accept, one commit each", lambda: _each(mails, lambda mail: inbox.store([mail])))
    step(f"store: claim, {_BATCH} at once", lambda: ids.extend(_claim_all(inbox)))
    step(f"store: enqueue and finish, {_BATCH} to a commit", lambda: _finish_all(engine, ids))
    step(f"store: claim to send, {_BATCH} at once", lambda: claimed.extend(_claim_out(engine)))
    step(f"store: keep rendered, {_BATCH} to a commit", lambda: _keep_all(engine, claimed))
    step(
        "store: record sent, one commit each",
        lambda: _each(claimed, lambda mail: outbox.record_sent(engine, [mail.id], datetime.now(UTC))),
    )
    if not len(ids) == len(claimed) == count:
        raise AssertionError(f"of {count} mails {len(ids)} were claimed and {len(claimed)} queued")
    return every


def _claim_all(inbox: Inbox) -> Iterator[int]:
    while claimed := inbox.claim(datetime.now(UTC), _BATCH, _LEASE):
        yield from (mail.id for mail in claimed)


def _finish_all(engine: Engine, ids: Sequence[int]) -> None:
    for start in range(0, len(ids), _BATCH):
        with transaction(engine) as session:
            for number in ids[start : start + _BATCH]:
                now = datetime.now(UTC)
                with session.begin_nested():
                    outbox.enqueue(session, _outgoing(number), now)
                    finish(
                        session,
                        number,
                        state=InboundState.DONE,
                        decision={"outcome": "done", "reasons": ["it is the first mail of a case"]},
                        ticket_id=None,
                        message_id=f"{number}@mail.customer.example",
                        sender="person@mail.customer.example",
                        subject="Calendar window",
                        now=now,
                    )


def _claim_out(engine: Engine) -> Iterator[outbox.ClaimedOut]:
    while claimed := outbox.claim(engine, datetime.now(UTC), _BATCH, _LEASE):
        yield from claimed


def _keep_all(engine: Engine, claimed: Sequence[outbox.ClaimedOut]) -> None:
    body = b"Thank you for your mail.\r\n" * 200
    for start in range(0, len(claimed), _BATCH):
        batch = claimed[start : start + _BATCH]
        outbox.store_rendered(
            engine,
            [outbox.Rendered(mail.id, b"%d\r\n" % mail.id + body, "Calendar window") for mail in batch],
        )


def _outgoing(number: int) -> outbox.OutgoingMail:
    return outbox.OutgoingMail(
        key=f"bench:{number}",
        template="ticket.autoresp",
        audience="customer",
        recipient="person@mail.customer.example",
        recipient_name="A Person",
        envelope_from="",
        message_id=f"{number}.bench@desk.example",
        context={"ticket": {"number": str(number), "subject": "Calendar window"}, "references": []},
        reason="an acknowledgement",
    )


def _open_tickets(engine: Engine, count: int) -> None:
    now = datetime.now(UTC)
    due = now + timedelta(days=2)
    with transaction(engine) as session:
        person = Person(name="A Person", language=None, created_at=now)
        session.add(person)
        session.flush()
        tickets = [
            Ticket(
                number=str(100_000 + number),
                subject="Calendar window",
                status="open",
                department="support",
                priority="normal",
                requester_id=person.id,
                requester_address="person@mail.customer.example",
                requester_name="A Person",
                source="smtp",
                tags=[],
                created_at=now,
                updated_at=now,
                due_at=due,
            )
            for number in range(count)
        ]
        session.add_all(tickets)
        session.flush()
        for ticket in tickets:
            deadlines.plan(session, ticket.id, "sla", due)


def _desk() -> Desk:
    return Desk(
        name="Example Help Desk",
        instance="bench",
        default_department="support",
        departments={"support": Department(key="support", name="Support", addresses=(DESK_ADDRESS,))},
        priorities={"normal": Priority(key="normal", name="Normal", urgency=3)},
        digest=Digest(enabled=False),
        brakes=Brakes(),
        acknowledge_after=timedelta(0),
    )


def _database(path: Path) -> Engine:
    engine = open_engine(f"sqlite:///{path}")
    migrate(engine, path.parent / "backups")
    return engine


def _each(items: Sequence[_Item], work: Callable[[_Item], object]) -> None:
    for item in items:
        work(item)


@contextmanager
def _costing(part: str, unit: str, count: int) -> Iterator[list[PartCost]]:
    costs: list[PartCost] = []
    wall, cpu = time.monotonic(), time.process_time()
    yield costs
    cpu_ms = 1000 * (time.process_time() - cpu) / count
    costs.append(PartCost(part, unit, cpu_ms, 1000 * (time.monotonic() - wall) / count))
