"""Lists and full text, the same on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select, update

from mailticket.config.desk import Agent, Desk
from mailticket.domain.change import SetField
from mailticket.domain.ticket_query import Access, TicketQuery, given_of_words, ticket_query
from mailticket.store.changes import change_field
from mailticket.store.engine import reading, transaction
from mailticket.store.event_log import erase_words
from mailticket.store.fulltext import index_ticket
from mailticket.store.merge import merge
from mailticket.store.models import Entry, Participant, Person, Ticket, TicketReferral
from mailticket.store.ticket_search import Found, find_tickets
from tests.store.small_desk import SmallDesk, small_desk

_MAILS = [
    ("ann", "Printer in room 5", "The big Drücker is broken since Monday.\nPaper jam in tray two."),
    ("bea", "プリンターの故障", "印刷機が動きません。よろしくお願いします。"),
    ("cid", "Invoice 2026-17", "Where is my invoice? It should be 17.50 EUR, not 1750."),
    ("dan", "Ma souris", "L'écran est cassé, pas l'imprimante."),
    ("eve", "Принтер", "Принтер не печатает ёлку"),
]


def mail(name: str, subject: str, body: str) -> bytes:
    return (
        f"From: {name.title()} Test <{name}@{name}.example>\r\nTo: support@desk.example\r\n"
        f"Subject: {subject}\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
        f"Message-ID: <{name}@mail.example>\r\n\r\n{body}\r\n"
    ).encode()


@pytest.fixture
def desk(engine: Engine) -> SmallDesk:
    """Five tickets of five people."""
    desk = SmallDesk(engine)
    for one in _MAILS:
        desk.receive(mail(*one))
    return desk


def who(found: list[Found]) -> list[str]:
    return [one.ticket.requester_address.partition("@")[0] for one in found]


def query(desk: SmallDesk, line: str, reader: str | None = None) -> TicketQuery:
    given = given_of_words(line, desk.desk)
    assert isinstance(given, dict), given
    found = ticket_query(given, desk.desk, desk.now, ZoneInfo("UTC"), reader)
    assert isinstance(found, TicketQuery), found
    return found


def listed(desk: SmallDesk, line: str, reader: str | None = None, **options: Any) -> list[str]:
    with reading(desk.engine) as session:
        return who(find_tickets(session, query(desk, line, reader), 50, **options))


@pytest.mark.parametrize(
    ("line", "people"),
    [
        ("printer", "ann"),
        ("PRINTER broken", "ann"),
        ("drucker", "ann"),
        ("Drücker", "ann"),
        ('"paper jam"', "ann"),
        ('"jam paper"', ""),
        ("pap* tra*", "ann"),
        ("printer -paper", ""),
        ("in -paper", ""),
        ("my invoice", "cid"),
        ("17.50", "cid"),
        ("ecran CASSE", "dan"),
        ("принтер", "eve"),
        ("ПЕЧАТАЕТ елку", "eve"),
        ("プリンター", "bea"),
        ("印刷機", "bea"),
        ("刷", "bea"),
        ("故障 印刷", "bea"),
        ("障害", ""),
        ("bea@bea.example", "bea"),
        ("dan test", "dan"),
        ("nothing of the kind", ""),
        ("from:ann@ann.example", "ann"),
        ("from:@cid.example", "cid"),
        ("from:eve", "eve"),
        ("printer from:bea", ""),
    ],
)
def test_a_line_finds(desk: SmallDesk, line: str, people: str) -> None:
    assert " ".join(listed(desk, line)) == people


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(alphabet="ab*\"'():-&|!<>^~ \\%_印ß\x00\u200b;NEAROT", max_size=40) | st.text(max_size=60))
def test_no_question_breaks_the_database(desk: SmallDesk, text: str) -> None:
    wanted = ticket_query({"words": [text]}, desk.desk, desk.now, ZoneInfo("UTC"))
    if isinstance(wanted, TicketQuery):
        with reading(desk.engine) as session:
            find_tickets(session, wanted, 5)


@pytest.mark.parametrize("tag", ["a\\", "a\\u0041", 'say "hi"', "o'brien", "50%", "über"])
def test_a_tag_is_found_whatever_it_is_made_of(desk: SmallDesk, tag: str) -> None:
    with transaction(desk.engine) as session:
        session.execute(update(Ticket).where(Ticket.requester_address.startswith("ann")).values(tags=[tag]))
    with reading(desk.engine) as session:
        assert who(find_tickets(session, TicketQuery(tag=(tag,)), 50)) == ["ann"]
        assert find_tickets(session, TicketQuery(tag=("aA",)), 50) == []


@pytest.mark.parametrize("value", [1, 3.5, 0.1, 0.00001, -3, 10**15 - 1, "3", "a\\b", 'q"x'])
def test_a_custom_field_is_found_by_its_value(desk: SmallDesk, value: str | float) -> None:
    with transaction(desk.engine) as session:
        for name, kept in (("ann", value), ("bea", "some text"), ("cid", 17)):
            of = Ticket.requester_address.startswith(name)
            session.execute(update(Ticket).where(of).values(fields={"k": kept}))
    with reading(desk.engine) as session:
        assert who(find_tickets(session, TicketQuery(field=(("k", value),)), 50)) == ["ann"]


def test_the_snippet_marks_the_hit(desk: SmallDesk) -> None:
    with reading(desk.engine) as session:
        (found,) = find_tickets(session, query(desk, "drucker"), 5)
    assert [piece.text for piece in found.pieces if piece.hit] == ["Drücker"]


def test_what_is_merged_is_found_on_the_ticket_it_is_now(desk: SmallDesk) -> None:
    with transaction(desk.engine) as session:
        merge(
            session, session.get_one(Ticket, 3), session.get_one(Ticket, 1), actor="a", why="w", now=desk.now
        )
    assert listed(desk, "invoice") == ["ann"]


def test_erased_words_are_found_no_more(desk: SmallDesk) -> None:
    with transaction(desk.engine) as session:
        session.execute(
            update(Entry).where(Entry.id == 3).values(text="[erased]", author="x", author_name="")
        )
        erase_words(session, [3], lambda old: old, entries=[3], actor="operator", why="asked", now=desk.now)
    assert listed(desk, "17.50") == []
    assert listed(desk, "erased") == ["cid"]


def test_a_new_subject_is_found_and_the_old_one_is_not(desk: SmallDesk) -> None:
    with transaction(desk.engine) as session:
        ticket = session.get_one(Ticket, 1)
        change = SetField(1, "subject", "Toaster in room 5", "agent:sam", "clearer")
        assert change_field(session, ticket, change, desk.now) is not None
        index_ticket(session, 1)
    assert listed(desk, "toaster") == ["ann"]
    assert listed(desk, "printer") == []


def _change(desk: SmallDesk, ticket: int, **values: Any) -> None:
    with transaction(desk.engine) as session:
        session.execute(update(Ticket).where(Ticket.id == ticket).values(**values))


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ({"department": "billing"}, "department:billing"),
        ({"priority": "high"}, "prio:high"),
        ({"topic": "cards"}, "topic:cards"),
        ({"team": "night"}, "team:night"),
        ({"assignee": "sam"}, "assignee:sam"),
        ({"assignee": "sam"}, "mine"),
        ({"status": "waiting"}, "status:waiting"),
        ({"status": "waiting"}, "waiting"),
        ({"tags": ["vip", "it's"]}, "tag:VIP"),
        ({"tags": ["vip", "it's"]}, "tag:it's"),
        ({"held": True, "suspected_ticket_id": 1}, "held"),
        ({"status": "closed"}, "status:closed,resolved"),
        ({"status": "waiting", "custom_status": "parts"}, "status:parts"),
        ({"status": "waiting", "custom_status": "parts"}, 'status:"Waiting for parts"'),
        ({"status": "waiting", "custom_status": "parts"}, "status:parts,closed"),
        ({"sla_plan": "gold"}, "sla:gold"),
        ({"source": "imap:office"}, "via:imap"),
        ({"source": "imap:office"}, "source:imap:office"),
        ({"minutes_spent": 120}, "spent:2h"),
        ({"fields": {"room": "Büro 5"}}, 'field:"room=Büro 5"'),
        ({"fields": {"cost": 5}}, "field:cost=5.0"),
        ({"fields": {"cost": 3.5}}, "field:cost=3.50"),
        ({"fields": {"until": "2026-12-24"}}, "field:until=24.12.2026"),
        ({"fields": {"severity": "major"}}, "field:severity=MAJ"),
    ],
)
def test_a_filter_finds_what_fits(engine: Engine, values: dict[str, Any], line: str) -> None:
    full = small_desk()
    full = Desk(
        **{
            **{name: getattr(full, name) for name in Desk.model_fields},
            "departments": full.departments
            | {
                "billing": full.departments["support"].model_copy(
                    update={"key": "billing", "addresses": ("billing@desk.example",)}
                )
            },
            "priorities": full.priorities | {"high": full.priorities["normal"]},
            "topics": {"cards": {"name": "Cards"}},
            "teams": {"night": {"name": "Night"}},
            "statuses": {"parts": {"key": "parts", "name": "Waiting for parts", "state": "waiting"}},
            "sla_plans": {"gold": {"key": "gold", "name": "Gold"}},
            "fields": {
                "room": {"key": "room", "name": "Room"},
                "cost": {"key": "cost", "name": "Cost", "type": "number"},
                "until": {"key": "until", "name": "Until", "type": "date"},
                "severity": {"key": "severity", "name": "Severity", "type": "choice", "choices": ("major",)},
            },
        }
    )
    desk = SmallDesk(engine, desk=full)
    for one in _MAILS[:3]:
        desk.receive(mail(*one))
    assert listed(desk, line, "sam") == []
    _change(desk, 2, **values)
    assert listed(desk, line, "sam") == ["bea"]


def test_people_and_how_they_were_known_are_filters(desk: SmallDesk) -> None:
    with transaction(desk.engine) as session:
        session.execute(update(Person).where(Person.id == 2).values(language="ja"))
        session.execute(update(Person).where(Person.id == 4).values(language="fr-CA"))
        session.execute(update(Entry).where(Entry.ticket_id == 5).values(trust="failed"))
        session.add(
            Participant(
                ticket_id=3, address="zoe@cid.example", person_id=3, role="collaborator",
                added_at=desk.now, added_by="agent:sam",
            )
        )  # fmt: skip
    assert listed(desk, "language:ja") == ["bea"]
    assert sorted(listed(desk, "lang:JA,fr")) == ["bea", "dan"]
    assert listed(desk, "lang:f") == []
    assert listed(desk, "trust:failed") == ["eve"]
    assert listed(desk, "trust:token") == []
    assert listed(desk, "with:Zoe@cid.example") == ["cid"]
    assert listed(desk, "participant:ann@ann.example") == ["ann"]


def test_what_is_referred_to_a_department_is_in_its_list_and_marked(desk: SmallDesk) -> None:
    other = desk.desk.departments["support"].model_copy(
        update={"key": "it", "name": "IT", "addresses": ("it@desk.example",)}
    )
    desk.desk = desk.desk.model_copy(update={"departments": {**desk.desk.departments, "it": other}})
    _change(desk, 1, department="it")
    assert listed(desk, "department:it") == ["ann"]
    with transaction(desk.engine) as session:
        session.add_all(
            [
                TicketReferral(ticket_id=ticket, department="it", made_by="agent:sam", made_at=desk.now)
                for ticket in (2, 3)
            ]
        )
    _change(desk, 3, closed_at=desk.now, status="closed")
    with reading(desk.engine) as session:
        found = find_tickets(session, query(desk, "department:it"), 50)
        assert [(one.ticket.requester_address, one.ticket.department, one.referred) for one in found] == [
            ("bea@bea.example", "support", ("it",)),
            ("ann@ann.example", "it", ()),
        ]
    assert listed(desk, "department:it all:yes") == ["cid", "bea", "ann"]
    assert listed(desk, "department:it 印刷機") == ["bea"]
    assert listed(desk, "department:support") == ["eve", "dan", "bea"]
    access = Access("sam", ("it",), ())  # who may see the department's tickets may see these
    assert listed(desk, "", access=access) == ["bea", "ann"]


def test_when_somebody_last_wrote_is_a_filter(desk: SmallDesk) -> None:
    _change(desk, 1, last_message_at=desk.now - timedelta(days=9))
    _change(desk, 2, last_response_at=desk.now - timedelta(days=2))
    assert listed(desk, "wrote_until:7d") == ["ann"]
    assert listed(desk, "answered_since:3d") == ["bea"]
    assert listed(desk, "answered_since:1d") == []


def test_times_bound_a_list(desk: SmallDesk) -> None:
    _change(desk, 1, created_at=desk.now - timedelta(days=40), updated_at=desk.now - timedelta(days=30))
    _change(desk, 2, due_at=desk.now + timedelta(hours=1))
    _change(desk, 3, closed_at=desk.now - timedelta(hours=5), status="closed")
    _change(desk, 4, overdue_since=desk.now - timedelta(hours=2), due_at=desk.now - timedelta(hours=2))
    assert listed(desk, "created_until:30d all") == ["ann"]
    assert "ann" not in listed(desk, "since:7d all")
    assert listed(desk, "due_until:today") == ["dan", "bea"]
    assert listed(desk, "due-today") == ["dan", "bea"]
    assert listed(desk, "closed") == ["cid"]
    assert listed(desk, "overdue") == ["dan"]
    assert listed(desk, "overdue souris") == ["dan"]
    assert listed(desk, "overdue printer") == []


def test_lists_are_sorted_and_paged(desk: SmallDesk) -> None:
    _change(desk, 2, due_at=desk.now + timedelta(hours=1))
    _change(desk, 4, due_at=desk.now)
    assert listed(desk, "") == ["dan", "bea", "eve", "cid", "ann"]
    assert listed(desk, "reverse:yes") == ["bea", "dan", "eve", "cid", "ann"]
    assert listed(desk, "sort:created") == ["eve", "dan", "cid", "bea", "ann"]
    assert listed(desk, "sort:created reverse:yes") == ["ann", "bea", "cid", "dan", "eve"]
    pages: list[str] = []
    with reading(desk.engine) as session:
        for page in range(4):
            pages += who(find_tickets(session, TicketQuery(), 2, 2 * page))
        found = [who(find_tickets(session, query(desk, "test"), 2, 2 * page)) for page in range(3)]
    assert pages == ["dan", "bea", "eve", "cid", "ann"]
    assert found == [["eve", "dan"], ["cid", "bea"], ["ann"]]


def test_an_agent_of_one_department_sees_that_and_what_is_theirs(desk: SmallDesk) -> None:
    _change(desk, 1, department="secret")
    _change(desk, 2, department="secret", assignee="sam")
    _change(desk, 3, department="secret", team="night")
    access = Access("sam", ("support",), ("night",))
    assert sorted(listed(desk, "", access=access)) == ["bea", "cid", "dan", "eve"]
    assert listed(desk, "printer", access=access) == []


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("department:suport", "there is no department 'suport'. Did you mean support?"),
        ("assignee:sma", "there is no agent 'sma'. Did you mean sam?"),
        ("status:opne", "there is no status 'opne'. Did you mean open?"),
        ("due_until:soon", "due_until: 'soon' is no moment"),
        ("mine", "whose tickets? name the agent who asks"),
        ('"!!"', "holds no word to search for"),
        ("sla:glod", "there is no SLA plan 'glod'"),
        ("trust:tokn", "there is no trust 'tokn'. Did you mean token?"),
        ("spent:long", "spent: 'long' is no length of time; write 90m, 2h or 1d"),
        ("field:room", "a field is written KEY=VALUE, not 'room'"),
        ("field:room=5", "there is no field 'room'"),
    ],
)
def test_a_filter_that_means_nothing_is_told(line: str, said: str) -> None:
    desk = small_desk()
    given = given_of_words(line, desk)
    assert isinstance(given, dict)
    found = ticket_query(given, desk, SmallDesk.now, ZoneInfo("UTC"))
    assert isinstance(found, tuple)
    assert said in found[0]


def test_a_name_that_is_nearly_a_filter_is_told_and_another_is_searched_for() -> None:
    assert given_of_words("departmnt:it", small_desk()) == (
        "departmnt: is no filter. Did you mean department:?"
    )
    assert given_of_words("overdue limit:50", small_desk()) == (
        "limit: is no filter. To look for the words: search limit:50"
    )
    assert given_of_words("error:404 printer", small_desk(), queues=False) == {"words": ["error:404 printer"]}


def test_several_agents_and_nobody_can_be_asked_for_together(desk: SmallDesk) -> None:
    desk.desk = desk.desk.model_copy(
        update={
            "agents": {**desk.desk.agents, "kim": Agent(key="kim", name="Kim", addresses=("k@a.example",))}
        }
    )
    _change(desk, 1, assignee="sam")
    _change(desk, 2, assignee="kim")
    assert sorted(listed(desk, "assignee:sam,kim")) == ["ann", "bea"]
    assert sorted(listed(desk, "assignee:sam,-")) == ["ann", "cid", "dan", "eve"]
    with reading(desk.engine) as session:
        assert session.execute(select(Ticket.id)).all()
    assert replace(query(desk, "assignee:sam"), every=True).assignee == ("sam",)
