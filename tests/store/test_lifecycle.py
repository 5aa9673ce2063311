"""A ticket's whole life by mail, on both databases: guards, thanks, merges, splits, waits, referrals."""

from __future__ import annotations

from datetime import timedelta
from email.message import EmailMessage
from itertools import count
from typing import Any

import pytest
from sqlalchemy import Engine, select

from mailticket.config.desk import Department, HelpTopic
from mailticket.config.lifecycle import CustomField, Status
from mailticket.domain.change import Decision
from mailticket.domain.types import Outcome
from mailticket.store import deadlines
from mailticket.store.engine import reading
from mailticket.store.links import WAITED
from mailticket.store.models import Entry, Ticket, TicketEvent, TicketLink, TicketReferral
from mailticket.work.deadlines import DeadlineWork
from mailticket.work.schedules import Schedules
from mailticket.work.waiting import Waiting
from tests.store.small_desk import SAM, SECRET, SUPPORT, SmallDesk, small_desk

ANN, BOB = "ann@customer.example", "bob@elsewhere.example"
IT, IDA = "it@desk.example", "ida.private@agents.example"


def life_desk(engine: Engine, *, support: dict[str, Any] | None = None, **options: Any) -> SmallDesk:
    desk = small_desk(**options)
    ida = desk.agents["sam"].model_copy(update={"key": "ida", "name": "Ida Admin", "addresses": (IDA,)})
    home = desk.departments["support"].model_copy(update=support or {})
    there = Department(key="it", name="Information Technology", addresses=(IT,), members=("ida",))
    return SmallDesk(
        engine,
        desk.model_copy(
            update={"departments": {"support": home, "it": there}, "agents": {**desk.agents, "ida": ida}}
        ),
    )


_serial = count()


def mail(text: str, sender: str = ANN, subject: str = "The printer is broken", **headers: str) -> bytes:
    made = EmailMessage()
    name = {ANN: "Ann Customer "}.get(sender, "")
    made["From"], made["To"], made["Subject"] = f"{name}<{sender}>", headers.pop("To", SUPPORT), subject
    made["Message-ID"] = f"<m{next(_serial)}@mua.example>"
    for name, value in headers.items():
        made[name.replace("_", "-")] = value
    made.set_content(text)
    return made.as_bytes()


def reply(desk: SmallDesk, received: EmailMessage, text: str, sender: str) -> Decision:
    """An answer to a mail of the desk, by its reply address."""
    to = received["Reply-To"].addresses[0].addr_spec
    raw = mail(text, sender, f"Re: {received['Subject']}", To=to, In_Reply_To=str(received["Message-ID"]))
    return desk.receive(raw, to, sender)


def opened(desk: SmallDesk, text: str = "Please help.", sender: str = ANN, **headers: str) -> EmailMessage:
    """A new ticket; the alert to Sam."""
    before = len(desk.to(SAM))
    decision = desk.receive(mail(text, sender, **headers), SUPPORT, sender)
    assert decision.outcome is Outcome.NEW_TICKET
    return desk.to(SAM)[before]


def sam(desk: SmallDesk, alert: EmailMessage, text: str) -> Decision:
    return reply(desk, alert, text, SAM)


def last_to_sam(desk: SmallDesk) -> str:
    return " ".join(desk.to(SAM)[-1].get_body(("plain",)).get_content().split())  # type: ignore[union-attr]


def texts(desk: SmallDesk, ticket: Ticket) -> list[str]:
    with reading(desk.engine) as session:
        rows = select(Entry.text).where(Entry.ticket_id == ticket.id).order_by(Entry.id)
        return list(session.execute(rows).scalars())


def kinds(desk: SmallDesk, ticket: Ticket) -> list[str]:
    with reading(desk.engine) as session:
        rows = select(TicketEvent.kind).where(TicketEvent.ticket_id == ticket.id).order_by(TicketEvent.id)
        return list(session.execute(rows).scalars())


