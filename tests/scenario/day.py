"""The script of a working day: who writes what about which case, and what the desk must make of it.

A story is a row of acts. The model below is written independently of the rules it checks: it knows only
what docs/agents.md and docs/commands.md promise. Every text carries a word of its own, so that each mail
the desk sends can be traced back to whom its words were meant for.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count

AGENTS = {"sam": ("support",), "sue": ("support",), "ida": ("it",)}
MANAGERS = {"mona": "support", "max": "it"}
NAMES = {
    "sam": "Sam Support",
    "sue": "Sue Support",
    "ida": "Ida Admin",
    "mona": "Mona Manager",
    "max": "Max Boss",
}


@dataclass
class Case:
    """A ticket as the script knows it.

    entries   (kind, author, word) in the order they have to stand in
    statuses  the states the ticket has to have gone through, the first left out
    readers   agents who may read its words: they had it, or work where it was, or manage that
    looked_after  managers who said so when it was late
    """

    serial: int
    customer: str
    department: str
    subject: str
    acts: Iterator[Act]
    status: str = "open"
    assignee: str | None = None
    priority: str = "normal"
    tags: list[str] = field(default_factory=list)
    entries: list[tuple[str, str, str]] = field(default_factory=list)
    statuses: list[str] = field(default_factory=list)
    readers: set[str] = field(default_factory=set)
    looked_after: list[str] = field(default_factory=list)

    def comes_to(self, department: str) -> None:
        """It is in a department: who works there may read it, and who manages that."""
        self.department = department
        self.readers |= {key for key, where in AGENTS.items() if department in where}
        self.readers |= {key for key, where in MANAGERS.items() if department == where}

    def moves(self, status: str) -> None:
        """The ticket changes its state, unless it has it."""
        if status != self.status:
            self.status = status
            self.statuses.append(status)

    def worker(self) -> str:
        """The agent whose turn it is: whoever has the case, else the first who works there."""
        if self.assignee is not None:
            return self.assignee
        return next(key for key, where in AGENTS.items() if self.department in where)


@dataclass(frozen=True)
class Written:
    """A mail somebody writes.

    author     an agent's key, or "customer"
    text       the new text
    automatic  a machine writes it
    """

    author: str
    text: str
    automatic: bool = False


Act = Callable[[Case, str], Written]
"""What happens next in a case; given a word for the text, returns the mail and moves the model on."""


def opens(case: Case, word: str) -> Written:
    """The first mail."""
    case.entries.append(("message", case.customer, word))
    case.comes_to(case.department)
    return Written("customer", f"Good morning,\n\nplease look into {word}.\n\nKind regards")


def asks(case: Case, word: str) -> Written:
    """The customer writes again; what was finished comes back."""
    case.entries.append(("message", case.customer, word))
    if case.status in ("resolved", "closed"):
        case.moves("open")
    return Written("customer", f"It is about {word}, can you see it?")


def is_away(case: Case, word: str) -> Written:
    """The customer's machine answers: kept, told to nobody, and nothing moves."""
    case.entries.append(("note", case.customer, word))
    return Written("customer", f"I am out of the office, {word}.", automatic=True)


def _answer(case: Case, word: str) -> str:
    agent = case.worker()
    case.entries.append(("response", f"agent:{agent}", word))
    if case.assignee is None:
        case.assignee = agent
    return agent


def answers(case: Case, word: str) -> Written:
    """An answer claims the case."""
    agent = _answer(case, word)
    if case.status == "open":
        case.moves("in-progress")
    return Written(agent, f"Dear customer,\n\nplease try {word}.\n\nYours")


def resolves(case: Case, word: str) -> Written:
    """An answer and its end in one mail."""
    agent = _answer(case, word)
    case.moves("resolved")
    return Written(agent, f"It works again: {word}.\n\n#resolve")


def closes(case: Case, word: str) -> Written:
    """The end, with a word to the customer before it."""
    agent = _answer(case, word)
    case.moves("closed")
    return Written(agent, f"#close\n\nThis was the last of it: {word}.")


def notes(case: Case, word: str) -> Written:
    """Words that stay inside."""
    agent = case.worker()
    case.entries.append(("note", f"agent:{agent}", f"secret-{word}"))
    return Written(agent, f"#note\nThe customer must not know of secret-{word}.")


