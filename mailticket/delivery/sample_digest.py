"""The sample of a digest: nobody in it exists; the addresses are reserved ones (RFC 2606)."""

from __future__ import annotations

from datetime import datetime, timedelta

from mailticket.domain.digest_mail import (
    DigestBar,
    DigestBounce,
    DigestMail,
    DigestPart,
    DigestRow,
    DigestStuck,
)


def sample_digest(now: datetime) -> DigestMail:
    """A manager's digest with something in every part of it."""
    stranded, statement, login, form, limit, card = _rows(now)
    support = DigestPart(
        "Support",
        overdue=(stranded, statement),
        soon=(login,),
        unassigned=(form,),
        changed=(limit,),
        waiting=(stranded, form),
        open=(card,),
        overdue_count=2,
        open_count=14,
        paused_count=3,
        more_open=10,
        load=(DigestBar("Anna Agent", 8, 1), DigestBar("Ben Agent", 5, 0), DigestBar("nobody", 3, 1)),
        ages=(
            DigestBar("under a day", 5, 0),
            DigestBar("1 to 3 days", 7, 2),
            DigestBar("3 to 7 days", 3, 0),
            DigestBar("1 to 4 weeks", 1, 0),
            DigestBar("older", 0, 0),
        ),
    )
    stuck = DigestStuck(
        "held",
        "somebody@elsewhere.example",
        "Your account",
        now - timedelta(hours=2),
        "no sender can be told",
    )
    return DigestMail(
        departments=(support, DigestPart("System administration")),
        issue=12,
        by_number=("3 assign bob", "3,4 close", "all priority high"),
        since=now - timedelta(days=1),
        next_at=now + timedelta(days=1),
        new=1,
        worse=1,
        better=1,
        gone=6,
        bounces=(
            DigestBounce("20261101-0004", "old@customer.example", now - timedelta(hours=4), "undeliverable"),
        ),
        health="213 mails came in within 1 d: 204 handled, 8 ignored as automatic or empty, 1 held for a "
        "person; mailbox support reached less than a minute ago, 213 fetched, all in the ledger; none waits "
        "to go out",
        troubles=("1 mail held for a person; see mailticket inbox list --state held",),
        stuck=(stuck,),
    )


def _rows(now: datetime) -> tuple[DigestRow, ...]:
    stranded = DigestRow(
        number="20261031-0007",
        subject="Card blocked abroad, customer stranded at the airport in Lisbon",
        assigned="",
        priority="Emergency",
        create_date=now - timedelta(days=3),
        overdue_since=now - timedelta(days=1, hours=5),
        waiting_since=now - timedelta(days=3),
        n=1,
        why="unassigned 9 h 20 min",
        moved="worse: overdue now, nobody has it any more",
    )
    statement = DigestRow(
        number="20261102-0012",
        subject="Statement for September is missing",
        assigned="Anna Agent",
        priority="Normal",
        create_date=now - timedelta(days=1),
        overdue_since=now - timedelta(minutes=50),
        n=2,
        why="unassigned 2 h, with Anna Agent 5 h, waiting for the customer 1 d (not counted)",
    )
    login = DigestRow(
        number="20261103-0001",
        subject="Online banking: no login since this morning",
        assigned="Ben Agent",
        priority="High",
        create_date=now - timedelta(hours=5),
        due_date=now + timedelta(hours=3, minutes=20),
        n=3,
        moved="new",
    )
    form = DigestRow(
        number="20261102-0003",
        subject="Form for a joint account",
        assigned="",
        priority="Low",
        create_date=now - timedelta(hours=30),
        waiting_since=now - timedelta(hours=30),
        n=4,
    )
    limit = DigestRow(
        number="20261029-0019",
        subject="Please raise my limit for November",
        assigned="Anna Agent",
        priority="Normal",
        create_date=now - timedelta(days=5),
        due_date=now + timedelta(days=2),
        n=5,
        moved="better: taken",
    )
    card = DigestRow(
        number="20261103-0004",
        subject="Second card for my daughter",
        assigned="Ben Agent",
        priority="Normal",
        create_date=now - timedelta(hours=2),
        due_date=now + timedelta(days=2, hours=3),
        n=6,
    )
    return stranded, statement, login, form, limit, card
