"""Which ticket a mail finds where pointers disagree, are unknown, or are missing: with the real store."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from mailticket.domain.change import AddEntry, AddParticipant, OpenTicket
from mailticket.domain.types import EntryKind, Outcome
from tests.scenario.daemon import answer, new_mail
from tests.store.small_desk import SAM, SmallDesk, small_desk

ANN, BOB = "ann@customer.example", "bob@customer.example"


def mail(subject: str, serial: str, *, sender: str = ANN, body: str = "Words.", **headers: str) -> bytes:
    return new_mail(subject, body, sender=sender, message_id=f"{serial}@customer.example", **headers)


def two_tickets(engine: Engine, **options: Any) -> tuple[SmallDesk, str, str]:
    """Ann's two tickets, and their numbers."""
    desk = SmallDesk(engine, small_desk(**options))
    desk.receive(mail("Printer on fire", "m1"), sender=ANN)
    desk.receive(mail("Door is stuck", "m2"), sender=ANN)
    first, second = desk.tickets()
    return desk, first.number, second.number


def reply_address_of(desk: SmallDesk, position: int) -> str:
    return str(desk.to(ANN)[position]["Reply-To"].addresses[0].addr_spec)


def test_what_a_mail_answers_and_its_subject_outweigh_the_address_an_address_book_filled_in(
    engine: Engine,
) -> None:
    desk, first, second = two_tickets(engine)
    to_second = desk.to(ANN)[1]
    raw = mail(
        f"Re: Door is stuck [#{second}]", "m3", In_Reply_To=str(to_second["Message-ID"])
    )  # fmt: skip
    decision = desk.receive(raw, reply_address_of(desk, 0), ANN)
    assert decision.ticket == desk.tickets()[1].id
    entry = decision.changes[0]
    assert isinstance(entry, AddEntry)
    assert entry.conflict == (first,)
    assert f"#move {first}" in entry.why
    assert f"#move {first}" in desk.to(SAM)[-1].as_string()


def test_a_token_in_the_address_outweighs_a_number_in_the_subject(engine: Engine) -> None:
    desk, _, second = two_tickets(engine)
    decision = desk.receive(mail(f"Re: [#{second}]", "m3"), reply_address_of(desk, 0), ANN)
    assert decision.ticket == desk.tickets()[0].id
    assert any(f"#{second} (40 points)" in reason for reason in decision.reasons)


def test_no_conflict_is_flagged_with_a_ticket_that_is_closed(engine: Engine) -> None:
    desk, _, second = two_tickets(engine)
    alert = desk.to(SAM)[1]
    desk.receive(answer(alert, "#close", sender=SAM), str(alert["Reply-To"].addresses[0].addr_spec), SAM)
    assert desk.tickets()[1].status == "closed"
    decision = desk.receive(mail(f"Re: [#{second}]", "m3"), reply_address_of(desk, 0), ANN)
    entry = decision.changes[0]
    assert isinstance(entry, AddEntry)
    assert entry.conflict == ()


def test_two_mails_of_one_conversation_that_began_elsewhere_meet(engine: Engine) -> None:
    desk = SmallDesk(engine)
    desk.receive(mail("Re: Our plan", "m1", References="<plan@partner.example>"), sender=ANN)
    again = desk.receive(mail("Fresh words", "m2", In_Reply_To="<plan@partner.example>"), sender=ANN)
    assert again.outcome is Outcome.THREADED
    stranger = desk.receive(
        mail("Re: Our plan", "m3", sender=BOB, References="<plan@partner.example>"), sender=BOB
    )
    opening = stranger.changes[0]
    assert isinstance(opening, OpenTicket)
    assert opening.held
    assert opening.suspected == desk.tickets()[0].id


def test_a_reply_without_any_pointer_finds_its_ticket_by_person_and_subject(engine: Engine) -> None:
    desk = SmallDesk(engine)
    desk.receive(mail("Printer on fire", "m1"), sender=ANN)
    decision = desk.receive(mail("SV: printer  on FIRE", "m2"), sender=ANN)
    assert (decision.outcome, decision.ticket) == (Outcome.THREADED, desk.tickets()[0].id)