def assigns(case: Case, word: str) -> Written:
    """To a colleague of the same department, with a note."""
    agent = case.worker()
    other = next((key for key, where in AGENTS.items() if case.department in where and key != agent), agent)
    case.entries.append(("note", f"agent:{agent}", f"secret-{word}"))
    case.assignee = other
    return Written(agent, f"#note secret-{word} is yours\n#assign {other}")


def transfers(case: Case, word: str) -> Written:
    """To the other department, where nobody has it yet."""
    agent = case.worker()
    other = "it" if case.department == "support" else "support"
    case.entries.append(("note", f"agent:{agent}", f"secret-{word}"))
    case.assignee = None
    case.comes_to(other)
    return Written(agent, f"#transfer {other}\n#note\nsecret-{word} is a matter for you")


def raises(case: Case, word: str) -> Written:
    """More urgent, and a tag; nothing for the customer, nothing but commands."""
    del word
    case.priority = "high"
    case.tags.append("watched")
    return Written(case.worker(), "#priority high\n#tag watched")


def manager_of(case: Case) -> str:
    """Whose department it is in."""
    return next(key for key, where in MANAGERS.items() if case.department == where)


def steps_in(case: Case, word: str) -> Written:
    """The manager answers the alert that it is late: somebody's, and urgent."""
    manager = manager_of(case)
    case.entries.append(("note", f"agent:{manager}", f"secret-{word}"))
    case.assignee, case.priority = case.worker(), "high"
    return Written(manager, f"#assign {case.assignee}\n#priority high\n#note\nsecret-{word} cannot wait")


def looks_after(case: Case) -> None:
    """The manager taps the link of that alert."""
    case.looked_after.append(manager_of(case))


def by_digest(number: str, case: Case, word: str) -> list[str]:
    """The manager's lines about a case in the morning's digest: somebody's, with a note."""
    case.entries.append(("note", f"agent:{manager_of(case)}", f"secret-{word}"))
    case.assignee = case.worker()
    return [f"{number} assign {case.assignee}", f"{number} note secret-{word} is the first thing today"]


def closes_by_digest(number: str, case: Case) -> list[str]:
    """The manager's line about a case that needs nobody."""
    case.moves("closed")
    return [f"{number} close"]


STORIES: tuple[tuple[Act, ...], ...] = (
    (opens, answers, asks, resolves),
    (opens, notes, answers, asks, notes, closes),
    (opens, transfers, answers, asks, resolves, asks, closes),
    (opens, assigns, answers, asks, raises, resolves),
    (opens, asks, answers, resolves, asks, answers, closes),
    (opens, is_away, answers, is_away, resolves),
    (opens, raises, transfers, notes, answers, transfers, answers, closes, asks, resolves),
)


class Day:
    """Cases with their stories, dealt out over the ticks of a day."""

    def __init__(self, seed: int, customers: int, mails: int) -> None:
        self._random = random.Random(seed)
        self._words = (f"zq{number:04d}" for number in count(1))
        self.mails = 0
        self._most = mails
        self.cases: list[Case] = []
        self._customers = [f"c{number:02d}@customers.example" for number in range(customers)]
        self._running: list[Case] = []

    def tick(self, most: int) -> Iterator[tuple[Case, Written]]:
        """The next mails, at most one of each case, so that each is answered before the next."""
        while self.mails + len(self._running) < self._most and len(self._running) < 3 * most:
            self._running.append(self._case())
        chosen = self._random.sample(self._running, min(most, len(self._running)))
        for case in chosen:
            act = next(case.acts, None)
            if act is None:
                self._running.remove(case)
                continue
            self.mails += 1
            yield case, act(case, next(self._words))

    def neglected(self, department: str) -> Case:
        """A case that is opened, and that nobody in the department looks at."""
        case = self._case(department, (opens,))
        self.mails += 1
        return case

    def word(self) -> str:
        """A word that no other text has."""
        return next(self._words)

    @property
    def over(self) -> bool:
        """Every story is told."""
        return self.mails > 0 and not self._running

    def _case(self, department: str = "", story: tuple[Act, ...] = ()) -> Case:
        serial = len(self.cases) + 1
        customer = self._customers[(serial - 1) % len(self._customers)]
        department = department or self._random.choice(("support", "support", "it"))
        story = story or STORIES[(serial - 1) % len(STORIES)]
        case = Case(serial, customer, department, f"Case {serial} of the day", iter(story))
        self.cases.append(case)
        return case
