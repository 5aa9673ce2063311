"""What happens later (`#wait`, `#remind`), who asks (`#owner`, `#spam`, `#ban`): from bytes to rows."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select

from mailticket.config.desk import Webhook
from mailticket.domain.change import Decision
from mailticket.domain.schedule import WorkingTimes
from mailticket.store import deadlines
from mailticket.store.engine import reading
from mailticket.store.later import REMIND, WAKE
from mailticket.store.models import Ban, Participant, Ticket, TicketEvent, WebhookCall
from mailticket.store.views import show_ticket
from mailticket.work.deadlines import DeadlineWork
from mailticket.work.later import Later
from tests.store.small_desk import SAM, SECRET, SUPPORT, SmallDesk, small_desk

ANN, BEN = "ann@customer.example", "ben@customer.example"


@dataclass
class Story:
    """Ann has opened a ticket; Sam answers the alert with commands, time passes."""

    engine: Engine
    options: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.desk = SmallDesk(self.engine, small_desk(**self.options))
        self.count = 0
        self.writes(ANN, "It burns.", to=SUPPORT)

    def writes(self, who: str, text: str, to: str | None = None) -> Decision:
        """Somebody writes, as an answer to their newest mail unless `to` says otherwise."""
        self.count += 1
        head = f"From: {who}\r\nSubject: Help\r\nMessage-ID: <{self.count}@{who}>\r\n"
        if to is None:
            last = self.desk.to(who)[-1]
            to = str(last["Reply-To"].addresses[0].addr_spec)
            head += f"In-Reply-To: {last['Message-ID']}\r\n"
        body = text.replace("\n", "\r\n")
        return self.desk.receive(f"{head}To: {to}\r\n\r\n{body}\r\n".encode(), recipient=to, sender=who)

    def pass_time(self, **how_long: float) -> None:
        """Let time pass and the deadlines ring."""
        self.desk.now += timedelta(**how_long)
        desk = self.desk.desk
        later = Later(lambda: WorkingTimes(desk), SECRET)
        handlers = {WAKE: later.wake, REMIND: later.remind}
        DeadlineWork(self.engine, lambda: desk, lambda: self.desk.now, handlers).work_off()
        self.desk._send()

    @property
    def ticket(self) -> Ticket:
        """As it is now."""
        return self.desk.tickets()[0]

    def events(self, kind: str) -> list[dict[str, Any]]:
        """What the log says of one kind, but for the mail that asked for it."""
        with reading(self.engine) as session:
            rows = session.execute(
                select(TicketEvent.data).where(TicketEvent.kind == kind).order_by(TicketEvent.id)
            )
            return [{name: row.data[name] for name in row.data if name != "mail"} for row in rows]

    def planned(self) -> dict[str, datetime]:
        """What is due."""
        with reading(self.engine) as session:
            return deadlines.planned(session, self.ticket.id)


def subjects(story: Story, start: str) -> list[str]:
    """The first lines of text of Sam's mails that begin so."""
    found = []
    for mail in story.desk.to(SAM):
        part = mail.get_body(("plain",))
        assert part is not None
        found += [line for line in str(part.get_content()).splitlines() if line.startswith(start)]
    return found


@pytest.mark.parametrize(("command", "status"), [("#wait 3d", "waiting"), ("#hold 3d", "on-hold")])
def test_a_paused_ticket_comes_back_at_its_moment_and_whoever_has_it_is_told(
    engine: Engine, command: str, status: str
) -> None:
    story = Story(engine)
    assert story.writes(SAM, f"#take\n{command}").outcome == "agent-acted"
    assert story.ticket.status == status
    (planned,) = [row for row in story.events("edited") if row.get("field") == "wake"]
    assert planned == {"field": "wake", "before": None, "after": story.planned()[WAKE].isoformat()}
    story.pass_time(days=2, hours=23)
    assert story.ticket.status == status
    story.pass_time(hours=2)
    assert story.ticket.status == "in-progress"
    assert len(subjects(story, "This ticket has come back")) == 1
    assert WAKE not in story.planned()
    story.pass_time(days=9)
    assert len(subjects(story, "This ticket has come back")) == 1
    assert story.desk.to(ANN)[1:] == []


def test_a_customers_mail_wakes_a_waiting_ticket_and_its_moment_then_passes_in_silence(
    engine: Engine,
) -> None:
    story = Story(engine)
    story.writes(SAM, "#wait until 2026-12-01\nWhich printer?")
    story.writes(ANN, "The blue one.")
    assert story.ticket.status == "in-progress"
    story.writes(SAM, "#wait customer")
    story.pass_time(days=30)
    assert story.ticket.status == "waiting"
    assert subjects(story, "This ticket has come back") == []


