"""Customers close, reopen, rate and ask where things stand, by one word or one tap."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from email.message import EmailMessage
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from markupsafe import escape
from sqlalchemy import Engine, select

from mailticket.delivery.context import context_of
from mailticket.delivery.render import Renderer
from mailticket.delivery.sample_parts import TAPS
from mailticket.delivery.samples import SAMPLES
from mailticket.domain.change import Decision
from mailticket.domain.customer_taps import customer_taps
from mailticket.domain.notice import Notice
from mailticket.domain.types import Audience
from mailticket.store.engine import reading, transaction
from mailticket.store.models import Entry, Rating, Ticket
from mailticket.store.ratings import averages
from mailticket.store.ticket_facts import ticket_facts
from mailticket.work.announce import announce
from tests.scenario.daemon import new_mail, text_of
from tests.store.small_desk import SAM, SECRET, SmallDesk, small_desk
from tests.store.test_outgoing_threads import reply
from tests.unit.test_conditions import TICKET

ANN, BOB = "ann@customer.example", "bob@customer.example"


def opened(engine: Engine, *, ended: bool = False) -> SmallDesk:
    """Ann's ticket, answered; or answered and closed."""
    desk = SmallDesk(engine)
    desk.receive(new_mail("Printer", "Please help.", sender=f"Ann Customer <{ANN}>"), sender=ANN)
    reply(desk, desk.to(SAM)[-1], "#close\nIt is done." if ended else "We look into it.", SAM, "s1")
    return desk


def says(desk: SmallDesk, words: str, serial: str = "a1", sender: str = ANN) -> None:
    """Ann answers the newest mail she has, quoting it, as mail programs do."""
    reply(desk, desk.to(ANN)[-1], words, sender, serial)


def links(mail: EmailMessage) -> dict[str, tuple[str, str, str]]:
    """(address, subject, body) of every mailto: link of a mail, by its label's first words."""
    found: dict[str, tuple[str, str, str]] = {}
    for label, link in re.findall(r"^(.+):\s+(mailto:\S+)", text_of(mail), re.MULTILINE):
        split = urlsplit(link)
        asked = parse_qs(split.query)
        found[label] = (unquote(split.path), asked["subject"][0], asked.get("body", [""])[0])
    return found


def taps(desk: SmallDesk, mail: EmailMessage, number: int, beside: str = "", sender: str = ANN) -> Decision:
    """Send what a link opens, with a signature and words of one's own."""
    address, subject, body = list(links(mail).values())[number]
    raw = new_mail(
        subject, f"{body}\n{beside}", sender=f"Ann Customer <{sender}>", to=address,
        message_id=f"tap{number}{len(beside)}@customer.example",
    )  # fmt: skip
    return desk.receive(raw, address, sender)


def status_of(desk: SmallDesk) -> str:
    (ticket,) = desk.tickets()
    return ticket.status


@pytest.mark.parametrize("word", ["close", "Close.\n\nThanks\nAnn", "schließen", "完了", "solved"])
def test_one_word_closes_the_ticket(engine: Engine, word: str) -> None:
    desk = opened(engine)
    says(desk, word)
    assert status_of(desk) == "closed"


@pytest.mark.parametrize("word", ["close", "solved", "gelöst", "fechar\n\nAnn Customer"])
def test_one_word_never_reopens_a_closed_ticket(engine: Engine, word: str) -> None:
    desk = opened(engine, ended=True)
    says(desk, word)
    assert status_of(desk) == "closed"


@pytest.mark.parametrize("word", ["close it only when the other one works", "still broken", "reopen"])
def test_a_sentence_and_an_objection_are_read_by_a_person(engine: Engine, word: str) -> None:
    desk = opened(engine, ended=True)
    before = len(desk.to(SAM))
    says(desk, word)
    assert status_of(desk) == "open"
    assert len(desk.to(SAM)) == before + 1
    assert word in text_of(desk.to(SAM)[-1])


