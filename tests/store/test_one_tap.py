"""One-tap actions, really received and written: the link of an alert does one thing, for one person."""

from __future__ import annotations

import re
from datetime import timedelta
from email.message import EmailMessage
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from sqlalchemy import Engine, select

from mailticket.config.desk import Agent, Department
from mailticket.domain.change import Decision
from mailticket.domain.types import Outcome
from mailticket.store.engine import reading
from mailticket.store.models import Entry
from tests.scenario.simulated import written
from tests.store.small_desk import SAM, SUPPORT, SmallDesk, small_desk

SUE = "sue.private@agents.example"
ANN = "ann@customer.example"


@pytest.fixture
def desk(engine: Engine) -> SmallDesk:
    one = small_desk()
    support = one.departments["support"].model_copy(update={"members": ("sam", "sue")})
    billing = Department(key="billing", name="Billing", addresses=("billing@desk.example",), members=("sue",))
    sue = Agent(key="sue", name="Sue Support", addresses=(SUE,))
    changed = {
        "departments": {"support": support, "billing": billing},
        "agents": one.agents | {"sue": sue},
    }
    made = SmallDesk(engine, one.model_copy(update=changed))
    made.receive(written("Printer", "It is on fire.", sender=ANN, to=SUPPORT), sender=ANN)
    return made


def links(mail: EmailMessage) -> dict[str, str]:
    """The links of a mail by their words; text and HTML have the same addresses."""
    text = mail.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    html = mail.get_body(("html",)).get_content()  # type: ignore[union-attr]
    found = re.findall(r"^([^:\n]+):\s*^  (mailto:\S+)\r?$", text, re.MULTILINE)
    linked = re.findall(r'href="(mailto:[^"]+)"[^>]*>([^<]+)<', html)
    assert [(label, urlsplit(link).path) for label, link in found] == [
        (label, urlsplit(link).path) for link, label in linked
    ]
    return {label: link.replace("&amp;", "&") for link, label in linked}


def tap(desk: SmallDesk, link: str, sender: str = SAM, text: str | None = None, **headers: str) -> Decision:
    """Send the mail that a link opens, as a client does."""
    parts = urlsplit(link)
    fields = {name: values[0] for name, values in parse_qs(parts.query).items()}
    address = unquote(parts.path)
    body = fields.get("body", "") if text is None else text
    stamp = f"{desk.now.timestamp():.0f}.{sender}"
    raw = written(fields["subject"], body, sender=sender, to=address, message_id=stamp, **headers)
    return desk.receive(raw, address, sender)


def offered(desk: SmallDesk, reader: str = SAM) -> dict[str, str]:
    return links(desk.to(reader)[-1])


@pytest.mark.parametrize(
    ("label", "field", "value"),
    [
        ("Take it", "assignee", "sam"),
        ("Mark as solved", "status", "resolved"),
        ("Wait for the customer", "status", "waiting"),
        ("Give it to Billing", "department", "billing"),
    ],
)
@pytest.mark.parametrize("text", [None, ""])
def test_a_link_in_an_alert_does_what_it_says(
    desk: SmallDesk, label: str, field: str, value: str, text: str | None
) -> None:
    assert tap(desk, offered(desk)[label], text=text).outcome is Outcome.AGENT_ACTED
    (ticket,) = desk.tickets()
    assert getattr(ticket, field) == value
    assert [mail for mail in desk.to(ANN) if mail["Auto-Submitted"] is None] == []
    with reading(desk.engine) as session:
        assert len(session.execute(select(Entry)).scalars().all()) == 1, "the words of the mail are no entry"


def test_the_note_link_opens_a_mail_whose_text_stays_inside(desk: SmallDesk) -> None:
    before = len(desk.to(ANN))
    assert tap(desk, offered(desk)["Write a note"], text="She was rude on the phone.").outcome is (
        Outcome.AGENT_ACTED
    )
    with reading(desk.engine) as session:
        note = session.execute(select(Entry).where(Entry.kind == "note")).scalar_one()
    assert (note.text, note.audience) == ("She was rude on the phone.", "internal")
    assert len(desk.to(ANN)) == before


def test_a_note_without_words_is_sent_back(desk: SmallDesk) -> None:
    assert tap(desk, offered(desk)["Write a note"]).outcome is Outcome.RETURNED


@pytest.mark.parametrize("sender", [SUE, ANN, "eve@evil.example"])
def test_a_link_does_nothing_for_anybody_else(desk: SmallDesk, sender: str) -> None:
    link = offered(desk)["Take it"]
    before = len(desk.to(ANN))
    tap(desk, link, sender=sender)
    assert desk.tickets()[0].assignee is None
    replies = [mail for mail in desk.to(ANN)[before:] if mail["Auto-Submitted"] is None]
    assert replies == [], "and its words are no answer to the customer"


def test_an_automatic_mail_never_does_what_a_link_says(desk: SmallDesk) -> None:
    decision = tap(desk, offered(desk)["Take it"], Auto_Submitted="auto-replied")
    assert decision.outcome is Outcome.IGNORED
    assert desk.tickets()[0].assignee is None


def test_an_old_link_is_answered_and_does_nothing(desk: SmallDesk) -> None:
    link = offered(desk)["Take it"]
    desk.now += timedelta(days=32)
    assert tap(desk, link).outcome is Outcome.RETURNED
    assert desk.tickets()[0].assignee is None
    assert "older than 30 days" in desk.to(SAM)[-1].get_body(("plain",)).get_content()  # type: ignore[union-attr]


def test_a_link_whose_address_was_changed_on_its_way_does_nothing(desk: SmallDesk) -> None:
    link = offered(desk)["Mark as solved"]
    name, plus, rest = link.partition("+")
    tap(desk, name + plus + ("a" if rest[20] != "a" else "b").join([rest[:20], rest[21:]]))
    assert desk.tickets()[0].status == "open"


def test_customers_are_offered_nothing_that_agents_are(desk: SmallDesk) -> None:
    for mail in desk.to(ANN):
        assert not set(links(mail)) & set(offered(desk))
