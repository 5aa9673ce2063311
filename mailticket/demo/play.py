"""Plays the story and holds every mail against the script, while it happens."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from mailticket.demo.cast import SUPPORT, Role
from mailticket.demo.checks import leaks, stands_wrong, unmatched, wrong_with
from mailticket.demo.desk import DemoDesk, DeskTrouble
from mailticket.demo.mailclient import Written, first_mail, reply
from mailticket.demo.mailroom import Mailroom, Received
from mailticket.demo.narrator import Narrator
from mailticket.demo.story import Expected, Scene, Writes
from mailticket.store.views import TicketRow

_LOOK = 0.03
"""Seconds between looks at the database."""


@dataclass(slots=True)
class Report:
    """What came of the play. `problems` is empty when everything was as it must be."""

    problems: list[str] = field(default_factory=list)
    checks: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    mailboxes: Counter[str] = field(default_factory=Counter)


class Play:
    """One performance on a started desk and mailroom."""

    def __init__(self, desk: DemoDesk, mailroom: Mailroom, narrator: Narrator, pause: float) -> None:
        self._desk = desk
        self._mailroom = mailroom
        self._narrator = narrator
        self._pause = pause
        self._report = Report()
        self._inside: list[str] = []
        self._seen = 0
        self._known: dict[str, set[str]] = {}
        self._newest: dict[tuple[str, str], Received] = {}

    def perform(self, scenes: Sequence[Scene], *, keep_going: bool) -> Report:
        """Play the scenes in order; the first that goes wrong is the last, unless `keep_going`."""
        beginning = self._desk.clock.beginning
        for number, scene in enumerate(scenes, 1):
            self._desk.clock.go(beginning + scene.at)
            self._narrator.scene(number, self._now(), scene.tells)
            try:
                problems = self._scene(scene)
            except DeskTrouble as trouble:
                problems = [str(trouble)]
            if problems:
                self._narrator.problems(problems)
                self._report.problems += [f"scene {number}: {problem}" for problem in problems]
                if not keep_going or not self._desk.running():
                    return self._report
        self._report.problems += self._nothing_leaked()
        return self._report

    def _scene(self, scene: Scene) -> list[str]:
        before = self._report.checks
        if scene.writes is not None:
            problem = self._write(scene.writes)
            if problem is not None:
                return [problem]
        else:
            self._narrator.waits()
        arrived = self._arrivals(scene)
        problems = self._held_against(scene, arrived)
        ticket = self._ticket_of(scene.leaves.of)
        problems += stands_wrong(ticket, scene.leaves)
        self._report.checks += len(scene.leaves.fields) + 1
        if not problems:
            self._narrator.standing(ticket, self._report.checks - before)
        return problems

    def _write(self, writes: Writes) -> str | None:
        """Let a role write; why they cannot, or None."""
        if not writes.answers:
            mail = first_mail(writes.who, SUPPORT, writes.subject, writes.text, self._now())
        else:
            answered = self._newest.get((writes.who.key, writes.answers))
            if answered is None:
                return f"{writes.who.name} has no {writes.answers} to answer"
            mail = reply(writes.who, answered.mail, writes.text, self._now())
        self._inside += writes.inside
        self._send(mail)
        return None

    def _send(self, mail: Written) -> None:
        self._narrator.sent(mail, self._now())
        self._desk.take(mail)
        self._mailroom.keep_sent(mail.role, mail.recipient, mail.raw)
        self._known.setdefault(mail.role.key, set()).add(mail.message_id)
        time.sleep(self._pause)

    def _arrivals(self, scene: Scene) -> list[tuple[Received, str]]:
        """The mails of a scene, told as they come. Returns when all that are expected are there and the
        desk has nothing left to do, or when the bound is over."""
        end = time.monotonic() + scene.bound
        arrived: list[tuple[Received, str]] = []
        while True:
            arrived += self._take_new()
            done = not unmatched(arrived, scene.brings)[1] and self._desk.idle()
            if done and not self._mailroom.received(self._seen):
                return arrived
            if time.monotonic() > end or not self._desk.running():
                return arrived
            if not self._mailroom.received(self._seen):
                self._mailroom.wait_for_more(self._seen, _LOOK)

    def _take_new(self) -> list[tuple[Received, str]]:
        fresh: list[tuple[Received, str]] = []
        for item in self._mailroom.received(self._seen):
            self._seen += 1
            kind = self._desk.kind_of(item.message_id)
            self._narrator.received(item, kind, self._now())
            fresh.append((item, kind))
            time.sleep(self._pause)
        return fresh

    def _held_against(self, scene: Scene, arrived: list[tuple[Received, str]]) -> list[str]:
        pairs, missing, extra = unmatched(arrived, scene.brings)
        problems = [self._missed(expected, scene) for expected in missing]
        if missing:
            problems += self._desk.stuck()
        problems += [
            f"nobody expected this mail to {item.role.name}: {item.mail['Subject']}" for item in extra
        ]
        for item, expected in pairs:
            known = self._known.setdefault(item.role.key, set())
            wrong = [*wrong_with(item, expected, frozenset(known)), *leaks(item, self._inside)]
            problems += [f"the {expected.kind} to {item.role.name} {problem}" for problem in wrong]
            self._report.checks += 6 + len(expected.words) + len(expected.absent)
        for item, kind in arrived:
            self._known.setdefault(item.role.key, set()).add(item.message_id)
            self._newest[item.role.key, kind] = item
            self._report.kinds[kind] += 1
            self._report.mailboxes[item.role.key] += 1
        self._report.checks += 1  # that no other mail came
        return problems

    def _missed(self, expected: Expected, scene: Scene) -> str:
        died = "" if self._desk.running() else "; the daemon has ended"
        return f"no {expected.kind} came to {expected.to.name} within {scene.bound:g} s{died}"

    def _nothing_leaked(self) -> list[str]:
        """Every customer's mail once more, against all that was said inside by the end."""
        problems = []
        for item in self._mailroom.received():
            self._report.checks += not item.role.inside
            problems += [
                f"the mail to {item.role.name}, {item.mail['Subject']}, {leak}"
                for leak in leaks(item, self._inside)
            ]
        return problems

    def _ticket_of(self, customer: Role) -> TicketRow | None:
        theirs = [
            item.ticket for item in self._desk.tickets() if item.ticket.requester_address == customer.address
        ]
        return theirs[0] if len(theirs) == 1 else None

    def _now(self) -> datetime:
        return self._desk.clock.now()