def test_nobody_closes_somebody_elses_ticket(engine: Engine) -> None:
    desk = opened(engine)
    number = desk.tickets()[0].number
    desk.receive(
        new_mail(f"Re: Printer [#{number}]", "close", sender=BOB, message_id="b@x.example"), sender=BOB
    )
    assert desk.tickets()[0].status == "in-progress"


def test_solved_by_one_tap_keeps_the_ticket_closed_and_the_words(engine: Engine) -> None:
    desk = opened(engine, ended=True)
    taps(desk, desk.to(ANN)[-1], 0)
    assert status_of(desk) == "closed"
    taps(desk, desk.to(ANN)[-1], 0, "You were quick!\n-- \nAnn Customer\nACME")
    assert status_of(desk) == "closed"
    with reading(desk.engine) as session:
        texts = list(session.execute(select(Entry.text).order_by(Entry.id)).scalars())
    assert "You were quick!" in texts[-1]


def test_still_broken_by_one_tap_reopens(engine: Engine) -> None:
    desk = opened(engine, ended=True)
    taps(desk, desk.to(ANN)[-1], 1)
    assert status_of(desk) == "open"
    assert "still not solved" in text_of(desk.to(SAM)[-1])


def test_a_link_does_nothing_for_anybody_else(engine: Engine) -> None:
    desk = opened(engine)
    taps(desk, desk.to(ANN)[-1], 0, sender=BOB)
    assert desk.tickets()[0].status == "in-progress"


def test_too_late_a_tap_does_nothing_and_opens_nothing(engine: Engine) -> None:
    desk = opened(engine, ended=True)
    desk.now = desk.now.replace(year=2027)
    taps(desk, desk.to(ANN)[-1], 1)
    assert status_of(desk) == "closed"


def test_an_automatic_answer_to_a_link_does_nothing(engine: Engine) -> None:
    desk = opened(engine)
    address, subject, body = next(iter(links(desk.to(ANN)[-1]).values()))
    raw = new_mail(
        subject, body, sender=ANN, to=address, message_id="o@x.example", Auto_Submitted="auto-replied"
    )
    desk.receive(raw, address, ANN)
    assert status_of(desk) == "in-progress"


def test_status_lists_the_senders_own_tickets_to_them_alone(engine: Engine) -> None:
    desk = opened(engine)
    desk.receive(new_mail("Secret of Bob", "x", sender=BOB, message_id="b1@x.example"), sender=BOB)
    desk.receive(new_mail("Scanner", "y", sender=ANN, message_id="a2@x.example"), sender=ANN)
    for serial, subject, body in (("q1", "hello", "status"), ("q2", "Status", "")):
        raw = new_mail(subject, body, sender=f"Ann <{ANN}>", message_id=f"{serial}@x.example")
        desk.receive(raw, sender=ANN)
        mail = desk.to(ANN)[-1]
        words = " ".join(text_of(mail).split())
        assert "Printer" in words
        assert "Scanner" in words
        assert "Secret of Bob" not in words
        assert mail["Auto-Submitted"] == "auto-replied"
    assert len(desk.tickets()) == 3
    assert len(desk.to(BOB)) == 1  # the acknowledgement


def test_status_of_somebody_unknown_is_a_mail_like_any_other(engine: Engine) -> None:
    desk = SmallDesk(engine)
    desk.receive(new_mail("Status", "status", sender=ANN), sender=ANN)
    assert len(desk.tickets()) == 1


def rating(desk: SmallDesk) -> list[tuple[str, int, str]]:
    with reading(desk.engine) as session:
        rows = session.execute(select(Rating.address, Rating.score, Rating.comment)).all()
        return [(address, score, comment) for address, score, comment in rows]


def test_a_bare_number_is_a_rating_only_where_it_was_asked_for(engine: Engine) -> None:
    desk = opened(engine)
    says(desk, "3")
    assert rating(desk) == []
    assert "3" in text_of(desk.to(SAM)[-1])


