"""A scripted day through the real daemon: three agents, two managers, forty customers, three hundred mails.

In the evening something is late, and in the morning the managers answer their digests. At its end every
ticket's timeline is what the script says, and every mail was meant for whoever got it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict
from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import Any

import pytest
from sqlalchemy.orm import Session

from mailticket.store.views import show_ticket
from tests.scenario.composed import links, tapped
from tests.scenario.daemon import Daemon, answer, new_mail, parse, text_of
from tests.scenario.day import (
    MANAGERS,
    NAMES,
    Case,
    Day,
    Written,
    by_digest,
    closes_by_digest,
    looks_after,
    opens,
    steps_in,
)
from tests.servers import wait_until

SECOND_MANAGER = """
[agents.max]
name = "Max Boss"
addresses = ["max.private@agents.example"]
"""
TICK = timedelta(minutes=7)
LATE = timedelta(hours=4, minutes=1)
"""After which somebody should have answered."""
WORD = re.compile(r"(?:secret-)?zq\d{4}")


class Office:
    """The people of the day with their mail clients, around a running daemon."""

    def __init__(self, daemon: Daemon, day: Day) -> None:
        self.daemon = daemon
        self.day = day
        self.numbers: dict[int, str] = {}
        self.boxes: dict[str, list[EmailMessage]] = {}
        self._seen: set[str] = set()
        self._sent = 0
        self._elapsed = timedelta()

    def work(self) -> None:
        """The whole day, tick by tick."""
        while not self.day.over:
            for case, written in self.day.tick(6):
                self._send(case, written)
            self._pass(TICK)

    def evening(self) -> None:
        """A case of each department is late. One manager answers the alert, the other taps its link."""
        late = {manager: self._opened(department) for manager, department in MANAGERS.items()}
        self._pass(LATE)
        alerts = {manager: self._alarm(manager, case) for manager, case in late.items()}
        self._send(late["mona"], steps_in(late["mona"], self.day.word()))
        link = links(alerts["max"])["I look after it"]
        self._sent += 1
        mail = tapped("outlook_ios", link, private("max"), f"day{self._sent}")
        self.daemon.send(mail.as_bytes(), link.address, private("max"))
        looks_after(late["max"])
        self._pass(TICK)

    def morning(self) -> None:
        """Each manager answers the digest by number, lines about two cases of their department."""
        fresh = {manager: [self._opened(where), self._opened(where)] for manager, where in MANAGERS.items()}
        self._pass(until_eight(self.daemon.now()))
        for manager, (first, second) in fresh.items():
            digest = self._digest(manager, first)
            listed = {
                int(case): at for at, case in re.findall(r"(?m)^(\d+)\s+Case (\d+) of", text_of(digest))
            }
            departments = {case.department for case in self.day.cases if case.serial in listed}
            assert departments == {MANAGERS[manager]}, (
                "a manager's digest tells of the department, and of no other"
            )
            lines = by_digest(listed[first.serial], first, self.day.word())
            lines += closes_by_digest(listed[second.serial], second)
            self._sent += 1
            raw = answer(
                digest,
                "\n".join(lines),
                sender=private(manager),
                message_id=f"day{self._sent}@clients.example",
            )
            self.daemon.send(raw, str(digest["Reply-To"]), private(manager))
        self._pass(TICK)
        for manager in MANAGERS:
            receipt = " ".join(text_of(self.boxes[private(manager)][-1]).split())
            assert "2 tickets were changed" in receipt, receipt

    def _opened(self, department: str) -> Case:
        case = self.day.neglected(department)
        self._send(case, opens(case, self.day.word()))
        self._pass(TICK)
        return case

    def _alarm(self, person: str, case: Case) -> EmailMessage:
        """The alert that a case is late."""
        return self._comes(
            person, lambda mail: self._about(mail, case) and "Where the time went" in text_of(mail)
        )

    def _digest(self, person: str, case: Case) -> EmailMessage:
        """The digest that names a case."""
        return self._comes(person, lambda mail: not self._about(mail, case) and case.subject in text_of(mail))

    def _about(self, mail: EmailMessage, case: Case) -> bool:
        return f"[#{self.numbers[case.serial]}]" in str(mail["Subject"])

    def _comes(self, person: str, wanted: Callable[[EmailMessage], bool]) -> EmailMessage:
        """Wait for a mail that the clock sends; it."""

        def found() -> list[EmailMessage]:
            self._fetch()
            return [mail for mail in self.boxes.get(private(person), ()) if wanted(mail)]

        wait_until(found, f"{person} gets what the clock sends\n{self.daemon.tail()}", bound=40)
        return found()[-1]

    def _send(self, case: Case, written: Written) -> None:
        self._sent += 1
        message_id = f"day{self._sent}@clients.example"
        if written.author == "customer":
            sender, to = case.customer, f"{case.department}@desk.example"
        else:
            sender, to = private(written.author), f"{case.department}@desk.example"
        last = self._last(sender, case)
        if last is None:
            raw = new_mail(case.subject, written.text, sender=sender, to=to, message_id=message_id)
            self.daemon.send(raw, to, sender)
            return
        raw = answer(last, written.text, sender=sender, message_id=message_id)
        if written.automatic:
            raw = b"Auto-Submitted: auto-replied\r\n" + raw
        self.daemon.send(raw, str(last["Reply-To"]), sender)

    def _last(self, person: str, case: Case) -> EmailMessage | None:
        """The newest mail somebody got about a case: the one they reply to."""
        number = self.numbers.get(case.serial)
        about = [mail for mail in self.boxes.get(person, ()) if number and self._about(mail, case)]
        return next((mail for mail in reversed(about) if mail["Reply-To"]), None)

    def _pass(self, length: timedelta) -> None:
        """Let time pass, and everybody fetch their mail."""
        wait_until(self._worked_off, "every mail is worked on", bound=60)
        self._elapsed += length
        self.daemon.later(self._elapsed.total_seconds())
        later = self.daemon.now() + timedelta(seconds=2)
        wait_until(lambda: self.daemon.books.due(later)[1] == 0, "what is due is sent", bound=60)
        self._fetch()

    def _worked_off(self) -> bool:
        rows = self.daemon.books.rows("SELECT count(*) FROM inbound WHERE finished_at IS NOT NULL")
        return bool(rows[0][0] == self._sent)

    def _fetch(self) -> None:
        folder = self.daemon.maildir / "new"
        fresh = [item for item in folder.iterdir() if item.name not in self._seen]
        for item in sorted(fresh, key=lambda item: (item.stat().st_mtime_ns, item.name)):
            self._seen.add(item.name)
            mail = parse(item.read_bytes())
            address = mail["To"].addresses[0].addr_spec
            self.boxes.setdefault(address, []).append(mail)
            named = re.search(
                r"Case (\d+) of the day.*\[#(\w+)\]|\[#(\w+)\].*Case (\d+) of", str(mail["Subject"])
            )
            if named is not None:
                serial, number = named.group(1) or named.group(4), named.group(2) or named.group(3)
                assert self.numbers.setdefault(int(serial), number) == number, mail.as_string()


def until_eight(now: datetime) -> timedelta:
    """How long it is until digests are made, and a little more."""
    eight = now.replace(hour=8, minute=1, second=0)
    return eight + timedelta(days=eight <= now) - now


def private(agent: str) -> str:
    """Where an agent reads alerts."""
    return f"{agent}.private@agents.example"


def timeline(shown: dict[str, Any]) -> list[tuple[str, str, str]]:
    """(kind, author, word) of each entry of a ticket."""
    return [
        (entry["kind"], entry["author"], found.group() if (found := WORD.search(entry["text"])) else "")
        for entry in shown["entries"]
    ]


def states(shown: dict[str, Any]) -> list[str]:
    """The states a ticket went through, by its event log."""
    return [event["data"]["after"] for event in shown["events"] if event["data"].get("field") == "status"]


def assert_as_scripted(case: Case, shown: dict[str, Any]) -> None:
    """The ticket is what the model says."""
    ticket = shown["ticket"]
    where = f"{case.subject}: {[act for act, _, _ in case.entries]}"
    assert timeline(shown) == case.entries, where
    assert states(shown) == case.statuses, where
    assert (ticket["status"], ticket["department"], ticket["assignee"], ticket["priority"]) == (
        case.status, case.department, case.assignee, case.priority,
    ), where  # fmt: skip
    assert sorted(ticket["tags"]) == sorted(case.tags), where
    assert [person["address"] for person in shown["participants"]] == [case.customer], where
    looked = [event["actor"] for event in shown["events"] if event["kind"] == "acknowledged"]
    assert looked == [f"agent:{key}" for key in case.looked_after], where


def assert_meant_for_customer(address: str, mails: list[EmailMessage], cases: list[Case]) -> None:
    """Only words of their own cases, nothing internal, and each answer exactly once."""
    own = [case for case in cases if case.customer == address]
    messages = {word for case in own for kind, _, word in case.entries if kind == "message"}
    answered = [word for case in own for kind, _, word in case.entries if kind == "response"]
    got: Counter[str] = Counter()
    for mail in mails:
        raw = mail.as_string()
        assert "agents.example" not in raw, "no agent's address"
        for part in mail.walk():
            if part.get_content_maintype() != "text":
                continue
            text = part.get_content()
            words = set(WORD.findall(text))
            assert words <= messages | set(answered), f"{address} got foreign words: {mail['Subject']}"
            assert "#resolve" not in text
            assert "#close" not in text
        got.update(set(WORD.findall(text_of(mail))) & set(answered))
    assert got == Counter(answered), address


def assert_meant_for_agent(key: str, mails: list[EmailMessage], cases: list[Case]) -> None:
    """Only words of cases of their departments, managers as well."""
    may = {word for case in cases if key in case.readers for _, _, word in case.entries}
    for mail in mails:
        assert set(WORD.findall(text_of(mail))) <= may, f"{key} got {mail['Subject']}"


@pytest.mark.timeout(400)
def test_a_day_of_the_desk_is_as_scripted_and_every_mail_was_meant_for_its_reader(
    make_daemon: Callable[..., Daemon], database_url: str
) -> None:
    daemon = make_daemon(database=database_url, extra=SECOND_MANAGER)
    daemon.environment["MAILTICKET_DEPARTMENTS__IT__MANAGER"] = "max"
    day = Day(seed=20261121, customers=40, mails=300)
    with daemon:
        office = Office(daemon, day)
        office.work()
        office.evening()
        office.morning()
        assert day.mails >= 300
        assert len(office.numbers) == len(day.cases)
        with closing(daemon.books.engine.connect()) as connection, Session(connection) as session:
            for case in day.cases:
                shown = show_ticket(session, office.numbers[case.serial])
                assert shown is not None
                assert_as_scripted(case, asdict(shown))
        everybody = {private(key): key for key in NAMES}
        customers = {case.customer for case in day.cases}
        assert set(office.boxes) <= customers | set(everybody)
        for address in customers:
            assert_meant_for_customer(address, office.boxes[address], day.cases)
        for address, key in everybody.items():
            assert_meant_for_agent(key, office.boxes.get(address, []), day.cases)
        assert {private(key) for key in NAMES} <= set(office.boxes)
        books = daemon.books
        assert {row[0] for row in books.rows("SELECT DISTINCT state FROM inbound")} <= {"done", "ignored"}
        assert {row[0] for row in books.rows("SELECT DISTINCT state FROM outbox")} <= {
            "sent",
            "cancelled",
            "queued",
        }
        books.assert_sound()