def test_a_web_service_is_told_that_a_ticket_has_come_back(engine: Engine) -> None:
    hook = Webhook.model_validate(
        {"key": "chat", "url": "https://chat.example/x", "secret": "0123456789abcdef", "events": ["status"]}
    )
    story = Story(engine, {"webhooks": {"chat": hook}})
    story.writes(SAM, "#wait 3d")
    story.pass_time(days=4)
    assert story.ticket.status == "in-progress"
    with reading(engine) as session:
        calls = session.execute(select(WebhookCall).order_by(WebhookCall.id)).scalars()
        told = [json.loads(call.body) for call in calls]
    found = [(body["event"], body["ticket"]["status"]) for body in told]
    assert found == [("status", "waiting"), ("status", "in-progress")]
    story.pass_time(days=4)
    with reading(engine) as session:
        assert len(session.execute(select(WebhookCall)).all()) == 2


def test_the_moment_of_an_earlier_pause_does_not_end_a_later_one(engine: Engine) -> None:
    story = Story(engine)
    story.writes(SAM, "#wait 3d")
    story.writes(SAM, "#status in progress")
    story.writes(SAM, "#status waiting")
    story.pass_time(days=4)
    assert story.ticket.status == "waiting"


def test_a_moment_that_is_none_stops_the_mail(engine: Engine) -> None:
    story = Story(engine)
    for wrong in ("#wait until yesterday", "#wait 0d", "#hold for ever", "#remind ring her", "#time soon"):
        assert story.writes(SAM, f"{wrong}\nHello Ann").outcome == "returned", wrong
    assert story.ticket.status == "open"
    assert story.desk.to(ANN)[1:] == []


def test_an_agent_is_reminded_of_each_thing_at_its_time_and_only_once(engine: Engine) -> None:
    story = Story(engine)
    story.writes(SAM, "#remind 2d ring her\n#remind 4d: ask for the part")
    story.pass_time(days=2)
    assert subjects(story, "> ring her") == ["> ring her"]
    assert subjects(story, "> ask for") == []
    story.pass_time(days=1)
    assert len(subjects(story, "You wanted to be reminded")) == 1
    story.pass_time(days=1)
    assert subjects(story, "> ask for") == ["> ask for the part"]
    story.pass_time(days=30)
    assert len(subjects(story, "You wanted to be reminded")) == 2
    assert [row["text"] for row in story.events("reminded")] == ["ring her", "ask for the part"]
    assert story.desk.to(ANN)[1:] == []


def test_time_spent_adds_up_and_can_be_taken_back(engine: Engine) -> None:
    story = Story(engine)
    story.writes(SAM, "#time 15m on the phone\n#time 1h30m")
    story.writes(SAM, "TimeWorked: 10\n\n#note\nShe was kind.")
    assert story.ticket.minutes_spent == 115
    story.writes(SAM, "#time -1:00")
    assert story.ticket.minutes_spent == 55
    assert story.events("time")[0] == {
        "field": "minutes_spent", "before": 0, "after": 15, "minutes": 15, "text": "on the phone",
    }  # fmt: skip
    with reading(engine) as session:
        shown = show_ticket(session, story.ticket.number)
    assert shown is not None
    assert shown.ticket.minutes_spent == 55


def test_a_new_requester_gets_the_answers_and_the_old_one_is_out(engine: Engine) -> None:
    story = Story(engine)
    story.writes(SAM, "Hello Ann.")
    story.writes(SAM, f"#owner {BEN}\nHello Ben.")
    assert len(story.desk.to(BEN)) == 1
    assert [mail for mail in story.desk.to(ANN) if "Hello Ben" in str(mail)] == []
    assert story.ticket.requester_address == BEN
    assert [row for row in story.events("edited") if row.get("field") == "requester"] == [
        {"field": "requester", "before": ANN, "after": BEN, "kept": False}
    ]
    story.writes(ANN, "But I want to say more.")  # with her token, which is good for nothing now
    first, second = story.desk.tickets()
    assert (first.held, second.held, second.suspected_ticket_id) == (False, True, first.id)
    assert story.writes(BEN, "Thanks.").ticket == first.id


def test_the_old_requester_stays_when_the_mail_says_so(engine: Engine) -> None:
    story = Story(engine)
    story.writes(SAM, f"#owner {BEN}\n#cc {ANN}\nHello both.")
    with reading(engine) as session:
        rows = session.execute(select(Participant.address, Participant.role)).all()
    roles = {row.address: row.role for row in rows}
    assert roles == {ANN: "collaborator", BEN: "requester"}
    assert len([mail for mail in story.desk.to(ANN) if "Hello both" in str(mail)]) == 1


def test_an_owner_who_is_no_address_stops_the_mail_with_the_command_that_was_meant(engine: Engine) -> None:
    story = Story(engine)
    story.writes(SAM, "#owner sam\nHello.")
    assert any("#assign sam" in str(mail.get_body(("plain",))) for mail in story.desk.to(SAM))
    assert story.desk.to(ANN)[1:] == []


