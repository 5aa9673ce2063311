"""A person is erased: nothing anywhere names them or holds their words, and the log still proves itself."""

from __future__ import annotations

import base64
import json
import mailbox
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest
from sqlalchemy import Engine, select, text, update
from sqlalchemy.orm import Session

from mailticket.config.desk import Agent, Department, Desk, Priority
from mailticket.domain.eventchain import seal_key
from mailticket.errors import Permanent
from mailticket.store import blobs
from mailticket.store.engine import reading, transaction
from mailticket.store.erasure import erase, scrub
from mailticket.store.models import Entry, Outbox, Participant, Person, Ticket
from mailticket.store.person_export import export_person
from mailticket.store.persons import find_person, list_persons, merge_persons, person_row, tickets_of
from mailticket.store.proof import prove
from mailticket.store.seals import make_seal
from mailticket.work.replay import count_mails
from tests.scenario.daemon import answer
from tests.store.small_desk import SECRET, SUPPORT, SmallDesk

KIM, NAME = "kim.zappel@customer.example", "Kim Zappelmann"
LEE = "lee@other.example"
SAM = "sam@agents.example"
SECRETS = (
    KIM, "kim.zappel", NAME, "Zappelmann", "My pension number is 4711-0815", "Pension of mine", "FILE-OF-KIM",
    "we looked at your pension", "she sounded upset",
)  # fmt: skip
KEY = seal_key(SECRET)


def mail(sender: str, subject: str, body: str, serial: str, *, file: str = "", cc: str = "") -> bytes:
    one = EmailMessage()
    one["From"], one["To"], one["Subject"] = sender, SUPPORT, subject
    one["Message-ID"] = f"<{serial}.{sender.rpartition('<')[2].rstrip('>')}>"
    if cc:
        one["Cc"] = cc
    one.set_content(body)
    if file:
        one.add_attachment(file.encode(), maintype="application", subtype="octet-stream", filename="kim.bin")
    return one.as_bytes()


@pytest.fixture
def desk(engine: Engine) -> SmallDesk:
    """Kim's ticket with an answer, a note and a reply; one of Lee's that Kim takes part in; Lee's own."""
    support = Department(key="support", name="Support", addresses=(SUPPORT,), members=("sam",))
    made = SmallDesk(
        engine,
        Desk(
            name="Bank", instance="test", default_department="support", departments={"support": support},
            agents={"sam": Agent(key="sam", name="Sam", addresses=(SAM,))},
            priorities={"normal": Priority(key="normal", name="Normal", urgency=3)},
            undo_hold=timedelta(0), receipts="errors",
        ),
    )  # fmt: skip
    who = f"{NAME} <{KIM}>"
    made.receive(
        mail(
            who, "Pension of mine", "My pension number is 4711-0815, please look.", "m1", file="FILE-OF-KIM"
        ),
        sender=KIM,
    )
    alert = made.to(SAM)[-1]
    where = str(alert["Reply-To"].addresses[0].addr_spec)
    for serial, words in enumerate(
        ("Dear Ms Zappelmann, we looked at your pension.", "#note she sounded upset")
    ):
        made.receive(answer(alert, words, sender=SAM, message_id=f"a{serial}@agents.example"), where, SAM)
    told = made.to(KIM)[-1]
    made.receive(
        answer(told, "Thank you, my pension number is 4711-0815!", sender=who, message_id=f"r1.{KIM}"),
        str(told["Reply-To"].addresses[0].addr_spec), KIM,
    )  # fmt: skip
    made.receive(mail(LEE, "Stairs", "The stairs are slippery today.", "m2"), sender=LEE)
    stairs = made.to(SAM)[-1]
    where = str(stairs["Reply-To"].addresses[0].addr_spec)
    made.receive(answer(stairs, f"#cc {KIM}", sender=SAM, message_id="c1@agents.example"), where, SAM)
    made.receive(
        answer(stairs, "We send somebody.", sender=SAM, message_id="c2@agents.example"), where, SAM
    )  # fmt: skip
    shared = made.to(KIM)[-1]
    made.receive(
        answer(shared, "I slipped there as well last week.", sender=who, message_id=f"r2.{KIM}"),
        str(shared["Reply-To"].addresses[0].addr_spec), KIM,
    )  # fmt: skip
    made.receive(mail(LEE, "Door", "The door squeaks a little.", "m3"), sender=LEE)
    with transaction(engine) as session:
        make_seal(session, KEY, made.now)
    return made


