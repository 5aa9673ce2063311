"""No template is dead: for each, what happens that sends it, played through the real desk in moved time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from email.message import EmailMessage
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import select

from mailticket.delivery.catalogue import CATALOGUE
from mailticket.delivery.outcome import Delivered, Failed, Outcome, Stage
from mailticket.store.models import Outbox, Ticket
from tests.scenario.simulated import Sent, SimulatedClock, SimulatedDesk, written

ANN, BEN = "ann@customer.example", "ben@customer.example"
SAM, SUE, RAE = "sam@staff-a.example", "sue@staff-a.example", "rae@staff-a.example"
DEPARTMENTS = """
[departments.it]
name = "IT"
addresses = ["it@a.example"]
members = ["rae"]
manager = "rae"

[agents.rae]
name = "Rae"
addresses = ["rae@staff-a.example"]
receipts = "all"

[brakes]
same_subject_hour = 50
per_address_hour = 50
"""
PLAN = """
[sla_plans.quick]
name = "Quick"
first_response = "4h"

[[sla_plans.quick.steps]]
at = "50%"
tell = ["department"]

[alerts]
summary_over = 1
"""
FOLLOW_UP = """
[follow_ups.all]
nudge = "1d"
resolve = "1d"
close = "1d"
tell_close = true
keep_in_loop = "1d"
update_customer = "once"
unassign = "2d"
"""


class Play:
    """A desk, and short ways to let people write to it."""

    def __init__(self, folder: Path, extra: str = "", options: str = "") -> None:
        self.desk = SimulatedDesk(
            folder,
            "a",
            SimulatedClock(),
            DEPARTMENTS + extra,
            acknowledge_replies=True,
            options=f'default_department = "support"\n{options}',
        )
        self.serial = count(1)
        self.mails: list[Sent] = []

    def writes(self, sender: str, text: str, subject: str = "Printer", to: str = "support@a.example",
               **headers: str) -> None:  # fmt: skip
        """Somebody writes a new mail; what follows goes out."""
        number = next(self.serial)
        raw = written(subject, text, sender=sender, to=to, message_id=f"{number}@{sender}", **headers)
        self.desk.clock.forward(minutes=1)
        self.desk.take([raw], sender, to)
        self.send()

    def answers(self, mail: EmailMessage, text: str, sender: str) -> None:
        """Somebody answers a mail of ours."""
        to = mail["Reply-To"].addresses[0].addr_spec
        about = {"In_Reply_To": mail["Message-ID"], "References": mail["Message-ID"]}
        self.writes(sender, text, f"Re: {mail['Subject']}", to, **about)

    def send(self) -> None:
        self.mails += self.desk.send()

    def later(self, **how_far: float) -> None:
        """Time passes, and what has come by then is done."""
        self.desk.clock.forward(**how_far)
        for _ in range(2):
            self.desk.ticks.deadlines()
            self.desk.ticks.digests()
            self.desk.ticks.reports()
            self.send()

    def to(self, reader: str) -> EmailMessage:
        """The newest mail to somebody."""
        return [item.mail for item in self.mails if item.recipient == reader][-1]

    def opened(self, subject: str = "Printer") -> EmailMessage:
        """A ticket of Ann's; the alert to Sam."""
        self.writes(ANN, f"Help with the {subject}.", subject)
        return self.to(SAM)

    def number(self, subject: str) -> str:
        return str(self.desk.rows(select(Ticket.number).where(Ticket.subject == subject))[0])


Story = Callable[[Play], None]


def new_and_further_mail(play: Play) -> None:
    play.opened()
    play.answers(play.to(ANN), "And it smells.", ANN)


def a_colleague_answers(play: Play) -> None:
    alert = play.opened()
    play.answers(alert, "#take", SAM)
    play.answers(play.to(SUE), "Have you turned it on?", SUE)


def a_collaborator_hears(play: Play) -> None:
    play.answers(play.opened(), f"#cc {BEN}", SAM)
    play.answers(play.to(ANN), "Still broken.", ANN)


def an_agent_ends_and_reopens(play: Play) -> None:
    alert = play.opened()
    for command in ("#resolve", "#reopen", "#close"):
        play.answers(alert, command, SAM)
    play.later(hours=2)