def test_spam_is_closed_in_silence_and_its_sender_is_heard_no_more(engine: Engine) -> None:
    story = Story(engine)
    alerts = len(story.desk.to(SAM))
    story.writes(SAM, "#spam")
    assert (story.ticket.status, story.ticket.tags) == ("closed", ["spam"])
    assert story.events("closed")[0]["silent"] is True
    story.writes(ANN, "Buy more!", to=str(story.desk.to(SAM)[0]["Reply-To"].addresses[0].addr_spec))
    story.desk.now += timedelta(minutes=5)
    story.writes(ANN, "Buy even more!", to=SUPPORT)
    assert len(story.desk.to(ANN)) <= 2  # acknowledgements of new tickets at most
    assert story.ticket.status == "closed"
    assert len(story.desk.to(SAM)) <= alerts + 2


def test_words_beside_spam_stop_the_mail_unless_they_are_a_note(engine: Engine) -> None:
    story = Story(engine)
    assert story.writes(SAM, "#spam\nGo away!").outcome == "returned"
    assert story.ticket.status == "open"
    assert story.writes(SAM, "#spam\n#note\nSeen before.").outcome == "agent-acted"
    assert story.ticket.status == "closed"


def test_spam_bans_its_sender_where_the_desk_wants_that(engine: Engine) -> None:
    story = Story(engine, {"ban_spammers": True})
    story.writes(SAM, "#spam")
    with reading(engine) as session:
        assert session.execute(select(Ban.pattern, Ban.action)).all() == [(ANN, "reject")]
    assert story.writes(ANN, "Buy more!", to=SUPPORT).outcome == "rejected"


@pytest.mark.parametrize(
    ("command", "pattern", "reason"),
    [
        ("#ban bulk.example sends nothing but spam", "bulk.example", "sends nothing but spam"),
        ("#ban <mad@bulk.example>", "mad@bulk.example", "banned by Sam Support from #"),
        ("#ban *@bulk.example", "*@bulk.example", "banned by Sam Support from #"),
        ("#ban", ANN, "banned by Sam Support from #"),
        ("#ban writes every hour", ANN, "writes every hour"),
    ],
)
def test_a_ban_is_on_the_list_and_in_the_log(engine: Engine, command: str, pattern: str, reason: str) -> None:
    desk = small_desk()
    managed = {"support": desk.departments["support"].model_copy(update={"manager": "sam"})}
    story = Story(engine)
    story.desk.desk = desk.model_copy(update={"departments": managed})
    assert story.writes(SAM, command).outcome == "agent-acted"
    with reading(engine) as session:
        (row,) = session.execute(select(Ban.pattern, Ban.reason)).all()
    assert row.pattern == pattern
    assert row.reason.startswith(reason)
    assert story.events("banned")[0]["pattern"] == pattern
    for harmful in ("#ban agents.example", f"#ban {SAM}", "#ban *@desk.example"):
        assert story.writes(SAM, harmful).outcome == "returned", harmful


def test_banning_takes_the_right_to_manage(engine: Engine) -> None:
    story = Story(engine)
    assert story.writes(SAM, "#ban").outcome == "returned"
    with reading(engine) as session:
        assert session.execute(select(Ban.pattern)).all() == []


def test_a_ticket_gets_another_subject(engine: Engine) -> None:
    story = Story(engine)
    story.writes(SAM, f"#subject Re: [#{story.ticket.number}] Fire in the printer")
    assert story.ticket.subject == "Fire in the printer"
    assert {"field": "subject", "before": "Help", "after": "Fire in the printer"} in story.events("edited")


def test_the_morning_of_a_day_is_when_work_begins_there() -> None:
    from zoneinfo import ZoneInfo

    from mailticket.domain.moments import parse_moment

    now, zone = datetime(2026, 11, 21, 10, tzinfo=UTC), ZoneInfo("Europe/Berlin")
    for text, expected in {
        "3d": "2026-11-24T10:00:00+00:00",
        "1w 2d": "2026-11-30T10:00:00+00:00",
        "2 days": "2026-11-23T10:00:00+00:00",
        "for 90 minutes": "2026-11-21T11:30:00+00:00",
        "+4h": "2026-11-21T14:00:00+00:00",
        "until 2026-12-01": "2026-12-01T08:00:00+00:00",
        "2026–12–01 14:00": "2026-12-01T13:00:00+00:00",
        "tomorrow": "2026-11-22T08:00:00+00:00",
        "on Friday": "2026-11-27T08:00:00+00:00",
        "sat": "2026-11-28T08:00:00+00:00",
        "tomorrow 16:30": "2026-11-22T15:30:00+00:00",
        "14:00": "2026-11-21T13:00:00+00:00",
        "9:00": "2026-11-22T08:00:00+00:00",
    }.items():
        found = parse_moment(text, now, zone, None)
        assert isinstance(found, datetime), (text, found)
        assert found.isoformat() == expected, text
    for wrong in ("", "none", "yesterday", "2026-13-01", "soon", "3", "3 parsecs", "2020-01-01", "99999w"):
        assert isinstance(parse_moment(wrong, now, zone, None), str), wrong
