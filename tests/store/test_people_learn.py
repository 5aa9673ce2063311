"""What is remembered of a person, on both databases."""

from __future__ import annotations

from sqlalchemy import Engine, select, update

from mailticket.store.engine import reading, transaction
from mailticket.store.models import Person
from tests.scenario.simulated import written
from tests.store.small_desk import SUPPORT, SmallDesk
from tests.unit.test_language import LONG

ANN = "ann@customer.example"


def mail(text: str, **headers: str) -> bytes:
    return written("Portal", text, to=SUPPORT, **headers)


def known(engine: Engine) -> list[tuple[str | None, str | None, int | None]]:
    with reading(engine) as session:
        rows = session.execute(select(Person.language, Person.language_from, Person.utc_offset))
        return [(row.language, row.language_from, row.utc_offset) for row in rows]


def test_a_customers_language_and_clock_are_learnt_and_kept(engine: Engine) -> None:
    desk = SmallDesk(engine)
    decision = desk.receive(mail(LONG["de"], Date="Sat, 21 Nov 2026 19:00:00 +0900"), sender=ANN)
    assert "the sender's language is de: the text is plainly de" in decision.reasons
    assert known(engine) == [("de", "text", 540)]
    desk.receive(mail("ok?"), sender=ANN)
    assert known(engine) == [("de", "text", 540)]
    desk.receive(mail("Danke!", Content_Language="de-AT"), sender=ANN)
    assert known(engine) == [("de-AT", "header", 540)]


def test_what_somebody_chose_is_not_unlearnt(engine: Engine) -> None:
    desk = SmallDesk(engine)
    desk.receive(mail("ok?"), sender=ANN)
    with transaction(engine) as session:
        session.execute(update(Person).values(language="fr", language_from="choice"))
    desk.receive(mail(LONG["de"], Content_Language="de"), sender=ANN)
    assert known(engine) == [("fr", "choice", None)]


def test_the_marker_line_is_in_the_language_of_the_person(engine: Engine) -> None:
    desk = SmallDesk(engine)
    desk.receive(mail(LONG["de"]), sender=ANN)
    (acknowledgement,) = desk.to(ANN)
    body = acknowledgement.get_body(("plain",))
    assert body is not None
    assert body.get_content().startswith("-- Bitte oberhalb dieser Zeile antworten --")


def test_a_robot_teaches_nothing(engine: Engine) -> None:
    SmallDesk(engine).receive(mail(LONG["de"], Auto_Submitted="auto-generated"), sender=ANN)
    assert known(engine) in ([], [(None, None, None)])
