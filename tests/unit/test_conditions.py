"""domain/conditions.py: every field with every comparison, groups in groups, and the words for it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from mailticket.config.desk import Actions, Condition, Desk, Rule
from mailticket.config.rules import COMPARISONS, FIELDS, OPPOSITES
from mailticket.domain.conditions import Unusable, judge, rule_in_words
from mailticket.domain.rule_facts import MailFacts
from mailticket.domain.sender import SenderHistory
from tests.facts import a_ticket
from tests.unit.test_routing import desk as routing_desk

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)  # a Monday
TICKET = a_ticket(
    id=1,
    number="1001",
    subject="Outage",
    status="waiting",
    department="it",
    topic="banking",
    priority="high",
    assignee="bob",
    team="ops",
    created_at=NOW,
    tags=("vip", "web"),
)
MAIL = MailFacts(
    sender="ann.lee@customer.example",
    sender_name="Ann Lee",
    recipient="support@desk.example",
    reply_to="helpdesk@customer.example",
    reply_to_name="Help Desk",
    addressees=("support@desk.example", "boss@customer.example"),
    subject="Outage of online banking",
    body="Guten Tag, ich kann mich seit heute nicht mehr in das Konto einloggen. Bitte helfen Sie mir, "
    "und das ist wirklich dringend für uns alle.",
    headers=(("x-spam-score", "7.5 / 10"), ("received", "from a"), ("received", "from b")),
    files=(("invoice.pdf", "application/pdf"), ("photo.jpg", "image/jpeg")),
    size=2_500_000,
    trust="known",
    kind="list",
    language="de",
    at=NOW,
    known_sender=True,
    history=SenderHistory(open_tickets=3, bounced=True),
    ticket=TICKET,
)


def desk(**more: Any) -> Desk:
    hours = {"mon": ["09:00-17:00"]}
    schedules = {"office": {"hours": hours}, "nights": {"hours": {"tue": ["00:00-06:00"]}}}
    organisations = {"customer-inc": {"name": "Customer", "domains": ["customer.example"]}}
    return routing_desk(schedules=schedules, organisations=organisations, **more)


DESK = desk()


def judged(*when: dict[str, Any], match: str = "all", mail: MailFacts = MAIL) -> bool:
    rule = Rule.model_validate({"name": "r", "match": match, "when": list(when), "then": {}})
    return judge(rule, mail, DESK).holds


def test_of(field: str, how: str, value: Any) -> dict[str, Any]:
    return {"field": field, "how": how, "value": value}


test_of.__test__ = False  # type: ignore[attr-defined]  # its name says what it makes

TEXTS = {
    # field: (equal to, contains, starts with, ends with)
    "sender": ("ANN.lee@customer.example", "lee@", "ann", ".example"),
    "sender_name": ("ann lee", "n l", "ANN", "lee"),
    "sender_domain": ("customer.example", "omer", "customer", "example"),
    "recipient": ("support@desk.example", "@desk", "supp", "desk.example"),
    "addressee": ("boss@customer.example", "boss", "boss@", "@customer.example"),
    "reply_to": ("helpdesk@customer.example", "desk@", "help", ".example"),
    "reply_to_name": ("Help desk", "p D", "help", "DESK"),
    "organisation": ("customer-inc", "omer", "cust", "inc"),
    "subject": ("outage of ONLINE banking", "of", "Outage", "banking"),
    "body": (MAIL.body, "konto", "guten tag", "uns alle."),
    "attachment_name": ("INVOICE.pdf", "voice", "photo", ".jpg"),
    "attachment_type": ("application/pdf", "/", "image/", "pdf"),
    "ticket_department": ("it", "i", "i", "t"),
    "ticket_topic": ("banking", "ank", "bank", "king"),
    "ticket_priority": ("high", "ig", "hi", "gh"),
    "ticket_status": ("waiting", "ait", "wait", "ing"),
    "ticket_agent": ("bob", "o", "b", "ob"),
    "ticket_team": ("ops", "p", "op", "ps"),
    "ticket_tag": ("vip", "e", "w", "b"),
    "header:Received": ("from b", "om", "from", "a"),
}


@pytest.mark.parametrize("field", TEXTS)
def test_text_fields_are_compared_as_text(field: str) -> None:
    equal, contains, starts, ends = TEXTS[field]
    for how, value in (("equal", equal), ("contains", contains), ("starts", starts), ("ends", ends)):
        assert judged(test_of(field, how, value)), (field, how)
        assert not judged(test_of(field, f"not_{how}", value)), (field, how)
        assert not judged(test_of(field, how, "~nothing~")), (field, how)
        assert judged(test_of(field, f"not_{how}", "~nothing~")), (field, how)
    assert judged(test_of(field, "matches", f"(?i){contains.replace('/', '.')}"))
    assert not judged(test_of(field, "not_matches", "(?s)."))
    assert not judged(test_of(field, "matches", "~+"))


def test_every_text_field_is_in_the_table() -> None:
    assert {name for name, sort in FIELDS.items() if sort == "text"} == set(TEXTS) - {"header:Received"}


@pytest.mark.parametrize(
    ("field", "below", "exact", "above"),
    [
        ("size", "2 MB", "2.5 MB", 2_500_001),
        ("attachments", 1, 2, 3),
        ("open_tickets", 2, 3, 4),
        ("header:X-Spam-Score", 7, 7.5, "8"),
    ],
)
def test_number_fields_are_compared_as_numbers(field: str, below: Any, exact: Any, above: Any) -> None:
    expected = {
        # comparison: (with what is below, with the very number, with what is above)
        "equal": (False, True, False),
        "not_equal": (True, False, True),
        "over": (True, False, False),
        "under": (False, False, True),
        "at_least": (True, True, False),
        "at_most": (False, True, True),
    }
    for how, wanted in expected.items():
        if field.startswith("header:") and "equal" in how:
            continue  # a header is equal as text
        found = tuple(judged(test_of(field, how, value)) for value in (below, exact, above))
        assert found == wanted, (field, how)


OTHERS = [
    ("first_contact", "equal", False, True),
    ("first_contact", "equal", True, False),
    ("first_contact", "not_equal", "yes", True),
    ("bounced", "equal", True, True),
    ("bounced", "not_equal", True, False),
    ("trust", "equal", "known", True),
    ("trust", "equal", "unknown", False),
    ("trust", "not_equal", "known", False),
    ("trust", "at_least", "known", True),
    ("trust", "at_least", "failed", True),
    ("trust", "at_least", "authenticated", False),
    ("trust", "at_most", "known", True),
    ("trust", "at_most", "unknown", False),
    ("trust", "at_most", "token", True),
    ("kind", "equal", "list", True),
    ("kind", "equal", "automatic", True),
    ("kind", "equal", "human", False),
    ("kind", "not_equal", "automatic", False),
    ("time", "in", "office", True),
    ("time", "not_in", "office", False),
    ("time", "in", "nights", False),
    ("time", "not_in", "nights", True),
    ("language", "equal", "de", True),
    ("language", "equal", "en", False),
    ("language", "not_equal", "EN", True),
]


@pytest.mark.parametrize(("field", "how", "value", "holds"), OTHERS)
def test_the_other_fields(field: str, how: str, value: Any, holds: bool) -> None:
    assert judged(test_of(field, how, value)) is holds


def test_every_field_and_comparison_is_in_a_table() -> None:
    others = {(field, how) for field, how, _, _ in OTHERS}
    for field, sort in FIELDS.items():
        if sort not in ("text", "number"):
            assert {how for name, how in others if name == field} == set(COMPARISONS[sort])


def test_what_a_mail_has_not_is_neither_over_nor_under_nor_open() -> None:
    bare = MailFacts("", "", "", "", "", "")
    for how in ("over", "under", "at_least", "at_most"):
        assert not judged(test_of("header:X-Spam-Score", how, 5), mail=bare)
    assert not judged(
        test_of("header:X-Spam-Score", "under", 5), mail=replace(MAIL, headers=(("x-spam-score", "n/a"),))
    )
    assert not judged(test_of("time", "in", "office"), mail=bare)
    assert judged(test_of("ticket_topic", "not_equal", "banking"), mail=bare)
    assert judged(test_of("language", "not_equal", "de"), mail=bare)


YES, NO = test_of("subject", "contains", "outage"), test_of("subject", "contains", "printer")


@pytest.mark.parametrize(
    ("match", "when", "holds"),
    [
        ("all", [YES, YES], True),
        ("all", [YES, NO], False),
        ("any", [NO, YES], True),
        ("any", [NO, NO], False),
        ("none", [NO, NO], True),
        ("none", [NO, YES], False),
        ("all", [YES, {"any": [NO, YES]}], True),
        ("all", [YES, {"any": [NO, NO]}], False),
        ("all", [{"none": [NO]}, YES], True),
        ("all", [{"none": [YES]}, YES], False),
        ("any", [{"all": [YES, NO]}, {"all": [YES, YES]}], True),
        ("none", [{"all": [YES, NO]}, {"none": [YES]}], True),
        ("none", [{"none": [NO]}], False),
        ("all", [{"any": [{"all": [YES, {"none": [NO, {"any": [NO]}]}]}]}], True),
    ],
)
def test_groups_in_groups(match: str, when: list[dict[str, Any]], holds: bool) -> None:
    assert judged(*when, match=match) is holds


def test_groups_are_not_nested_without_end() -> None:
    deep: dict[str, Any] = YES
    for _ in range(7):
        deep = {"all": [deep]}
    assert judged(deep)
    with pytest.raises(ValueError, match="nested deeper"):
        Rule.model_validate({"name": "r", "when": [{"any": [{"any": [deep]}]}], "then": {}})


@pytest.mark.parametrize(
    ("match", "when", "words"),
    [
        ("all", [YES], 'subject contains "outage"'),
        ("all", [YES, NO], 'subject does not contain "printer" (it is "Outage of online banking")'),
        ("any", [NO, YES], 'subject contains "outage"'),
        (
            "none",
            [NO, test_of("trust", "equal", "token")],
            'subject does not contain "printer" (it is "Outage of online banking") and '
            'trust is not "token" (it is "known")',
        ),
        ("none", [NO, YES], 'subject contains "outage"'),
        ("all", [{"any": [NO]}], 'subject does not contain "printer" (it is "Outage of online banking")'),
        ("all", [test_of("size", "under", "1 kB")], 'size is at least "1 kB" (it is "2500000")'),
        ("all", [test_of("header:X-A", "equal", "b")], 'header X-A is not "b" (there is none)'),
        ("all", [test_of("first_contact", "equal", True)], "the sender has written before"),
        ("all", [test_of("time", "not_in", "office")], 'time is within "office"'),
        ("all", [test_of("ticket_tag", "equal", "x")], 'ticket tag is not "x" (it is "vip", "web")'),
    ],
)
def test_the_condition_that_decided_is_told(match: str, when: list[dict[str, Any]], words: str) -> None:
    rule = Rule.model_validate({"name": "r", "match": match, "when": when, "then": {}})
    assert judge(rule, MAIL, DESK).words(MAIL, DESK) == words


def test_a_rule_is_told_in_words() -> None:
    when = [YES, {"any": [NO, {"none": [test_of("trust", "at_most", "unknown")]}]}]
    rule = Rule.model_validate({"name": "r", "when": when, "then": {}})
    assert rule_in_words(rule) == (
        'subject contains "outage" and (subject contains "printer" or none of (trust is at most "unknown"))'
    )


@pytest.mark.parametrize(
    "condition",
    [
        Condition.model_construct(field="size", how="over", value="big"),
        Condition.model_construct(field="time", how="in", value="nowhere"),
        Condition.model_construct(field="trust", how="at_least", value="much"),
        Condition.model_construct(field="subject", how="matches", value="("),
        Condition.model_construct(field="subject", how="in", value="x"),
        Condition.model_construct(),
    ],
)
@pytest.mark.parametrize("match", ["all", "any", "none"])
def test_what_the_configuration_refuses_makes_no_rule_fire(condition: Condition, match: Any) -> None:
    empty = Condition.model_construct(field=None, how=None, value=None, all=(), any=(), none=())
    broken = empty.model_copy(update=dict(condition))
    rule = Rule.model_construct(name="r", match=match, when=(broken,), then=Actions())
    with pytest.raises(Unusable):
        judge(rule, MAIL, DESK)


def test_opposites_decide_against_one_another() -> None:
    for how, opposite in OPPOSITES.items():
        field = "size" if how in ("over", "under", "at_least", "at_most") else "subject"
        if how in ("in", "not_in"):
            continue
        value = "5" if field == "size" else "outage"
        assert judged(test_of(field, how, value)) is not judged(test_of(field, opposite, value))


OWN = desk(
    fields={
        "severity": {"name": "Severity", "type": "choice", "choices": ["minor", "critical"]},
        "hours": {"name": "Hours", "type": "number"},
        "until": {"name": "Until", "type": "date"},
    },
    statuses={"parts": {"name": "Waits for parts", "state": "waiting"}},
)
KEPT = replace(
    TICKET, custom_status="parts", fields={"severity": "critical", "hours": 3, "until": "2026-12-01"}
)


@pytest.mark.parametrize(
    ("field", "how", "value", "holds"),
    [
        ("field:severity", "equal", "Critical", True),
        ("field:severity", "equal", "crit", True),
        ("field:severity", "not_equal", "minor", True),
        ("field:hours", "equal", "3.0", True),
        ("field:hours", "over", "2.5", True),
        ("field:hours", "at_most", "2.5", False),
        ("field:until", "equal", "1.12.2026", True),
        ("field:until", "starts", "2026-", True),
        ("field:gone", "matches", ".", False),
        ("field:gone", "not_equal", "x", True),
        ("ticket_status", "equal", "parts", True),
        ("ticket_status", "equal", "waiting", True),
        ("ticket_status", "not_equal", "waiting", False),
    ],
)
def test_a_reply_is_asked_about_the_houses_own_fields_and_statuses(
    field: str, how: str, value: str, holds: bool
) -> None:
    when = [{"field": field, "how": how, "value": value}]
    rule = Rule.model_validate({"name": "r", "when": when, "then": {}})
    assert judge(rule, replace(MAIL, ticket=KEPT), OWN).holds is holds
    assert judge(rule, replace(MAIL, ticket=None), OWN).holds is how.startswith("not_")


def test_a_custom_field_is_named_in_words() -> None:
    when = [{"field": "field:severity", "how": "equal", "value": "minor"}]
    rule = Rule.model_validate({"name": "r", "when": when, "then": {}})
    told = judge(rule, replace(MAIL, ticket=KEPT), OWN).words(replace(MAIL, ticket=KEPT), OWN)
    assert told == 'field severity is not "minor" (it is "critical")'