def tick(desk: SmallDesk) -> None:
    """What has come due for tickets that wait."""
    schedules = Schedules(lambda: desk.desk)
    handler = Waiting(schedules.now, SECRET).handle
    DeadlineWork(desk.engine, lambda: desk.desk, lambda: desk.now, {WAITED: handler}).work_off()
    desk.send()


VENDOR = {"vendor": Status(key="vendor", name="Waiting for vendor", state="on-hold")}


def test_a_status_of_the_house_is_a_name_beside_the_state_and_ends_with_it(engine: Engine) -> None:
    desk = life_desk(engine, statuses=VENDOR)
    alert = opened(desk)
    sam(desk, alert, "#status waiting for vendor")
    (ticket,) = desk.tickets()
    assert (ticket.status, ticket.custom_status) == ("on-hold", "vendor")
    sam(desk, alert, "#status in progress")
    (ticket,) = desk.tickets()
    assert (ticket.status, ticket.custom_status) == ("in-progress", None)
    assert sam(desk, alert, "#status vendro").outcome is Outcome.RETURNED
    assert "Waiting for vendor" in last_to_sam(desk)


GUARDED = {"before_closing": ("topic", "assignee", "solution")}


def test_what_is_not_known_stops_a_closing_and_the_mail_says_what_and_how(engine: Engine) -> None:
    topics = {"printing": HelpTopic(key="printing", name="Printing")}
    desk = life_desk(engine, support=GUARDED, topics=topics)
    alert = opened(desk)
    assert sam(desk, alert, "#close").outcome is Outcome.RETURNED
    told = last_to_sam(desk)
    assert "#topic NAME" in told
    assert "#take" in told
    assert "#close WHAT WAS DONE" in told
    assert [ticket.status for ticket in desk.tickets()] == ["open"]
    assert (
        sam(desk, alert, "#topic printing\n#take\n#close the fuse was blown").outcome is Outcome.AGENT_ACTED
    )
    (ticket,) = desk.tickets()
    assert (ticket.status, ticket.topic, ticket.assignee) == ("closed", "printing", "sam")


def test_an_answer_is_a_solution_until_the_customer_writes_again(engine: Engine) -> None:
    desk = life_desk(engine, support={"before_closing": ("solution",)})
    alert = opened(desk)
    sam(desk, alert, "Switch it off and on.")
    reply(desk, desk.to(ANN)[-1], "I did, and it smokes.", ANN)
    assert sam(desk, alert, "#resolve").outcome is Outcome.RETURNED
    sam(desk, alert, "#note He has a new one now.")
    assert sam(desk, alert, "#resolve").outcome is Outcome.AGENT_ACTED


FIELDS = {
    "severity": CustomField(
        key="severity", name="Severity", type="choice", choices=("minor", "major"), required=True
    ),
    "order": CustomField(key="order", name="Order number", type="number", pattern=r"(?i)order (\w+)"),
}


def test_a_custom_field_is_taken_from_the_subject_or_set_by_command_and_may_be_required(
    engine: Engine,
) -> None:
    desk = life_desk(engine, fields=FIELDS)
    alert = opened(desk, subject="Order 4711 is late")
    (ticket,) = desk.tickets()
    assert ticket.fields == {"order": 4711}
    assert "Order number 4711" in last_to_sam(desk)
    assert sam(desk, alert, "#close").outcome is Outcome.RETURNED
    assert "#field severity minor" in last_to_sam(desk)
    assert sam(desk, alert, "#field severity huge").outcome is Outcome.RETURNED
    assert "minor, major" in last_to_sam(desk)
    assert sam(desk, alert, "#field severity maj\n#field order 4712\n#close").outcome is Outcome.AGENT_ACTED
    (ticket,) = desk.tickets()
    assert (ticket.status, ticket.fields) == ("closed", {"order": 4712, "severity": "major"})
    opened(desk, subject="Order late")
    assert "Order number" not in last_to_sam(desk)


def resolved(desk: SmallDesk) -> EmailMessage:
    alert = opened(desk)
    sam(desk, alert, "#take\n#resolve\n\nIt is mended.")
    return alert