def two_are_merged(play: Play) -> None:
    first, _ = play.opened("Printer"), play.opened("Scanner")
    play.answers(first, f"#merge {play.number('Scanner')}", SAM)


def it_changes_hands(play: Play) -> None:
    alert = play.opened()
    play.answers(alert, "#assign sue", SAM)
    play.answers(alert, "#refer it", SAM)
    play.answers(alert, "#unrefer it\n#transfer it", SAM)


def one_waits_for_another(play: Play) -> None:
    first, second = play.opened("Printer"), play.opened("Scanner")
    play.answers(first, f"#block {play.number('Scanner')}", SAM)
    play.answers(second, "#resolve", SAM)
    play.later(minutes=1)


def too_many_mails(play: Play) -> None:
    for subject in ("Printer", "Scanner", "Fax"):
        play.opened(subject)


def a_stranger_replies(play: Play) -> None:
    play.opened()
    play.answers(play.to(ANN), "I have that too.", "max@elsewhere.example")


def a_rule_answers_and_forwards(play: Play) -> None:
    play.opened()


def an_agent_opens_one_for_somebody(play: Play) -> None:
    proven = {"Authentication_Results": "mx.a.example; dmarc=pass header.from=staff-a.example"}
    play.writes(SAM, f"#owner {ANN}\n\nShe rang: no paper.", **proven)
    play.writes(SAM, "#owner\n\nShe rang.", "Fwd: something", **proven)


def an_answer_is_refused(play: Play) -> None:
    alert = play.opened()
    play.desk.transport = Refusing()  # type: ignore[assignment]  # refuses as well
    play.desk.restart()
    play.answers(alert, "Try again.", SAM)


def promises_come_near_and_pass(play: Play) -> None:
    play.opened()
    play.later(hours=3)
    play.later(hours=2)
    play.opened("Scanner")
    play.opened("Fax")
    play.later(hours=3)


def nobody_writes(play: Play) -> None:
    play.answers(play.opened(), "Which printer?\n\n#wait", SAM)
    for _ in range(3):
        play.later(days=1, minutes=1)


def nobody_may_end_it(play: Play) -> None:
    play.answers(play.opened(), "Which printer?\n\n#wait", SAM)
    for _ in range(2):
        play.later(days=1, minutes=1)


def the_desk_says_nothing(play: Play) -> None:
    play.answers(play.opened(), "#take", SAM)
    play.later(days=1, hours=1)
    play.later(days=1, hours=1)


def a_customer_asks_for_their_tickets(play: Play) -> None:
    play.opened()
    play.answers(play.to(ANN), "status", ANN)


def an_agent_wants_it_back(play: Play) -> None:
    alert = play.opened()
    play.answers(alert, "#remind 2d ring her", SAM)
    play.answers(alert, "#wait 3d", SAM)
    play.later(days=2, hours=1)
    play.later(days=1, hours=1)


def a_morning(play: Play) -> None:
    play.writes(ANN, "Help.", to="it@a.example")  # whose manager reads the digest
    for _ in range(9):
        play.later(days=1)


def an_agent_asks(play: Play) -> None:
    alert = play.opened()
    for text in ("#asign sue", "#help", "#list"):
        play.answers(alert, text, SAM)


def an_agent_comes_and_goes(play: Play) -> None:
    alert = play.opened()
    play.answers(alert, "#away 3d", SAM)
    play.answers(alert, "#back", SAM)


def an_agents_mail_is_doubted(play: Play) -> None:
    alert = play.opened()
    play.answers(alert, "Try again.", "sam@home.example")
    play.writes(SAM, "Try again.", f"Re: Printer [#{play.number('Printer')}]")


def an_agent_acts_blindly(play: Play) -> None:
    alert = play.opened()
    play.answers(play.to(ANN), "It works again.", ANN)
    play.answers(alert, "Buy another one.", SAM)


def somebody_who_wants_receipts(play: Play) -> None:
    play.writes(ANN, "Help.", to="it@a.example")
    play.answers(play.to(RAE), "#take", RAE)


