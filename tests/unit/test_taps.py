"""domain/taps.py: what one tap asks for, for whom, and how long."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from mailticket.config.desk import Department, Desk
from mailticket.domain.requests import Tapped
from mailticket.domain.taps import Action, Spelled, action_of, code_of, expired, key_number, offered, spelled
from mailticket.domain.types import TicketFacts
from mailticket.mail.token import mint_action, reply_address
from tests.facts import a_ticket
from tests.store.small_desk import small_desk

TODAY = date(2026, 11, 21)
NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)
TICKET = a_ticket()


def desk_with(departments: int = 1) -> Desk:
    desk = small_desk()
    more = {
        f"d{index}": Department(
            key=f"d{index}", name=f"Department {index}", addresses=(f"d{index}@desk.example",)
        )
        for index in range(1, departments)
    }
    return desk.model_copy(update={"departments": desk.departments | more})


def tapped(action: int, argument: int = 0, *, party: str = "agent:sam", day: date = TODAY) -> Tapped:
    return Tapped(7, action, argument, 0, day, party)


@pytest.mark.parametrize(
    ("action", "text"),
    [
        (Action.TAKE, "#take"),
        (Action.RESOLVE, "#resolve"),
        (Action.WAIT, "#status waiting"),
        (Action.ACKNOWLEDGE, "#ack"),
        (Action.REOPEN, "#reopen"),
    ],
)
def test_a_tap_stands_for_a_command(action: Action, text: str) -> None:
    for reply in ("", "Just send this mail.", "  \n"):
        assert spelled(tapped(action), "agent:sam", reply, desk_with(), NOW) == Spelled(text)


def test_words_beside_a_tap_are_told_of_and_not_used() -> None:
    done = spelled(tapped(Action.TAKE), "agent:sam", "Just send this mail.\n\n#close", desk_with(), NOW)
    assert done == Spelled("#take", "#close")


@pytest.mark.parametrize(
    ("reply", "text"),
    [
        ("call her back", "#note\n\ncall her back"),
        ("#note\n\ncall her back", "#note\n\ncall her back"),
        ("#Note call her back", "#Note call her back"),
    ],
)
def test_the_text_of_a_tapped_note_stays_inside_even_without_the_command(reply: str, text: str) -> None:
    assert spelled(tapped(Action.NOTE), "agent:sam", reply, desk_with(), NOW) == Spelled(text)


def test_a_transfer_names_its_department() -> None:
    desk = desk_with(3)
    done = spelled(tapped(Action.TRANSFER, key_number("d2")), "agent:sam", "", desk, NOW)
    assert done == Spelled("#transfer d2")
    gone = spelled(tapped(Action.TRANSFER, key_number("d9")), "agent:sam", "", desk, NOW)
    assert isinstance(gone, str)


@pytest.mark.parametrize("action", [0, 20, 40])
def test_a_code_that_is_no_action_of_agents_does_nothing(action: int) -> None:
    assert isinstance(spelled(tapped(action), "agent:sam", "", desk_with(), NOW), str)


def test_a_link_made_for_a_colleague_does_nothing() -> None:
    told = spelled(tapped(Action.TAKE, party="agent:sue"), "agent:sam", "", desk_with(), NOW)
    assert isinstance(told, str)
    assert "somebody else" in told


def test_a_link_works_up_to_its_last_day() -> None:
    made = date(2026, 11, 1)
    last = datetime(2026, 12, 1, 23, 59, tzinfo=UTC)
    assert not expired(made, timedelta(days=30), last)
    assert expired(made, timedelta(days=30), last + timedelta(minutes=1))
    told = spelled(tapped(Action.TAKE, day=made), "agent:sam", "", desk_with(), last + timedelta(days=1))
    assert isinstance(told, str)
    assert "older than 30 days" in told


def names(ticket: TicketFacts, desk: Desk, **options: bool) -> list[str]:
    return [tap.name for tap in offered(ticket, "sam", desk, **options)]


def test_what_makes_sense_is_offered() -> None:
    desk = desk_with()
    assert names(TICKET, desk) == ["take", "resolve", "wait", "note"]
    assert names(replace(TICKET, assignee="sam"), desk) == ["resolve", "wait", "note"]
    assert names(replace(TICKET, status="resolved"), desk) == ["take", "reopen", "note"]
    assert names(TICKET, desk, alerting=True)[0] == "ack"


def test_up_to_six_departments_have_a_link_each() -> None:
    assert names(TICKET, desk_with(6)).count("transfer") == 5
    assert "transfer" not in names(TICKET, desk_with(7))


@pytest.mark.parametrize("argument", [0, 1, 2**24 - 1])
def test_a_code_holds_the_action_and_its_argument(argument: int) -> None:
    for action in Action:
        assert action_of(code_of(action, argument)) == (action, argument)


def test_every_offered_address_fits_into_a_local_part_of_a_large_desk() -> None:
    for tap in offered(replace(TICKET, id=2_000_000), "sam", desk_with(6), alerting=True):
        token = mint_action(b"s" * 32, 2_000_000, 0, "agent:sam", action=tap.code, offered=NOW.date())
        address = reply_address("support@desk.example", token)
        assert len(address.partition("@")[0]) <= 64


def test_no_subject_of_a_link_carries_the_tag_that_finds_a_ticket() -> None:
    """A mail whose token was lost on its way must not be taken for an answer to the customer."""
    desk = desk_with(3)
    for tap in offered(TICKET, "sam", desk, alerting=True):
        assert desk.subject_tag.format(number=TICKET.number) not in tap.subject