def test_a_mere_thanks_is_kept_told_and_reopens_nothing_and_one_word_undoes_it(engine: Engine) -> None:
    desk = life_desk(engine)
    alert = resolved(desk)
    decision = reply(desk, desk.to(ANN)[-1], "Thank you, Sam! It works now.\n\nAnn", ANN)
    (ticket,) = desk.tickets()
    assert ticket.status == "resolved"
    assert any("a mere thanks" in reason for reason in decision.reasons)
    assert texts(desk, ticket)[-1].startswith("Thank you, Sam!")
    told = last_to_sam(desk)
    assert 'A mere thanks: it says "thank you" and nothing else. The ticket stays resolved' in told
    sam(desk, alert, "#reopen")
    assert desk.tickets()[0].status == "open"


def test_a_thanks_with_a_but_reopens_for_the_agent_who_had_it(engine: Engine) -> None:
    desk = life_desk(engine)
    resolved(desk)
    reply(desk, desk.to(ANN)[-1], "Thanks, but it still fails.", ANN)
    (ticket,) = desk.tickets()
    assert (ticket.status, ticket.assignee) == ("open", "sam")


def test_a_department_may_take_back_what_comes_back(engine: Engine) -> None:
    desk = life_desk(engine, support={"on_reopen": "unassigned", "reopen_window": timedelta(days=2)})
    resolved(desk)
    reply(desk, desk.to(ANN)[-1], "It smokes again.", ANN)
    (ticket,) = desk.tickets()
    assert (ticket.status, ticket.assignee) == ("open", None)


def test_after_the_window_a_new_ticket_follows_and_its_alert_tells_of_the_old_one(engine: Engine) -> None:
    desk = life_desk(engine)
    resolved(desk)
    desk.now += timedelta(days=40)
    answer = desk.to(ANN)[-1]
    assert reply(desk, answer, "Thanks again!", ANN).outcome is Outcome.THREADED
    assert len(desk.tickets()) == 1
    reply(desk, answer, "It smokes again.", ANN)
    old, new = desk.tickets()
    assert new.predecessor_id == old.id
    told = last_to_sam(desk)
    assert f'It follows ticket {old.number}, "The printer is broken", which Sam Support had' in told
    assert "It is mended." in told


def test_a_merge_takes_entries_replies_and_participants_along_and_tells_the_customer_once(
    engine: Engine,
) -> None:
    desk = life_desk(engine)
    opened(desk, "First mail.")
    second = opened(desk, "Second mail.", subject="Printer again")
    one, two = desk.tickets()
    to_ann = desk.to(ANN)[-1]
    assert sam(desk, second, f"#merge {one.number}").outcome is Outcome.AGENT_ACTED
    one, two = desk.tickets()
    assert (two.status, two.merged_into_id) == ("merged", one.id)
    assert texts(desk, one) == ["First mail.", "Second mail."]
    reply(desk, to_ann, "More of the second.", ANN)
    assert texts(desk, one)[-1] == "More of the second."


def test_strangers_are_merged_only_anyway_and_nothing_of_either_reaches_the_other(engine: Engine) -> None:
    desk = life_desk(engine)
    opened(desk, "Anns secret.", subject="Salary of Ann")
    second = opened(desk, "Bobs secret.", BOB, subject="Illness of Bob")
    one, _ = desk.tickets()
    assert sam(desk, second, f"#merge {one.number}").outcome is Outcome.RETURNED
    told = last_to_sam(desk)
    assert f"{ANN}, {BOB} would get every answer" in told
    assert f"#merge {one.number} anyway" in told
    assert sam(desk, second, f"#merge {one.number} anyway").outcome is Outcome.AGENT_ACTED
    for address, others in ((ANN, (BOB, "Bobs secret", "Illness")), (BOB, (ANN, "Anns secret", "Salary"))):
        for sent in desk.to(address):
            assert not [word for word in others if word in sent.as_string()], (address, sent["Subject"])