@dataclass
class Refusing:
    """Takes mail for agents only."""

    sent: list[Sent] = field(default_factory=list)

    def send(self, envelope_from: str, recipient: str, raw: bytes) -> Outcome:
        """As the transport protocol says."""
        if recipient == ANN:
            return Failed("550 5.1.1 no such user", Stage.RCPT)
        return Delivered("250 taken")

    def close(self) -> None:
        """Nothing is open."""


MAILS = "[desk.mails]\n" + "\n".join(
    f'"{code}" = true'
    for code in (
        "ticket.held", "ticket.overlimit", "ticket.closed", "ticket.reopened", "ticket.satisfaction",
    )
)  # fmt: skip
RULE = """
[[rules]]
name = "printers"
when = [{ field = "subject", how = "contains", value = "Printer" }]
then = { canned = "paper", forward = ["audit@other.example"] }

[canned.paper]
title = "Paper"
text = "Look for paper first."
"""
TRUST = '[trust]\nauthserv_ids = ["mx.a.example"]\n'
REPORT = '[reports.daily]\nname = "Week"\nreaders = ["sam"]\nperiod = "week"\ncron = "0 8 * * *"\n'
FEW = "new_tickets_hour = 1\n" + MAILS  # goes on with the brakes of every desk here
NEEDS = FOLLOW_UP + '\n[fields.model]\nname = "Model"\nrequired = true\n'
FOLLOWED = 'default_follow_up = "all"'

STORIES: dict[Story, tuple[str, str]] = {
    new_and_further_mail: ("", ""),
    a_colleague_answers: ("", ""),
    a_collaborator_hears: ("", ""),
    an_agent_ends_and_reopens: (MAILS, ""),
    two_are_merged: ("", ""),
    it_changes_hands: ("", ""),
    one_waits_for_another: ("", ""),
    too_many_mails: (FEW, ""),
    a_stranger_replies: (MAILS, ""),
    a_rule_answers_and_forwards: (RULE, ""),
    an_agent_opens_one_for_somebody: (TRUST, "acknowledge_on_behalf = true"),
    an_answer_is_refused: ("", ""),
    promises_come_near_and_pass: (PLAN, 'default_sla_plan = "quick"'),
    nobody_writes: (FOLLOW_UP, FOLLOWED),
    nobody_may_end_it: (NEEDS, FOLLOWED),
    the_desk_says_nothing: (FOLLOW_UP, FOLLOWED),
    a_customer_asks_for_their_tickets: ("", ""),
    an_agent_wants_it_back: ("", ""),
    a_morning: (REPORT, ""),
    an_agent_asks: ("", ""),
    an_agent_comes_and_goes: ("", ""),
    an_agents_mail_is_doubted: ("", ""),
    an_agent_acts_blindly: ("", ""),
    somebody_who_wants_receipts: ("", ""),
}
"""What happens, and what a desk needs in its configuration for that: sections, options of [desk]."""