@pytest.mark.parametrize(
    ("subject", "sender"),
    [("Printer on fire", ANN), ("Re: Printer on fire", BOB), ("Re: Printer", ANN), ("Re:", ANN)],
    ids=["no reply", "somebody else", "another subject", "no subject"],
)
def test_person_and_subject_count_only_together_and_in_a_reply(
    engine: Engine, subject: str, sender: str
) -> None:
    desk = SmallDesk(engine)
    desk.receive(mail("Printer on fire", "m1"), sender=ANN)
    decision = desk.receive(mail(subject, "m2", sender=sender), sender=sender)
    opening = decision.changes[0]
    assert isinstance(opening, OpenTicket)
    assert opening.suspected is None


def test_a_subject_that_two_tickets_have_names_neither(engine: Engine) -> None:
    desk = SmallDesk(engine)
    desk.receive(mail("Printer on fire", "m1"), sender=ANN)
    desk.receive(mail("Printer on fire", "m2"), sender=ANN)
    assert desk.receive(mail("Re: Printer on fire", "m3"), sender=ANN).outcome is Outcome.NEW_TICKET


def test_a_subject_counts_within_its_window_only(engine: Engine) -> None:
    desk = SmallDesk(engine)
    desk.receive(mail("Printer on fire", "m1"), sender=ANN)
    desk.now += timedelta(days=15)
    assert desk.receive(mail("Re: Printer on fire", "m2"), sender=ANN).outcome is Outcome.NEW_TICKET


def test_a_window_of_nothing_turns_subjects_off(engine: Engine) -> None:
    desk = SmallDesk(engine, small_desk(subject_window=timedelta(0)))
    desk.receive(mail("Printer on fire", "m1"), sender=ANN)
    assert desk.receive(mail("Re: Printer on fire", "m2"), sender=ANN).outcome is Outcome.NEW_TICKET


@pytest.mark.parametrize(
    ("policy", "joined"), [("nobody", False), ("agents", False), ("requester", True)], ids=str
)
def test_a_requesters_cc_counts_only_by_policy_and_with_proof(
    engine: Engine, policy: str, joined: bool
) -> None:
    desk, first, _ = two_tickets(engine, cc_adds=policy)
    forged = desk.receive(mail(f"Re: [#{first}]", "m3", Cc="mallory@evil.example"), sender=ANN)
    assert [type(change).__name__ for change in forged.changes] == ["AddEntry"]
    proven = desk.receive(mail("Re: x", "m4", Cc=f"{BOB}, {SAM}"), reply_address_of(desk, 0), ANN)
    added = [change.address for change in proven.changes if isinstance(change, AddParticipant)]
    assert added == ([BOB] if joined else [])


def test_mails_to_a_merged_ticket_land_in_the_one_it_lives_on_in(engine: Engine) -> None:
    desk, first, second = two_tickets(engine)
    alert = desk.to(SAM)[0]
    to_sam = str(alert["Reply-To"].addresses[0].addr_spec)
    desk.receive(answer(alert, f"#move {second}", sender=SAM), to_sam, SAM)
    merged, target = desk.tickets()
    assert (merged.status, merged.merged_into_id) == ("merged", target.id)
    by_token = desk.receive(mail("x", "m3"), reply_address_of(desk, 0), ANN)
    by_number = desk.receive(mail(f"Re: [#{first}]", "m4"), sender=ANN)
    by_reference = desk.receive(mail("y", "m5", In_Reply_To="<m1@customer.example>"), sender=ANN)
    assert {by_token.ticket, by_number.ticket, by_reference.ticket} == {target.id}
    note = answer(alert, "#note\nSeen.", sender=SAM, message_id="s9@agents.example")
    entry = desk.receive(note, to_sam, SAM).changes[0]
    assert isinstance(entry, AddEntry)
    assert (entry.kind, entry.ticket) == (EntryKind.NOTE, target.id)