@pytest.mark.parametrize("target", ["999999", "itself", "closed"])
def test_what_cannot_be_merged_comes_back_with_the_reason(engine: Engine, target: str) -> None:
    desk = life_desk(engine)
    first = opened(desk)
    second = opened(desk, subject="Again")
    one, two = desk.tickets()
    sam(desk, first, "#close")
    number = {"999999": "999999", "itself": two.number, "closed": one.number}[target]
    assert sam(desk, second, f"#merge {number}").outcome is Outcome.RETURNED
    assert desk.tickets()[1].status == "open"


def test_a_split_takes_one_message_into_a_ticket_of_its_own(engine: Engine) -> None:
    desk = life_desk(engine)
    alert = opened(desk)
    assert sam(desk, alert, "#split last").outcome is Outcome.RETURNED
    reply(desk, desk.to(ANN)[-1], "And the coffee is cold.", ANN)
    assert sam(desk, alert, "#split 999999 Coffee").outcome is Outcome.RETURNED
    assert sam(desk, alert, "#split last Cold coffee").outcome is Outcome.AGENT_ACTED
    old, new = desk.tickets()
    assert (texts(desk, old), texts(desk, new)) == (["Please help."], ["And the coffee is cold."])
    assert (new.subject, new.predecessor_id, new.requester_address) == ("Cold coffee", old.id, ANN)


def test_a_ticket_that_waits_for_another_goes_on_when_that_is_done(engine: Engine) -> None:
    desk = life_desk(engine)
    blocker = opened(desk, "The net is down.", BOB, subject="Net")
    waiting = opened(desk)
    one, two = desk.tickets()
    sam(desk, waiting, f"#take\n#block {one.number}")
    assert desk.tickets()[1].status == "on-hold"
    assert sam(desk, blocker, f"#block {two.number}").outcome is Outcome.RETURNED
    tick(desk)
    assert desk.tickets()[1].status == "on-hold"
    sam(desk, blocker, "#resolve")
    tick(desk)
    assert desk.tickets()[1].status == "in-progress"
    assert f"It waited for #{one.number}, which is done" in last_to_sam(desk)
    sam(desk, waiting, "#hold")
    sam(desk, blocker, "#reopen")
    sam(desk, blocker, "#resolve")
    tick(desk)
    assert desk.tickets()[1].status == "on-hold"
    with reading(engine) as session:
        assert session.execute(select(TicketLink.kind)).scalars().all() == ["related"]


def test_whoever_waits_for_a_merged_ticket_waits_for_what_it_became(engine: Engine) -> None:
    desk = life_desk(engine)
    first = opened(desk, "Net.", subject="Net")
    second = opened(desk, "Net again.", subject="Net again")
    waiting = opened(desk, "Printer.")
    one, two, _ = desk.tickets()
    sam(desk, waiting, f"#block {two.number}")
    sam(desk, second, f"#merge {one.number}")
    tick(desk)
    assert desk.tickets()[2].status == "on-hold"
    sam(desk, first, "#close")
    tick(desk)
    assert desk.tickets()[2].status == "in-progress"


def test_ending_the_link_ends_the_wait(engine: Engine) -> None:
    desk = life_desk(engine)
    opened(desk, "Net.", subject="Net")
    waiting = opened(desk)
    one, two = desk.tickets()
    sam(desk, waiting, f"#block {one.number}")
    assert sam(desk, waiting, f"#unlink {one.number}").outcome is Outcome.AGENT_ACTED
    tick(desk)
    assert desk.tickets()[1].status == "in-progress"
    with reading(engine) as session:
        assert deadlines.planned(session, two.id).get(WAITED) is None


def test_a_referral_lets_the_other_department_see_and_hear_and_answer(engine: Engine) -> None:
    desk = life_desk(engine, access="departments")
    alert = opened(desk)
    sam(desk, alert, "#take\n#refer information technology\n#note Is it the net?")
    (to_ida,) = desk.to(IDA)
    told = " ".join(to_ida.get_body(("plain",)).get_content().split())  # type: ignore[union-attr]
    assert "has referred this ticket of Support to Information Technology" in told
    assert reply(desk, to_ida, "It was the net.", IDA).outcome is Outcome.AGENT_ACTED
    assert "It was the net." in desk.to(ANN)[-1].as_string()
    reply(desk, desk.to(ANN)[-1], "It is back.", ANN)
    assert "It is back." in desk.to(IDA)[-1].as_string()
    assert desk.tickets()[0].department == "support"
    sam(desk, alert, "#unrefer it")
    assert reply(desk, to_ida, "Me again.", IDA).outcome is Outcome.RETURNED


