"""No sequence of mails, commands and timers leaves the table, loses an entry, or makes a circle."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import select

from mailticket.domain.status import TRANSITIONS, Refused, Status, _Linked, _WithinWindow
from mailticket.domain.types import Outcome
from mailticket.store.engine import open_engine, reading
from mailticket.store.migrate import migrate
from mailticket.store.models import Entry, Ticket, TicketEvent, TicketLink
from tests.store.small_desk import SAM, SUPPORT, SmallDesk
from tests.store.test_lifecycle import ANN, BOB, VENDOR, life_desk, mail, sam, tick

MOST_TICKETS = 5
_ONE = st.integers(min_value=0, max_value=MOST_TICKETS - 1)
_WORDS = st.sampled_from(["It is broken.", "Thanks!", "Thanks, but no.", "close", "More of it."])
_COMMANDS = st.sampled_from(
    ["#take", "#status in progress", "#status waiting", "#status on hold", "#status waiting for vendor",
     "#resolve", "#close done", "#reopen", "#archive", "#split last", "#split", "Here is an answer.",
     "#note A note.", "#refer it", "#unrefer it"]
)  # fmt: skip
_TYING = st.sampled_from(["merge {} anyway", "merge {}", "link {}", "unlink {}", "block {}", "move {}"])


def _steps() -> set[tuple[str, str]]:
    """Every change of state that the table has."""
    found: set[tuple[str, str]] = set()
    for state, row in TRANSITIONS.items():
        for cell in row.values():
            if isinstance(cell, Refused | _Linked):
                continue
            new = cell.new if isinstance(cell, _WithinWindow) else cell
            found.add((str(state), str(new)))
    return found


STEPS = _steps()


class Life(RuleBasedStateMachine):
    """A desk on SQLite, to which anything happens."""

    @initialize()
    def begin(self) -> None:
        self._folder = TemporaryDirectory()
        self.engine = open_engine(f"sqlite:///{Path(self._folder.name) / 'desk.db'}")
        migrate(self.engine)
        self.desk: SmallDesk = life_desk(self.engine, statuses=VENDOR)
        self.entries: set[int] = set()
        self.desk.receive(mail("The first mail."), SUPPORT, ANN)

    def _tickets(self) -> list[Ticket]:
        return self.desk.tickets()

    @precondition(lambda self: len(self._tickets()) < MOST_TICKETS)
    @rule(who=st.sampled_from([ANN, BOB]))
    def somebody_writes(self, who: str) -> None:
        self.desk.receive(mail("A new matter.", who, f"Matter {len(self._tickets())}"), SUPPORT, who)

    @rule(which=_ONE, words=_WORDS)
    def the_customer_replies(self, which: int, words: str) -> None:
        ticket = self._one(which)
        subject = f"Re: {ticket.subject} [#{ticket.number}]"
        self.desk.receive(mail(words, ticket.requester_address, subject), SUPPORT, ticket.requester_address)

    @rule(which=_ONE, command=_COMMANDS)
    def an_agent_commands(self, which: int, command: str) -> None:
        self._command(self._one(which), command)

    @rule(which=_ONE, other=_ONE, command=_TYING)
    def an_agent_ties(self, which: int, other: int, command: str) -> None:
        self._command(self._one(which), "#" + command.format(self._one(other).number))

    @rule(days=st.integers(min_value=1, max_value=40))
    def time_passes(self, days: int) -> None:
        self.desk.now += timedelta(days=days)
        tick(self.desk)

    def _one(self, which: int) -> Ticket:
        found = self._tickets()
        return found[which % len(found)]

    def _command(self, ticket: Ticket, text: str) -> None:
        tag = f"#{ticket.number}]"
        alerts = [one for one in self.desk.to(SAM) if tag in one["Subject"]]
        if alerts:
            assert sam(self.desk, alerts[-1], text).outcome in (
                Outcome.AGENT_ACTED, Outcome.RETURNED, Outcome.IGNORED,
            )  # fmt: skip

    @invariant()
    def every_change_of_state_is_in_the_table(self) -> None:
        if not hasattr(self, "engine"):
            return
        with reading(self.engine) as session:
            logged = select(TicketEvent.ticket_id, TicketEvent.data).order_by(TicketEvent.id)
            rows = session.execute(logged).all()
            states = {row.id: row.status for row in session.execute(select(Ticket.id, Ticket.status))}
        moves: dict[int, list[tuple[str, str]]] = {}
        for ticket, data in rows:
            if data.get("field") == "status":
                moves.setdefault(ticket, []).append((data["before"], data["after"]))
        for ticket, made in moves.items():
            assert set(made) <= STEPS
            assert all(one[1] == other[0] for one, other in pairwise([("", Status.OPEN), *made]))
            assert made[-1][1] == states[ticket]

    @invariant()
    def no_entry_is_lost_and_none_is_on_a_merged_ticket(self) -> None:
        if not hasattr(self, "engine"):
            return
        with reading(self.engine) as session:
            where = select(Entry.id, Ticket.status).join(Ticket, Ticket.id == Entry.ticket_id)
            rows = session.execute(where).all()
        assert self.entries <= {entry for entry, _ in rows}
        assert Status.MERGED not in {status for _, status in rows}
        self.entries = {entry for entry, _ in rows}

    @invariant()
    def merges_and_waits_make_no_circle(self) -> None:
        if not hasattr(self, "engine"):
            return
        with reading(self.engine) as session:
            merged = {
                row.id: row.merged_into_id
                for row in session.execute(select(Ticket.id, Ticket.merged_into_id))
            }
            ties = session.execute(select(TicketLink.ticket_id, TicketLink.other_id, TicketLink.kind)).all()
        for ticket in merged:
            seen, at = set(), ticket
            while at is not None:
                assert at not in seen
                seen.add(at)
                at = merged[at]
        waits: dict[int, set[int]] = {}
        for one, other, kind in ties:
            assert merged[one] is None
            assert merged[other] is None
            if kind == "blocks":
                waits.setdefault(one, set()).add(other)
        assert not any(_reaches(waits, one, one) for one in waits)

    def teardown(self) -> None:
        if hasattr(self, "engine"):
            self.engine.dispose()
            self._folder.cleanup()


def _reaches(waits: dict[int, set[int]], start: int, goal: int) -> bool:
    fresh, seen = set(waits.get(start, ())), set()
    while fresh:
        seen |= fresh
        fresh = {far for one in fresh for far in waits.get(one, ())} - seen
    return goal in seen


TestLife = Life.TestCase
TestLife.settings = settings(
    max_examples=8, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