def asked_for_a_rating(engine: Engine) -> SmallDesk:
    """Ann's closed ticket, and the mail that asks how it was."""
    desk = opened(engine, ended=True)
    with transaction(engine) as session:
        ticket = ticket_facts(session, session.execute(select(Ticket)).scalar_one())
        notice = Notice(
            "ticket.satisfaction", Audience.CUSTOMER, ANN, "Ann", ANN, ticket.id, None, "auto-generated",
            "ask", "asks",
        )  # fmt: skip
        announce(session, [notice], ticket, desk.desk, SECRET, desk.now)
    desk.send()
    return desk


def test_a_rating_by_one_tap_is_kept_and_a_later_one_replaces_it(engine: Engine) -> None:
    desk = asked_for_a_rating(engine)
    question = desk.to(ANN)[-1]
    alerts = len(desk.to(SAM))
    taps(desk, question, 0)
    assert rating(desk) == [(ANN, 5, "")]
    assert len(desk.to(SAM)) == alerts
    taps(desk, question, 3, "It took three weeks.")
    assert rating(desk) == [(ANN, 2, "It took three weeks.")]
    with reading(desk.engine) as session:
        assert averages(session, desk.now - timedelta(days=1), desk.now + timedelta(seconds=1)) == [
            ("support", "sam", 1, 2.0)
        ]
    assert "It took three weeks." in text_of(desk.to(SAM)[-1])
    assert "rates it 2 of 5" in text_of(desk.to(SAM)[-1])
    assert status_of(desk) == "closed"


def test_a_number_on_the_first_line_rates_where_it_was_asked_for(engine: Engine) -> None:
    desk = asked_for_a_rating(engine)
    says(desk, "4\n\nFriendly people.", "a4")
    assert rating(desk) == [(ANN, 4, "Friendly people.")]
    assert status_of(desk) == "closed"


@pytest.mark.parametrize("word", ["close", "solved"])
def test_a_forged_name_and_a_guessed_number_close_nothing_unheard(engine: Engine, word: str) -> None:
    desk = opened(engine)
    before = status_of(desk)
    number, alerts = desk.tickets()[0].number, len(desk.to(SAM))
    desk.receive(new_mail(f"Re: [#{number}]", word, sender=ANN, message_id="f1@evil.example"), sender=ANN)
    assert status_of(desk) in (before, "open")
    assert word in text_of(desk.to(SAM)[alerts]), "it is a message that somebody reads"


def test_an_empty_reply_reopens_nothing_and_rates_nothing_and_an_agent_looks(engine: Engine) -> None:
    desk = asked_for_a_rating(engine)
    alerts = len(desk.to(SAM))
    says(desk, "", "e1")
    assert (status_of(desk), rating(desk)) == ("closed", [])
    assert len(desk.to(SAM)) == alerts + 1
    assert "An empty reply" in " ".join(text_of(desk.to(SAM)[-1]).split())


def test_an_out_of_office_to_any_mail_reopens_nothing_and_rates_nothing(engine: Engine) -> None:
    desk = asked_for_a_rating(engine)
    for number, mail in enumerate(list(desk.to(ANN))):
        for address in [mail["Reply-To"].addresses[0].addr_spec, *(one[0] for one in links(mail).values())]:
            raw = new_mail(
                f"Automatic reply: {mail['Subject']}", "5\n\nreopen", sender=ANN, to=address,
                message_id=f"ooo{number}{hash(address)}@x.example", Auto_Submitted="auto-replied",
                In_Reply_To=mail["Message-ID"],
            )  # fmt: skip
            desk.receive(raw, address, ANN)
    assert (status_of(desk), rating(desk), len(desk.tickets())) == ("closed", [], 1)