SENT_BY: dict[str, tuple[Story, str]] = {
    # osTicket's thirteen
    "ticket.autoresp": (new_and_further_mail, "a customer's mail opens a ticket"),
    "ticket.autoreply": (a_rule_answers_and_forwards, "a rule chose a canned reply for it"),
    "ticket.notice": (an_agent_opens_one_for_somebody, "an agent opened it for them"),
    "message.autoresp": (new_and_further_mail, "the customer writes again"),
    "ticket.overlimit": (too_many_mails, "a sender is over a limit"),
    "ticket.reply": (a_colleague_answers, "an agent answers"),
    "ticket.activity.notice": (a_collaborator_hears, "another who takes part writes"),
    "ticket.alert": (new_and_further_mail, "a ticket is opened"),
    "message.alert": (new_and_further_mail, "a message joins a ticket"),
    "note.alert": (a_colleague_answers, "a colleague answers or notes"),
    "assigned.alert": (it_changes_hands, "an agent assigns it"),
    "transfer.alert": (it_changes_hands, "an agent transfers it"),
    "ticket.overdue": (promises_come_near_and_pass, "a promised time passes"),
    # those of customers that osTicket has not
    "ticket.held": (a_stranger_replies, "a stranger's reply points at somebody's ticket"),
    "ticket.resolved": (an_agent_ends_and_reopens, "#resolve"),
    "ticket.closed": (an_agent_ends_and_reopens, "#close"),
    "ticket.reopened": (an_agent_ends_and_reopens, "#reopen"),
    "ticket.satisfaction": (an_agent_ends_and_reopens, "some time after the end"),
    "ticket.merged": (two_are_merged, "#merge, where the customer took part in both"),
    "ticket.nudge": (nobody_writes, "a ticket waits for the customer"),
    "ticket.autoresolved": (nobody_writes, "they do not answer"),
    "ticket.autoclosed": (nobody_writes, "nobody objects"),
    "ticket.update": (the_desk_says_nothing, "the customer has heard nothing for long"),
    "ticket.status": (a_customer_asks_for_their_tickets, 'a customer writes "status"'),
    # those of agents
    "ticket.forward": (a_rule_answers_and_forwards, "a rule sends a copy on"),
    "held.alert": (a_stranger_replies, "a stranger's reply points at somebody's ticket"),
    "bounce.alert": (an_answer_is_refused, "an answer does not arrive"),
    "brake.alert": (too_many_mails, "a limit is reached"),
    "referral.alert": (it_changes_hands, "#refer"),
    "released.alert": (the_desk_says_nothing, "its agent leaves it lying"),
    "waited.alert": (one_waits_for_another, "what it waits for is done"),
    "guard.alert": (nobody_may_end_it, "a follow-up would end it, and a field is missing"),
    "ticket.warning": (promises_come_near_and_pass, "a promised time comes near"),
    "ticket.alerts": (promises_come_near_and_pass, "many at once"),
    "loop.reminder": (the_desk_says_nothing, "the customer has heard nothing for long"),
    "ticket.wakeup": (an_agent_wants_it_back, "the moment of #wait has come"),
    "ticket.reminder": (an_agent_wants_it_back, "the moment of #remind has come"),
    "ticket.digest": (a_morning, "it is eight in the morning"),
    "report.monthly": (a_morning, "the time of a report has come"),
    "command.error": (an_agent_asks, "a command that is none"),
    "command.help": (an_agent_asks, "#help"),
    "console.answer": (an_agent_asks, "#list"),
    "agent.challenge": (an_agents_mail_is_doubted, "an agent's token comes from elsewhere"),
    "agent.refused": (an_agents_mail_is_doubted, "nothing proves that the agent wrote it"),
    "agent.unplaced": (an_agent_opens_one_for_somebody, "nobody can tell for whom a ticket is meant"),
    "agent.away": (an_agent_comes_and_goes, "#away"),
    "agent.back": (an_agent_comes_and_goes, "#back"),
    "agent.receipt": (somebody_who_wants_receipts, "an agent's mail did something"),
    "agent.stale": (an_agent_acts_blindly, "an answer that had not seen the newest message"),
}


def test_every_template_has_something_that_sends_it() -> None:
    asked = {"held.ask"}  # the one that has to do without held.alert, below
    assert set(SENT_BY) | asked == set(CATALOGUE)
    assert {story for story, _ in SENT_BY.values()} == set(STORIES)


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_what_happens_sends_its_mails(tmp_path: Path, story: Story) -> None:
    expected = {code: what for code, (played, what) in SENT_BY.items() if played is story}
    assert _sent(tmp_path, story, *STORIES[story]) >= set(expected), expected


def test_where_customers_decide_about_strangers_they_are_asked_and_no_agent_is(tmp_path: Path) -> None:
    sent = _sent(tmp_path, a_stranger_replies, "", 'held_asks = "requester"')
    assert "held.ask" in sent
    assert "held.alert" not in sent


def _sent(folder: Path, story: Story, extra: str, options: str) -> set[str]:
    """The templates of the mails that went out; none of them may have failed to be written."""
    play = Play(folder, extra, options)
    try:
        story(play)
        assert play.desk.count(Outbox, Outbox.state == "parked") == 0
        return set(play.desk.rows(select(Outbox.template).where(Outbox.state.in_(["sent", "failed"]))))
    finally:
        play.desk.close()
