"""One mail to two departments, through two daemons on one database: each copy may come to either, twice."""

from __future__ import annotations

import smtplib
import threading
from collections.abc import Callable, Iterable

import pytest
from sqlalchemy import text

from tests.scenario.daemon import Daemon, new_mail
from tests.scenario.serials import numbered, serials
from tests.servers import wait_until

SUPPORT, IT = "support@desk.example", "it@desk.example"


def to_both(name: str) -> bytes:
    """A mail that names both departments."""
    return new_mail(
        f"About {name}",
        name,
        sender=f"somebody@{name}.example",
        to=f"{SUPPORT}, {IT}",
        message_id=f"{name}@mua.example",
    )


def hand_in(daemon: Daemon, copies: Iterable[tuple[str, str]], failed: list[str]) -> None:
    """Hand in a copy of each (mail, recipient), as an MTA does that delivers to each by itself."""
    with smtplib.SMTP("127.0.0.1", daemon.smtp_port, timeout=60) as server:
        for name, recipient in copies:
            try:
                server.sendmail(f"somebody@{name}.example", [recipient], to_both(name))
            except smtplib.SMTPException as error:
                failed.append(f"{name} to {recipient}: {error}")


@pytest.fixture
def pair(make_daemon: Callable[..., Daemon], migrated_copy: Callable[[str], str]) -> list[Daemon]:
    """Two daemons on one database, at work."""
    url = migrated_copy("postgres")
    made = [make_daemon(name, database=url) for name in ("one", "two")]
    for daemon in made:
        daemon.start()
    return made


@pytest.mark.postgres
def test_two_daemons_make_one_ticket_with_one_referral_and_one_acknowledgement_of_one_mail(
    pair: list[Daemon],
) -> None:
    names = serials(0, 15)
    # known already: two first mails of one person would stop each other by the person's address alone
    assert pair[0].offer(numbered(names)) == []
    pair[0].settle(bound=60)
    first = pair[0].books.number("SELECT max(id) FROM ticket")
    copies = [(name, recipient) for name in names for recipient in (SUPPORT, IT)]
    # in opposite orders, so that both work on the same mails at once and meet in the middle
    orders = [
        copies,
        list(reversed(copies)),
        copies[1::2] + copies[::2],
        list(reversed(copies[::2] + copies[1::2])),
    ]
    failed: list[str] = []
    feeders = [
        threading.Thread(target=hand_in, args=(pair[at % 2], order, failed))
        for at, order in enumerate(orders)
    ]
    for feeder in feeders:
        feeder.start()
    for feeder in feeders:
        feeder.join(90)
    assert failed == []
    pair[0].settle(bound=60)
    books = pair[0].books
    tickets = books.rows("SELECT id, subject, department FROM ticket WHERE id > :first", first=first)
    assert sorted(row.subject for row in tickets) == sorted(f"About {name}" for name in names)
    assert {row.department for row in tickets} == {"support"}, "the department that the header names first"
    referred = books.rows("SELECT ticket_id, department FROM ticket_referral")
    assert sorted(tuple(row) for row in referred) == sorted((row.id, "it") for row in tickets)
    assert books.number("SELECT count(*) FROM entry WHERE ticket_id > :first", first=first) == len(names)
    mails = books.rows(
        "SELECT recipient, template, state, ticket_id FROM outbox WHERE ticket_id > :first", first=first
    )
    assert {row.state for row in mails} == {"sent"}
    acknowledged = [row.recipient for row in mails if row.template == "ticket.autoresp"]
    assert sorted(acknowledged) == sorted(f"somebody@{name}.example" for name in names)
    for agent in ("sam", "sue", "ida"):
        alerts = [row.ticket_id for row in mails if row.recipient == f"{agent}.private@agents.example"]
        assert sorted(alerts) == sorted(row.id for row in tickets), agent
    assert [daemon.stop() for daemon in pair] == [0, 0]
    assert "Traceback" not in pair[0].log() + pair[1].log(), pair[0].log() + pair[1].log()


@pytest.mark.postgres
def test_a_copy_that_comes_while_the_other_daemon_has_the_first_in_hand_waits_for_it(
    pair: list[Daemon],
) -> None:
    """No entry can be written for a while, so that both certainly have a copy in hand at once."""
    books = pair[0].books
    assert pair[0].offer(numbered(["serial-1"])) == []
    pair[0].settle()

    failed: list[str] = []

    def waiting() -> int:
        return books.number("SELECT count(*) FROM pg_locks WHERE NOT granted")

    with books.engine.connect() as blocker:
        blocker.execute(text("LOCK TABLE entry IN EXCLUSIVE MODE"))
        hand_in(pair[0], [("serial-1", SUPPORT)], failed)
        wait_until(lambda: waiting() == 1, "the first copy is in hand")
        hand_in(pair[1], [("serial-1", IT), ("serial-1", SUPPORT)], failed)
        wait_until(lambda: waiting() == 2, "the second as well")
        hand_in(pair[0], [("serial-1", IT)], failed)
        blocker.rollback()
    assert failed == []
    pair[0].settle()
    tickets = books.rows("SELECT id, department FROM ticket WHERE subject = 'About serial-1' ORDER BY id")
    assert len(tickets) == 2, "of the mail before, and of this one"
    referred = books.rows("SELECT ticket_id, department FROM ticket_referral")
    assert [tuple(row) for row in referred] == [(tickets[-1].id, "it")]
    assert books.number("SELECT count(*) FROM outbox WHERE template = 'ticket.autoresp'") == 2
    assert "Traceback" not in pair[0].log() + pair[1].log()
