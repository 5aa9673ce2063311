"""What rules want becomes changes: on new tickets and on replies; and no rule and no mail raises."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailticket.config.desk import Desk
from mailticket.config.rules import COMPARISONS, FIELDS, HOWS, KINDS, TRUST_LEVELS
from mailticket.domain.change import (
    AddEntry,
    AddParticipant,
    CallWebhook,
    Decision,
    ForwardCopy,
    OpenTicket,
    SetField,
    Tag,
)
from mailticket.domain.decide import decide
from mailticket.domain.routing import MailFacts, react, route
from mailticket.domain.rule_run import try_rules
from mailticket.domain.sender import SenderHistory, SenderLoad
from mailticket.domain.tie_changes import SetCustomField
from mailticket.domain.types import Arrival, EvidenceKind, Facts, Outcome, ThreadEvidence, TicketFacts, Trust
from mailticket.mail.read import read
from tests.unit.test_conditions import TICKET
from tests.unit.test_routing import desk as routing_desk

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
HOOKS = {"chat": {"url": "https://chat.example/x", "secret": "0123456789abcdef"}}
ANN = "ann@customer.example"


def desk(*rules: dict[str, Any], **more: Any) -> Desk:
    return routing_desk(rules=list(rules), webhooks=HOOKS, **more)


def rule(then: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"name": "r", "then": then, **more}


def mail(**headers: str) -> bytes:
    fields = {"From": f"Ann <{ANN}>", "To": "support@desk.example", "Subject": "Help", **headers}
    head = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in fields.items())
    return f"{head}Message-ID: <m@customer.example>\r\n\r\nPlease help.\r\n".encode()


def decided(where: Desk, raw: bytes, *, ticket: TicketFacts | None = None, **more: Any) -> Decision:
    released = more.pop("released", False)
    arrival = Arrival(7, "support@desk.example", ANN, "smtp", NOW, "d", released=released)
    evidence: tuple[ThreadEvidence, ...] = ()
    if ticket is not None:
        evidence = (ThreadEvidence(EvidenceKind.ADDRESS_TOKEN, ticket.id, ANN, 1),)
    facts = Facts(
        department="support", sender=ANN, sender_agent=None, known_sender=more.pop("known_sender", True),
        evidence=evidence, tickets={ticket.id: ticket} if ticket else {}, **more,
    )  # fmt: skip
    return decide(read(raw, ANN), arrival, facts, where, NOW)


def changes_of(decision: Decision, kind: type) -> list[Any]:
    return [change for change in decision.changes if isinstance(change, kind)]


EVERYTHING = rule(
    {
        "department": "it", "status": "on-hold", "tags": ["t"], "collaborators": ["bo@customer.example"],
        "forward": ["x@partner.example"], "webhooks": ["chat"], "canned": "hello",
    }
)  # fmt: skip


def test_a_new_ticket_gets_all_that_a_rule_wants() -> None:
    found = decided(desk(EVERYTHING), mail())
    (opened,) = changes_of(found, OpenTicket)
    assert (opened.department, opened.tags, opened.canned) == ("it", ("t",), "hello")
    (status,) = changes_of(found, SetField)
    assert (status.ticket, status.name, status.value, status.actor) == (None, "status", "on-hold", "system")
    assert [one.address for one in changes_of(found, AddParticipant)] == ["bo@customer.example"]
    assert [one.address for one in changes_of(found, ForwardCopy)] == ["x@partner.example"]
    assert [one.webhook for one in changes_of(found, CallWebhook)] == ["chat"]
    assert all('rule "r"' in one.why for one in (status, *changes_of(found, ForwardCopy)))
    assert found.route is not None
    assert found.route.fired == ("r",)


def test_a_mail_is_held_until_a_person_releases_it_and_then_goes_on() -> None:
    where = desk(rule({"hold": "suspicious"}), rule({"priority": "high"}) | {"name": "later"})
    held = decided(where, mail())
    assert (held.outcome, held.changes) == (Outcome.HELD, ())
    assert 'held "suspicious": rule "r"' in held.reasons
    assert any("inbox release 7" in reason for reason in held.reasons)
    released = decided(where, mail(), released=True)
    assert released.outcome is Outcome.NEW_TICKET
    assert changes_of(released, OpenTicket)[0].priority == "high"


def test_a_rejected_mail_opens_nothing() -> None:
    found = decided(desk(rule({"reject": "No, thank you."})), mail())
    assert (found.outcome, found.changes, found.rejection) == (Outcome.REJECTED, (), "No, thank you.")


# -- Reply-To --------------------------------------------------------------------------------------------

FORM = rule({"reply_to": True})


def test_reply_to_names_the_requester_of_whom_nothing_is_proven() -> None:
    found = decided(desk(FORM), mail(Reply_To="Cleo <cleo@home.example>"))
    (opened,), (entry,) = changes_of(found, OpenTicket), changes_of(found, AddEntry)
    assert (opened.requester, opened.requester_name) == ("cleo@home.example", "Cleo")
    assert (entry.author, entry.trust) == ("cleo@home.example", Trust.UNKNOWN)
    assert found.trust is Trust.UNKNOWN
    assert found.acknowledge
    assert any("nothing proves that cleo@home.example wrote it" in reason for reason in found.reasons)


def test_reply_to_is_acknowledged_only_where_strangers_are() -> None:
    where = desk(FORM, trust={"acknowledge": "known"})
    assert not decided(where, mail(Reply_To="cleo@home.example")).acknowledge
    assert decided(where, mail()).acknowledge  # ann is on file


@pytest.mark.parametrize(
    "reply_to",
    ["a@x.example, b@x.example", "bob@staff.example", "support@desk.example", "it+x@desk.example", "nobody"],
)
def test_reply_to_that_names_nobody_plain_leaves_the_sender(reply_to: str) -> None:
    found = decided(desk(FORM), mail(Reply_To=reply_to))
    assert changes_of(found, OpenTicket)[0].requester == ANN
    assert any(reason.startswith('rule "r": ') for reason in found.reasons)


def test_a_stranger_in_reply_to_waits_where_strangers_wait() -> None:
    where = desk(FORM, unknown_senders="hold")
    assert decided(where, mail()).outcome is Outcome.NEW_TICKET
    assert decided(where, mail(Reply_To="cleo@home.example")).outcome is Outcome.HELD
    known = SenderHistory(known_reply_to=True)
    assert decided(where, mail(Reply_To="cleo@home.example"), history=known).outcome is Outcome.NEW_TICKET


# -- copies ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "to", "why"),
    [
        ({}, "x@partner.example", None),
        ({"From": "x@partner.example"}, "X@partner.example", "comes from there"),
        ({"Delivered_To": "<x@Partner.example>"}, "x@partner.example", "has been there"),
        ({"X_Original_To": "x@partner.example"}, "x@partner.example", "has been there"),
        ({}, "support+x@desk.example", "address of this desk"),
    ],
)
def test_a_copy_never_comes_back(headers: dict[str, str], to: str, why: str | None) -> None:
    found = decided(desk(rule({"forward": [to]})), mail(**headers))
    assert bool(changes_of(found, ForwardCopy)) is (why is None)
    assert why is None or any("no copy to" in reason and why in reason for reason in found.reasons)


# -- replies ---------------------------------------------------------------------------------------------

OPEN = replace(
    TICKET, department="support", topic="bare", participants=frozenset({ANN}), assignee="bob", team=None
)


def test_a_rule_for_new_mails_leaves_replies_alone() -> None:
    found = decided(desk(rule({"priority": "low", "hold": "x"})), mail(), ticket=OPEN)
    assert found.outcome is Outcome.THREADED
    assert [one.name for one in changes_of(found, SetField)] == ["status"]


def test_a_reply_changes_its_ticket() -> None:
    then = {
        "priority": "emergency", "department": "it", "tags": ["vip", "angry"], "webhooks": ["chat"],
        "collaborators": [ANN, "bo@customer.example"], "forward": ["x@partner.example"], "acknowledge": False,
    }  # fmt: skip
    found = decided(desk(rule(then, on="reply")), mail(), ticket=OPEN)
    fields = {one.name: one.value for one in changes_of(found, SetField)}
    assert fields == {
        "status": "in-progress", "priority": "emergency", "department": "it", "assignee": None,
        "sla_plan": "it-plan",
    }  # fmt: skip
    assert [one.tag for one in changes_of(found, Tag)] == ["angry"]  # it is vip already
    assert [one.address for one in changes_of(found, AddParticipant)] == ["bo@customer.example"]
    assert {getattr(one, "ticket", None) for one in found.changes} == {OPEN.id}
    assert not found.acknowledge
    assert any(reason.startswith('rule "r" matched') for reason in found.reasons)


OWN = {
    "statuses": {"triage": {"name": "Being sorted", "state": "open"}},
    "fields": {
        "severity": {"name": "Severity", "type": "choice", "choices": ["minor", "critical"]},
        "hours": {"name": "Hours", "type": "number"},
        "asset": {"name": "Asset", "departments": ["quiet"]},
    },
}


def test_a_rule_sets_custom_fields_and_a_status_of_the_house() -> None:
    then = {"status": "triage", "fields": {"severity": "crit", "hours": "2,50", "asset": "A-1", "gone": "x"}}
    found = decided(desk(rule(then), **OWN), mail())
    assert [(one.ticket, one.key, one.value, one.actor) for one in changes_of(found, SetCustomField)] == [
        (None, "severity", "critical", "system"), (None, "hours", 2.5, "system"),
    ]  # fmt: skip
    (status,) = changes_of(found, SetField)
    assert (status.name, status.value, status.custom) == ("status", "open", "triage")
    undone = [reason for reason in found.reasons if "is not set" in reason]
    assert undone == [
        'rule "r": asset is not set: tickets of this department and topic have no Asset',
        'rule "r": gone is not set: there is no field gone',
    ]


def test_a_reply_sets_custom_fields_as_they_are_after_its_transfer() -> None:
    then = {"department": "quiet", "fields": {"severity": "none", "hours": "3", "asset": "A-1"}}
    ticket = replace(OPEN, fields={"severity": "minor", "hours": 3})
    found = decided(desk(rule(then, on="reply"), **OWN), mail(), ticket=ticket)
    assert [(one.ticket, one.key, one.value) for one in changes_of(found, SetCustomField)] == [
        (OPEN.id, "severity", None), (OPEN.id, "asset", "A-1"),
    ]  # fmt: skip
    assert 'rule "r": Severity is taken away' in found.reasons


def test_a_reply_can_ask_about_its_ticket() -> None:
    when = [{"field": "ticket_tag", "how": "equal", "value": "vip"}]
    where = desk(rule({"priority": "emergency"}, on="both", when=when))
    assert "emergency" in [one.value for one in changes_of(decided(where, mail(), ticket=OPEN), SetField)]
    assert changes_of(decided(where, mail()), OpenTicket)[0].priority == "normal"


def test_a_reply_is_held_and_nothing_of_it_is_done() -> None:
    where = desk(rule({"hold": "a threat"}, on="reply"))
    held = decided(where, mail(), ticket=OPEN)
    assert (held.outcome, held.changes) == (Outcome.HELD, ())
    assert decided(where, mail(), ticket=OPEN, released=True).outcome is Outcome.THREADED


def test_a_storm_sends_no_copies_and_calls_nobody() -> None:
    found = decided(desk(EVERYTHING), mail(), load=SenderLoad(tickets=99))
    assert found.quiet is not None
    assert not changes_of(found, ForwardCopy)
    assert not changes_of(found, CallWebhook)


# -- nothing raises --------------------------------------------------------------------------------------

texts = st.text(max_size=40) | st.sampled_from(
    ["a", "(", "outage", "\ud800", "\x00", "5 MB", "known", "office"]
)
VALUES = {
    "number": st.sampled_from(["0", "5", "5 MB", "-1.5"]),
    "yes or no": st.booleans(),
    "trust": st.sampled_from(TRUST_LEVELS),
    "kind": st.sampled_from(KINDS),
    "schedule": st.just("office"),
    "language": st.sampled_from(["de", "en", "xx"]),
}


@st.composite
def one_test(draw: Any) -> dict[str, Any]:
    field = draw(st.sampled_from([*FIELDS, "header:X-A", "field:severity", "field:gone"]))
    sort = FIELDS.get(field, "text")
    how = draw(st.sampled_from(COMPARISONS[sort]))
    value = VALUES.get(sort, st.text("abc()*+?.^$|\\ß ", min_size=1, max_size=12))
    return {"field": field, "how": how, "value": draw(value)}


conditions = st.recursive(
    one_test(),
    lambda inner: st.builds(
        lambda kind, several: {kind: several},
        st.sampled_from(["all", "any", "none"]),
        st.lists(inner, min_size=1, max_size=3),
    ),
    max_leaves=6,
)
actions = st.fixed_dictionaries(
    {},
    optional={
        "department": st.sampled_from(["it", "quiet"]),
        "priority": st.sampled_from(["low", "high"]),
        "agent": st.just("bob"),
        "team": st.just("ops"),
        "sla_plan": st.just("rule-plan"),
        "acknowledge": st.booleans(),
        "tags": st.lists(st.sampled_from(["a", "b"]), max_size=2),
        "collaborators": st.just(["bo@customer.example"]),
        "fields": st.just({"k": "v"}),
        "forward": st.just(["x@partner.example"]),
        "webhooks": st.just(["chat"]),
        "hold": st.just("wait"),
    },
)
rules = st.lists(
    st.fixed_dictionaries(
        {
            "name": st.sampled_from(["a", "b", "c"]),
            "on": st.sampled_from(["new", "reply", "both"]),
            "match": st.sampled_from(["all", "any", "none"]),
            "when": st.lists(conditions, max_size=3),
            "then": actions,
            "stop": st.booleans(),
        }
    ),
    max_size=4,
)
mails = st.builds(
    MailFacts,
    sender=texts, sender_name=texts, recipient=texts, reply_to=texts, subject=texts, body=texts,
    headers=st.lists(st.tuples(st.sampled_from(["x-a", "importance"]), texts), max_size=3).map(tuple),
    department_by_address=st.sampled_from([None, "it"]),
    trust=st.sampled_from(TRUST_LEVELS), reply_to_name=texts,
    addressees=st.lists(texts, max_size=2).map(tuple),
    files=st.lists(st.tuples(texts, texts), max_size=2).map(tuple),
    size=st.integers(0, 10**9), kind=st.sampled_from(KINDS),
    at=st.none() | st.integers(0, 10**9).map(lambda seconds: NOW + timedelta(seconds=seconds)),
    known_sender=st.booleans(), released=st.booleans(),
    ticket=st.none() | st.just(TICKET),
)  # fmt: skip


@settings(max_examples=400, deadline=timedelta(seconds=2), suppress_health_check=[HealthCheck.too_slow])
@given(written=rules, facts=mails)
def test_no_configuration_of_rules_and_no_mail_raises(
    written: list[dict[str, Any]], facts: MailFacts
) -> None:
    try:
        where = desk(*written, schedules={"office": {"hours": {"mon": ["09:00-17:00"]}}})
    except ValueError:
        return  # a pattern that is none: the configuration says so
    way, reaction = route(facts, where), react(facts, where)
    assert way.department in where.departments
    assert way.priority in where.priorities
    fired = [trial.rule.name for trial in try_rules(facts, where, "new") if trial.fired]
    assert tuple(fired) == way.fired
    assert [one.rule.name for one in try_rules(facts, where, "reply") if one.fired] == list(reaction.fired)
    assert all(trial.why for trial in try_rules(facts, where, "reply"))
    assert set(HOWS) >= {test.how for one in where.rules for test in one.tests()}
