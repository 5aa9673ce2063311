"""What grows with the number of open tickets, and what must not: measured at up to a million.

The database is SQLite on disk, filled by `generate.py`; the code is the daemon's own. Times are wall
times of single operations in this process, one after the other.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import structlog
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from sqlalchemy import Engine, func, select

from bench.generate import NOW, Amount, big_desk, generate, message_id
from mailticket.config.desk import Desk
from mailticket.domain.report import ReportBuilder
from mailticket.domain.schedule import WorkingTimes
from mailticket.domain.terms import question
from mailticket.domain.ticket_query import TicketQuery
from mailticket.domain.types import Arrival
from mailticket.mail.read import read
from mailticket.store.engine import open_engine, reading
from mailticket.store.migrate import migrate
from mailticket.store.models import Outbox
from mailticket.store.queries import gather
from mailticket.store.queue import QueueFilter, queue_counts, queue_rows
from mailticket.store.reports import stories
from mailticket.store.ticket_search import find_tickets
from mailticket.store.views import show_ticket
from mailticket.work.ticks import Ticks

_SECRET = b"benchmark"
_LOOKS = 300
_LATE = 10_000


@dataclass(frozen=True, slots=True)
class BigSizes:
    """Open tickets: of the small desk, of the middle one (digest, due deadlines, report), of the big one."""

    small: int = 1_000
    middle: int = 100_000
    big: int = 1_000_000
    late: int = _LATE


QUICK_BIG = BigSizes(middle=10_000, big=50_000, late=1_000)


@dataclass(frozen=True, slots=True)
class BigCost:
    """Milliseconds of one operation on a desk with that many open tickets; `note` is what came of it."""

    operation: str
    tickets: int
    times: int
    p50_ms: float
    p99_ms: float
    note: str = ""


def measure_big(folder: Path, sizes: BigSizes, console: Console) -> list[BigCost]:
    """Everything, at all three sizes. Raises AssertionError when a result is wrong."""
    # a line for each of 10,000 alarms is for the log file of a daemon
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    desk = big_desk()
    costs: list[BigCost] = []
    for count in (sizes.small, sizes.big):
        engine = _filled(folder / f"big{count}.db", Amount(count), console, costs)
        costs += _reads(engine, desk, count)
        engine.dispose()
    engine = _filled(folder / "middle.db", Amount(sizes.middle, sizes.late), console, costs)
    costs += _once(engine, desk, sizes)
    engine.dispose()
    return costs


def _filled(path: Path, amount: Amount, console: Console, costs: list[BigCost]) -> Engine:
    engine = open_engine(f"sqlite:///{path}")
    migrate(engine, path.parent / "backups")
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    begun = time.monotonic()
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("making tickets", total=amount.tickets)
        generate(engine, amount, lambda count: progress.advance(task, count))
    took = 1000 * (time.monotonic() - begun)
    note = f"{path.stat().st_size / 1e6:.0f} MB"
    costs.append(BigCost("generate (not a figure of the desk)", amount.tickets, 1, took, took, note))
    return engine


def _reads(engine: Engine, desk: Desk, count: int) -> list[BigCost]:
    """What happens all the time, and must not grow with the number of tickets."""
    ticks = Ticks(engine, lambda: desk, _SECRET, lambda: NOW, lambda: None)

    def tick(_turn: int) -> None:
        assert ticks.deadlines() == 0

    def listed(wanted: TicketQuery) -> Callable[[int], None]:
        def look(_turn: int) -> None:
            with reading(engine) as session:
                assert find_tickets(session, wanted, 50)

        return look

    def shown(turn: int) -> None:
        with reading(engine) as session:
            assert show_ticket(session, str(1_000_000 + _spread(turn, count)))

    def screenful(_turn: int) -> None:
        with reading(engine) as session:
            assert len(queue_rows(session, QueueFilter(), "due", {}, NOW, 50)) == 50

    def counted(_turn: int) -> None:
        with reading(engine) as session:
            assert queue_counts(session, QueueFilter(), NOW).open == count

    found = [
        _timed("tick, nothing due", count, _LOOKS, tick),
        _timed("threading: whose ticket is a reply (gather)", count, _LOOKS, _threading(engine, desk, count)),
        _timed("ticket show", count, _LOOKS, shown),
        _timed("ticket list, the 50 due first", count, 50, listed(TicketQuery())),
        _timed("ticket list of a department", count, 50, listed(TicketQuery(department=("dept3",)))),
        _timed("ticket list of an agent", count, 50, listed(TicketQuery(assignee=("agent3",)))),
        _timed("ticket list of nobody", count, 50, listed(TicketQuery(assignee=(None,)))),
        _timed(
            "ticket list, the newest changes, all", count, 50, listed(TicketQuery(every=True, sort="updated"))
        ),
        _timed("ticket search, a word in every ticket", count, 50, listed(_search("calendar"))),
        _timed("ticket search, a word in one ticket", count, 50, listed(_search(f"case {count // 2}"))),
        _timed("ticket search, beginnings", count, 50, listed(_search("calen* morn*"))),
        _timed(
            "ticket search in a department",
            count,
            50,
            listed(replace(_search("morning"), department=("dept3",))),
        ),
        _timed("top, a screenful by due", count, 50, screenful),
        _timed("top, the counts", count, 5, counted),
    ]
    ticks.close()
    return found


def _search(words: str) -> TicketQuery:
    return TicketQuery(asked=question(words), every=True)


def _threading(engine: Engine, desk: Desk, count: int) -> Callable[[int], None]:
    replies = {}
    for turn in range(_LOOKS):
        number = _spread(turn, count)
        raw = (
            f"From: person{number % min(10_000, count) + 1}@mail.customer.example\r\n"
            f"To: dept0@desk.example\r\nSubject: Re: Case {number}\r\nMessage-ID: <r{turn}@x.example>\r\n"
            f"In-Reply-To: <{message_id(number)}>\r\n\r\nThanks.\r\n"
        ).encode()
        arrival = Arrival(turn + 1, "dept0@desk.example", None, "smtp", NOW, f"{turn:064x}")
        replies[turn] = number, read(raw), arrival

    def look(turn: int) -> None:
        number, reply, arrival = replies[turn]
        with reading(engine) as session:
            facts = gather(session, reply, arrival, desk, _SECRET, lock=False)
        assert list(facts.tickets) == [number]

    return look


def _once(engine: Engine, desk: Desk, sizes: BigSizes) -> list[BigCost]:
    """What happens now and then, and may grow with what it is about."""
    ticks = Ticks(engine, lambda: desk, _SECRET, lambda: NOW, lambda: None)
    count = sizes.middle

    def mails() -> int:
        with reading(engine) as session:
            return session.execute(select(func.count()).select_from(Outbox)).scalar_one()

    def due(_turn: int) -> None:
        assert ticks.deadlines() == sizes.late

    def digests(_turn: int) -> None:
        assert ticks.digests() == 1

    def report(_turn: int) -> None:
        since, until = NOW - timedelta(days=30), NOW + timedelta(seconds=1)
        builder = ReportBuilder(desk, WorkingTimes(desk), "department", since, until)
        for batch in stories(engine, since, until):
            for story in batch:
                builder.add(story)
        assert builder.result().total.open == count

    found = [_timed(f"digest over {count:,} tickets", count, 1, digests)]
    before = mails()
    cost = _timed(f"{sizes.late:,} deadlines due, worked off", count, 1, due)
    note = f"{mails() - before} mails, {cost.p50_ms / sizes.late:.2f} ms each deadline"
    found.append(BigCost(cost.operation, count, 1, cost.p50_ms, cost.p99_ms, note))
    found.append(_timed("tick after that, nothing due", count, 20, lambda _turn: _nothing_due(ticks)))
    found.append(_timed(f"report sla over {count:,} tickets", count, 1, report))
    ticks.close()
    return found


def _nothing_due(ticks: Ticks) -> None:
    assert ticks.deadlines() == 0


def _spread(turn: int, count: int) -> int:
    """Numbers from all over the tickets, the same in every run."""
    return turn * 7_368_787 % count + 1


def _timed(operation: str, tickets: int, times: int, work: Callable[[int], None]) -> BigCost:
    taken: list[float] = []
    for turn in range(times):
        begun = time.monotonic()
        work(turn)
        taken.append(1000 * (time.monotonic() - begun))
    taken.sort()
    return BigCost(operation, tickets, times, taken[(times - 1) // 2], taken[-(-99 * times // 100) - 1])