@pytest.mark.parametrize("order", [(SUPPORT, IT), (IT, SUPPORT)])
@pytest.mark.parametrize("seen", ["to both", "one in bcc"])
def test_one_mail_to_two_departments_is_one_ticket_whichever_copy_comes_first(
    engine: Engine, order: tuple[str, str], seen: str
) -> None:
    desk = life_desk(engine)
    raw = mail("For both of you.", To=f"{SUPPORT}, {IT}" if seen == "to both" else SUPPORT)
    outcomes = [desk.receive(raw, address, ANN).outcome for address in order]
    (ticket,) = desk.tickets()
    assert outcomes[0] is Outcome.NEW_TICKET
    assert ticket.department == "support"
    with reading(engine) as session:
        assert session.execute(select(TicketReferral.department)).scalars().all() == ["it"]
    assert texts(desk, ticket) == ["For both of you."]
    assert (len(desk.to(SAM)), len(desk.to(IDA)), len(desk.to(ANN))) == (1, 1, 1)


def test_by_policy_two_departments_get_linked_tickets(engine: Engine) -> None:
    desk = life_desk(engine, two_departments="link")
    raw = mail("For both of you.", To=f"{SUPPORT}, {IT}")
    for address in (SUPPORT, IT):
        desk.receive(raw, address, ANN)
    one, two = desk.tickets()
    assert {one.department, two.department} == {"support", "it"}
    with reading(engine) as session:
        (link,) = session.execute(select(TicketLink)).scalars().all()
        assert (link.ticket_id, link.other_id, link.kind) == (one.id, two.id, "related")


def test_numbers_follow_the_pattern_and_old_ones_are_still_found(engine: Engine) -> None:
    desk = life_desk(engine)
    opened(desk)
    desk.desk = desk.desk.model_copy(update={"ticket_numbers": "ACME-{year}-######"})
    second = opened(desk, subject="Another")
    one, two = desk.tickets()
    assert two.number.startswith("ACME-2026-")
    assert len(two.number) == 16
    assert sam(desk, second, f"#link {one.number}").outcome is Outcome.AGENT_ACTED
    third = opened(desk, subject="A third")
    assert sam(desk, third, f"#link #{two.number.lower()}").outcome is Outcome.AGENT_ACTED
    assert sam(desk, third, f"#link {one.number}").outcome is Outcome.AGENT_ACTED
    plain = mail("By number only.", ANN, f"Re: Another [#{two.number}]")
    desk.receive(plain, SUPPORT, ANN)
    assert texts(desk, two)[-1] == "By number only."


def test_only_what_is_finished_is_archived_and_a_reply_then_opens_a_new_ticket(engine: Engine) -> None:
    desk = life_desk(engine)
    alert = opened(desk)
    assert sam(desk, alert, "#archive").outcome is Outcome.RETURNED
    sam(desk, alert, "#close")
    sam(desk, alert, "#archive")
    assert desk.tickets()[0].status == "archived"
    reply(desk, desk.to(ANN)[-1], "One more thing about it.", ANN)
    assert [ticket.status for ticket in desk.tickets()] == ["archived", "open"]


def test_a_merge_stands_alone_in_its_mail(engine: Engine) -> None:
    desk = life_desk(engine)
    opened(desk, "First mail.")
    second = opened(desk, "Second mail.", subject="Again")
    one, _ = desk.tickets()
    assert sam(desk, second, f"#merge {one.number}\n#resolve").outcome is Outcome.RETURNED
    assert [ticket.status for ticket in desk.tickets()] == ["open", "open"]