OPEN, SOLVED, CLOSED = "open", "resolved", "closed"
OFFERED = {
    ("ticket.autoresp", OPEN): {"close", "status"},
    ("message.autoresp", OPEN): {"close", "status"},
    ("ticket.autoreply", OPEN): {"close", "status"},
    ("ticket.notice", OPEN): {"close", "status"},
    ("ticket.held", OPEN): {"close", "status"},
    ("ticket.merged", OPEN): {"close", "status"},
    ("ticket.merged", CLOSED): {"reopen", "status"},
    ("ticket.reopened", OPEN): {"close", "status"},
    ("ticket.activity.notice", OPEN): {"close", "status"},
    ("ticket.reply", OPEN): {"close", "status"},
    ("ticket.reply", SOLVED): {"solved", "broken", "status"},
    ("ticket.resolved", SOLVED): {"solved", "broken", "status"},
    ("ticket.autoresolved", SOLVED): {"solved", "broken", "status"},
    ("ticket.closed", CLOSED): {"reopen", "status"},
    ("ticket.autoclosed", CLOSED): {"reopen", "status"},
    ("ticket.nudge", "waiting"): {"close", "status"},
    ("ticket.update", OPEN): {"close", "status"},
    ("ticket.satisfaction", CLOSED): {"rate"},
    ("ticket.overlimit", OPEN): set(),
    ("held.ask", OPEN): set(),
    ("ticket.merged", "archived"): {"status"},
}


@pytest.mark.parametrize(("template", "status"), OFFERED)
def test_a_mail_offers_what_makes_sense_of_its_ticket(template: str, status: str) -> None:
    for language in ("en", "de", "fr", "es", "pt", "ja", "tlh"):
        taps = customer_taps(template, replace(TICKET, status=status), language)
        assert {tap.name for tap in taps} == OFFERED[template, status]
        assert all(tap.label and tap.body for tap in taps)


def test_every_mail_about_a_ticket_shows_its_links_in_text_and_html_in_every_language() -> None:
    renderer = Renderer()
    about_a_ticket = {template for (template, _), offered in OFFERED.items() if offered}
    for template in about_a_ticket:
        sample = replace(SAMPLES[template](), actions=TAPS)
        for language in ("en", "de", "fr", "es", "pt", "ja"):
            rendered = renderer.render(template, language, context_of(sample))
            for tap in TAPS:
                assert f"{tap.label}:\n  {tap.short}" in rendered.text, (template, language)
                assert f'href="{escape(tap.link)}"' in (rendered.html or ""), (template, language)


def test_the_acknowledgement_closes_its_ticket_by_one_tap(engine: Engine) -> None:
    desk = SmallDesk(engine)
    desk.receive(new_mail("Printer", "Please help.", sender=f"Ann Customer <{ANN}>"), sender=ANN)
    taps(desk, desk.to(ANN)[-1], 0)
    assert status_of(desk) == "closed"


def test_a_closed_ticket_is_opened_again_by_one_tap(engine: Engine) -> None:
    desk = SmallDesk(engine, small_desk(mails={"ticket.closed": True}))
    desk.receive(new_mail("Printer", "Please help.", sender=f"Ann Customer <{ANN}>"), sender=ANN)
    reply(desk, desk.to(SAM)[-1], "#close", SAM, "s1")
    assert status_of(desk) == "closed"
    taps(desk, desk.to(ANN)[-1], 0)
    assert status_of(desk) == "open"


@pytest.mark.parametrize("requester", [True, False])
def test_a_link_made_for_a_ticket_that_was_merged_ends_nobody_elses(engine: Engine, requester: bool) -> None:
    desk = SmallDesk(engine)
    desk.receive(new_mail("Printer", "Please help.", sender=f"Ann Customer <{ANN}>"), sender=ANN)
    second = ANN if requester else BOB
    mail = new_mail("Printing", "Me too.", sender=f"Ann Customer <{second}>", message_id="b@customer.example")
    desk.receive(mail, sender=second)
    number = desk.tickets()[0].number
    reply(desk, desk.to(SAM)[-1], f"#merge {number} anyway", SAM, "m1")
    assert desk.tickets()[1].status == "merged"
    offer = next(one for one in reversed(desk.to(second)) if "Printing" in one["Subject"])
    before = len(desk.to(SAM))
    taps(desk, offer, 0, sender=second)
    assert desk.tickets()[0].status == ("closed" if requester else "open")
    if not requester:
        assert "Close it, it has been settled" in text_of(desk.to(SAM)[before])