def everything(engine: Engine) -> Iterator[bytes]:
    """All bytes a database keeps: SQLite's files; a dump of PostgreSQL, and every value of every row."""
    if engine.dialect.name == "sqlite":
        path = Path(str(engine.url.database))
        for one in path.parent.glob(f"{path.name}*"):
            yield one.read_bytes()
        return
    dump = shutil.which("pg_dump") or next(map(str, Path("/usr/lib/postgresql").glob("*/bin/pg_dump")), None)
    if dump is not None:
        url = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
        done = subprocess.run([dump, "--inserts", url], capture_output=True, check=True, env={**os.environ})
        yield done.stdout
    with reading(engine) as session:
        tables = session.execute(
            text("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
        ).scalars()
        for table in list(tables):
            for row in session.execute(text(f'SELECT * FROM "{table}"')):
                for value in row:
                    yield bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode()


def found_in(engine: Engine, needles: tuple[str, ...]) -> set[str]:
    held = b"\n".join(everything(engine))
    forms = {needle: _forms(needle.encode()) for needle in needles}
    return {needle for needle, some in forms.items() if any(form in held for form in some)}


def _forms(needle: bytes) -> tuple[bytes, ...]:
    """As it is, as PostgreSQL dumps bytes, and as a mail may carry it."""
    return needle, needle.hex().encode(), base64.b64encode(needle)[:-4]


def mails_in(path: Path) -> int:
    with closing(mailbox.mbox(path)) as box:
        return len(box)


def erased(desk: SmallDesk) -> None:
    with transaction(desk.engine) as session:
        done = erase(session, find_person(session, KIM), "operator", desk.now)
    assert done.tickets == 1
    assert done.entries >= 5
    assert done.files == 1
    scrub(desk.engine)


def test_nothing_anywhere_names_them_or_holds_their_words(desk: SmallDesk) -> None:
    assert found_in(desk.engine, SECRETS) == set(SECRETS)
    erased(desk)
    assert found_in(desk.engine, (*SECRETS, "slipped there as well", "zappelmann", "slipped")) == set()


def test_the_skeleton_stays_and_the_log_proves_itself(desk: SmallDesk) -> None:
    number, status = desk.tickets()[0].number, desk.tickets()[0].status
    erased(desk)
    ticket = desk.tickets()[0]
    assert (ticket.number, ticket.status, ticket.subject) == (number, status, "(erased)")
    with reading(desk.engine) as session:
        kinds = list(session.execute(select(Entry.kind).where(Entry.ticket_id == ticket.id)).scalars())
        assert kinds == ["message", "response", "note", "message"]
    with reading(desk.engine, snapshot=True) as session:
        proof = prove(session, KEY)
        assert proof.holds, [str(one) for one in proof.findings]


def test_what_others_wrote_on_their_own_tickets_stays(desk: SmallDesk) -> None:
    erased(desk)
    with reading(desk.engine) as session:
        texts = set(session.execute(select(Entry.text).where(Entry.ticket_id != 1)).scalars())
    assert {"The stairs are slippery today.", "We send somebody.", "The door squeaks a little."} <= texts
    assert desk.tickets()[2].subject == "Door"


def test_rules_are_not_compared_over_mails_of_which_nothing_is_left(desk: SmallDesk) -> None:
    since = desk.now - timedelta(days=1)
    before = count_mails(desk.engine, since)
    with transaction(desk.engine) as session:
        erased = erase(session, find_person(session, KIM), "operator", desk.now).mails_in
    assert erased > 0
    assert count_mails(desk.engine, since) == before - erased


def test_a_later_mail_makes_somebody_new(desk: SmallDesk) -> None:
    with reading(desk.engine) as session:
        old = find_person(session, KIM)
    erased(desk)
    desk.receive(mail(KIM, "Hello again", "It is me once more.", "m9"), sender=KIM)
    with reading(desk.engine) as session:
        new = find_person(session, KIM)
        assert new != old
        assert [one.subject for one in tickets_of(session, new)] == ["Hello again"]
        assert session.get_one(Person, old).name == ""


def test_what_was_not_sent_yet_is_never_sent(desk: SmallDesk) -> None:
    before = len(desk.sent)
    erased(desk)
    with reading(desk.engine) as session:
        states = set(session.execute(select(Outbox.state).where(Outbox.ticket_id == 1)).scalars())
    assert "queued" not in states
    assert len(desk.sent) == before


def test_undone_nothing_was_erased(desk: SmallDesk) -> None:
    with Session(desk.engine) as session:
        erase(session, find_person(session, KIM), "operator", desk.now)
        session.rollback()
    assert found_in(desk.engine, SECRETS) == set(SECRETS)


def test_two_persons_become_one(desk: SmallDesk) -> None:
    with transaction(desk.engine) as session:
        kim, lee = find_person(session, KIM), find_person(session, LEE)
        assert merge_persons(session, lee, kim) == 1
    with reading(desk.engine) as session:
        assert find_person(session, LEE) == kim
        row = person_row(session, kim)
        assert row.addresses == (KIM, LEE)
        assert row.tickets == 3
        assert set(session.execute(select(Participant.person_id)).scalars()) == {kim}
        assert set(session.execute(select(Ticket.requester_id)).scalars()) == {kim}
        assert [one.id for one in list_persons(session, "zappel", 10)] == [kim]
        with pytest.raises(Permanent, match="nobody with the address"):
            find_person(session, "nobody@customer.example")
    desk.receive(mail(LEE, "Window", "The window is open.", "m8"), sender=LEE)
    with reading(desk.engine) as session:
        assert person_row(session, kim).tickets == 4


def test_all_that_is_kept_is_exported_and_what_is_inside_only_on_request(
    desk: SmallDesk, tmp_path: Path
) -> None:
    with transaction(desk.engine) as session:
        session.execute(
            update(Outbox).where(Outbox.recipient == KIM).values(rendered=blobs.put(session, b"Subject: x"))
        )
        session.execute(update(Ticket).values(tags=["suspect"]))
    with reading(desk.engine) as session:
        person = find_person(session, KIM)
        counts = export_person(session, person, tmp_path / "out")
        export_person(session, person, tmp_path / "all", internal=True)
    document = json.loads((tmp_path / "out" / "person.json").read_text(encoding="utf-8"))
    assert document["addresses"] == [KIM]
    assert [one["subject"] for one in document["tickets"]] == ["Pension of mine", "Stairs"]
    said = [one["text"] for one in document["tickets"][0]["entries"]]
    assert any("we looked at your pension" in one for one in said)
    assert not any("upset" in one for one in said)
    files = document["tickets"][0]["entries"][0]["files"]
    assert (tmp_path / "out" / files[0]).read_bytes() == b"FILE-OF-KIM"
    assert mails_in(tmp_path / "out" / "received.mbox") == counts["received"] == 3
    assert mails_in(tmp_path / "out" / "sent.mbox") == counts["sent"] > 0
    everything = (tmp_path / "all" / "person.json").read_text(encoding="utf-8")
    assert "she sounded upset" in everything
    assert "suspect" in everything
    assert "suspect" not in (tmp_path / "out" / "person.json").read_text(encoding="utf-8")


def test_what_was_taken_back_and_what_went_to_an_agent_is_exported_only_on_request(
    desk: SmallDesk, tmp_path: Path
) -> None:
    with transaction(desk.engine) as session:
        person = find_person(session, KIM)
        answer = session.execute(select(Entry).where(Entry.kind == "response").limit(1)).scalar_one()
        answer.text, answer.withdrawn_at = "TAKEN BACK", desk.now
        session.execute(
            update(Outbox)
            .where(Outbox.recipient == KIM)
            .values(rendered=blobs.put(session, b"Subject: an alert"), audience="internal")
        )
    with reading(desk.engine) as session:
        counts = export_person(session, person, tmp_path / "out")
        all_counts = export_person(session, person, tmp_path / "all", internal=True)
    assert (counts["sent"], all_counts["sent"] > 0) == (0, True)
    assert "TAKEN BACK" not in (tmp_path / "out" / "person.json").read_text(encoding="utf-8")
    assert "TAKEN BACK" in (tmp_path / "all" / "person.json").read_text(encoding="utf-8")


def test_an_unknown_person_cannot_be_erased(engine: Engine) -> None:
    with pytest.raises(ValueError, match="no person 99"), transaction(engine) as session:
        erase(session, 99, "operator", SmallDesk(engine).now)
