"""config/rules.py and rule_checks.py: what a rule may say, and how a mistake in one is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from mailticket.config.rules import COMPARISONS, FIELDS, HOWS, KINDS, OPPOSITES, Condition, parse_amount
from mailticket.config.webhooks import EVENTS
from mailticket.domain.types import EventKind
from mailticket.mail.types import MailKind
from tests.unit.config_samples import SMALL, loaded, problems_of, warnings_of

MORE = """
[topics.bank]
name = "Bank"

[schedules.office]
hours = { mon = ["09:00-17:00"] }

[teams.ops]
name = "Ops"

[statuses.triage]
name = "Being sorted"
state = "open"

[fields.severity]
name = "Severity"
type = "choice"
choices = ["minor", "critical"]

[fields.hours]
name = "Hours"
type = "number"

[fields.until]
name = "Until"
type = "date"

[webhooks.chat]
url = "https://chat.example/hook"
secret = { env = "HOOK" }
"""
ENVIRON = {"HOOK": "0123456789abcdef"}


def rule(when: str = "", then: str = "tags = ['t']", more: str = "", name: str = "r") -> str:
    return f"[[rules]]\nname = '{name}'\n{more}\nwhen = [{when}]\nthen = {{ {then} }}\n"


def problem(tmp_path: Path, text: str) -> tuple[str, str, str | None]:
    (found,) = problems_of(tmp_path, SMALL, MORE, text, environ=ENVIRON)
    return found.path, found.message, found.suggestion


SAMPLE = {
    "text": "x", "number": 5, "yes or no": True, "trust": "known", "kind": "list", "schedule": "office",
    "language": "de",
}  # fmt: skip


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("field", FIELDS)
def test_each_field_takes_the_comparisons_of_its_sort_and_no_other(field: str, how: Any) -> None:
    sort = FIELDS[field]
    value: Any = {"field": field, "how": how, "value": SAMPLE[sort]}
    if how in COMPARISONS[sort]:
        assert Condition.model_validate(value).how == how
    else:
        with pytest.raises(ValidationError, match=f"does not go with {field}"):
            Condition.model_validate(value)


def test_every_comparison_has_its_opposite() -> None:
    assert {OPPOSITES[OPPOSITES[how]] for how in HOWS} == set(HOWS)
    assert all(OPPOSITES[how] != how for how in HOWS)


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("12", 12),
        ("-3.5", -3.5),
        ("2 kB", 2000),
        ("5MB", 5e6),
        ("1 GB", 1e9),
        ("7 B", 7),
        (" 1.5 MB ", 1.5e6),
    ],
)
def test_an_amount_may_have_a_unit(text: str, amount: float) -> None:
    assert parse_amount(text) == amount


@pytest.mark.parametrize("text", ["", "x", "5 TB", "1e9", "5 5", "nan", "9" * 20, "٣"])
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="must be a number"):
        parse_amount(text)


@pytest.mark.parametrize(
    ("written", "field", "how"),
    [
        ("{ field = 'email', how = 'dn_contain', value = 'x' }", "sender", "not_contains"),
        ("{ field = 'name', how = 'match', value = 'x' }", "sender_name", "matches"),
        ("{ field = 'Reply-To-Name', how = 'not_match', value = 'x' }", "reply_to_name", "not_matches"),
    ],
)
def test_osticket_names_are_understood(tmp_path: Path, written: str, field: str, how: str) -> None:
    (condition,) = loaded(tmp_path, SMALL, rule(written)).desk.rules[0].when
    assert (condition.field, condition.how) == (field, how)


@pytest.mark.parametrize(
    ("when", "place", "message", "hint"),
    [
        ("{ field = 'subjct', how = 'equal', value = 'x' }", "when[0].field", "is no field", "subject"),
        ("{ field = 'size', how = 'contains', value = '5' }", "when[0].how", "does not go with size", "over"),
        ("{ field = 'size', how = 'over', value = 'big' }", "when[0].value", "must be a number", None),
        ("{ field = 'header:X', how = 'over', value = 'b' }", "when[0].value", "must be a number", None),
        ("{ field = 'kind', how = 'equal', value = 'lst' }", "when[0].value", "no kind", "list"),
        ("{ field = 'trust', how = 'at_least', value = 'knwn' }", "when[0].value", "no trust level", "known"),
        ("{ field = 'bounced', how = 'equal', value = 'maybe' }", "when[0].value", "true or false", None),
        ("{ field = 'language', how = 'equal', value = 'german' }", "when[0].value", "code", None),
        ("{ field = 'time', how = 'in', value = 'offce' }", "when[0].value", "names no schedule", "office"),
        ("{ field = 'subject', how = 'matches', value = '(' }", "when[0].value", "regular expression", None),
        ("{ field = 'body', how = 'matches', value = '(a)\\1' }", "when[0].value", "back reference", None),
        ("{ field = 'subject' }", "when[0]", "lacks how and value", None),
        ("{ }", "when[0]", "is empty", None),
        ("{ all = [], any = [] }", "when[0]", "is empty", None),
        (
            "{ field = 'subject', any = [{ field = 'size', how = 'over', value = 1 }] }",
            "when[0]",
            "one thing only",
            None,
        ),
        (
            "{ any = [{ none = [{ field = 'subjct', how = 'equal', value = 'x' }] }] }",
            "when[0].any[0].none[0].field",
            "is no field",
            "subject",
        ),
        (
            "{ any = [{ field = 'time', how = 'not_in', value = 'nights' }] }",
            "when[0].any[0].value",
            "names no schedule",
            "office",
        ),
        ("{ feld = 'subject', how = 'equal', value = 'x' }", "when[0].feld", "not a known option", "field"),
        (
            "{ field = 'ticket_topic', how = 'equal', value = 'bank' }",
            "when[0].field",
            "known of replies only",
            "reply",
        ),
        (
            "{ field = 'field:severity', how = 'equal', value = 'minor' }",
            "when[0].field",
            "known of replies only",
            "reply",
        ),
        ("{ field = 'field:severty', how = 'equal', value = 'x' }", "when[0].field", "no custom", "severity"),
        ("{ field = 'field:', how = 'equal', value = 'x' }", "when[0].field", "is no field", None),
        (
            "{ field = 'field:severity', how = 'equal', value = 'bad' }",
            "when[0].value",
            "minor, critical",
            None,
        ),
        ("{ field = 'field:severity', how = 'over', value = 3 }", "when[0].how", "is a choice", None),
        ("{ field = 'field:until', how = 'over', value = 3 }", "when[0].how", "is a date", None),
        ("{ field = 'field:hours', how = 'equal', value = 'two' }", "when[0].value", "is a number", None),
        ("{ field = 'field:hours', how = 'equal', value = 'none' }", "when[0].value", "no value", "matches"),
        ("{ field = 'ticket_status', how = 'equal', value = 'triag' }", "when[0].value", "status", "triage"),
    ],
)
def test_a_mistake_in_a_condition_is_told_with_its_place(
    tmp_path: Path, when: str, place: str, message: str, hint: str | None
) -> None:
    found = problems_of(tmp_path, SMALL, MORE, rule(when), environ=ENVIRON)
    fitting = [one for one in found if one.path == f"rules.r.{place}" and message in one.message]
    assert fitting, found
    assert hint is None or hint in (fitting[0].suggestion or "")


@pytest.mark.parametrize(
    ("then", "place", "message", "hint"),
    [
        ("topic = 'bnk'", "then.topic", "names no help topic", "bank"),
        ("team = 'op'", "then.team", "names no team", "ops"),
        ("agent = 'adda'", "then.agent", "names no agent", "ada"),
        ("webhooks = ['chta']", "then.webhooks[0]", "names no webhook", "chat"),
        ("canned = 'helo'", "then.canned", "names no canned reply", None),
        ("fields = { asset = 'x' }", "then.fields.asset", "names no custom field", None),
        ("fields = { severty = 'minor' }", "then.fields.severty", "names no custom field", "severity"),
        ("fields = { severity = 'bad' }", "then.fields.severity", "is one of: minor, critical", None),
        ("fields = { hours = 'two' }", "then.fields.hours", "is a number", None),
        ("fields = { until = '31.2.2026' }", "then.fields.until", "is a date", None),
        ("status = 'opn'", "then.status", "no status", "open"),
        ("status = 'triagee'", "then.status", "no status", "triage"),
        ("status = 'archived'", "then.status", "no status", None),
        ("forward = ['support@desk.example']", "then.forward[0]", "would come back", "department"),
        ("forward = ['x']", "then.forward[0]", "is not a mail address", None),
        ("collaborators = ['support@desk.example']", "then.collaborators[0]", "would come back", None),
        ("collaborators = ['ada@staff.desk.example']", "then.collaborators[0]", "agent's address", None),
    ],
)
def test_a_mistake_in_an_action_is_told_with_its_place(
    tmp_path: Path, then: str, place: str, message: str, hint: str | None
) -> None:
    path, told, suggestion = problem(tmp_path, rule(then=then))
    assert path == f"rules.r.{place}"
    assert message in told
    assert hint is None or hint in (suggestion or "")


@pytest.mark.parametrize("on", ["reply", "both"])
@pytest.mark.parametrize(
    "then", ["topic = 'bank'", "status = 'closed'", "reply_to = true", "reject = 'no'", "canned = 'x'"]
)
def test_what_begins_a_ticket_cannot_be_done_with_replies(tmp_path: Path, on: str, then: str) -> None:
    found = problems_of(tmp_path, SMALL, MORE, rule(then=then, more=f"on = '{on}'"), environ=ENVIRON)
    name = then.partition(" ")[0]
    (one,) = [
        item for item in found if item.path == f"rules.r.then.{name}" and "cannot be done" in item.message
    ]
    assert f'on = "{on}"' in one.message


@pytest.mark.parametrize(
    "then",
    [
        "priority = 'high'",
        "hold = 'wait'",
        "forward = ['x@y.example']",
        "tags = ['t']",
        "team = 'ops'",
        "fields = { severity = 'crit', hours = '2,5', until = 'none' }",
    ],
)
def test_what_fits_a_reply_is_taken(tmp_path: Path, then: str) -> None:
    when = "{ field = 'ticket_topic', how = 'equal', value = 'bank' }"
    settings = loaded(tmp_path, SMALL, MORE, rule(when, then, "on = 'reply'"), environ=ENVIRON)
    assert settings.desk.rules_on_replies


A = "{ field = 'subject', how = 'contains', value = 'a' }"
NOT_A = "{ field = 'subject', how = 'not_contains', value = 'a' }"
B = "{ field = 'subject', how = 'contains', value = 'b' }"


@pytest.mark.parametrize(
    ("first", "second", "warned"),
    [
        ((A, "stop = true"), (f"{A}, {B}", ""), True),  # whatever has a and b has a
        ((A, ""), (f"{A}, {B}", ""), False),  # the first does not stop
        ((f"{A}, {B}", "stop = true"), (A, ""), False),
        ((f"{A}, {B}", "stop = true\nmatch = 'any'"), (A, ""), True),
        ((A, "stop = true\nmatch = 'none'"), (A, ""), False),
        ((f"{A}, {B}", "stop = true\nmatch = 'any'"), (f"{A}, {B}", "match = 'any'"), True),
        ((A, "stop = true"), (f"{A}, {B}", "match = 'any'"), False),
        (("", "stop = true"), (B, ""), True),  # fires always
        (("", "stop = true\non = 'reply'"), (B, ""), False),
        (("", "stop = true\non = 'both'"), (B, ""), True),
        (("", "stop = true"), (B, "on = 'both'"), False),  # replies still reach it
        ((B, ""), (f"{A}, {NOT_A}", ""), True),  # contradicts itself
        ((B, ""), (f"{A}, {NOT_A}", "match = 'any'"), False),
    ],
)
def test_a_rule_that_can_never_fire_is_warned_of(
    tmp_path: Path, first: tuple[str, str], second: tuple[str, str], warned: bool
) -> None:
    text = rule(first[0], more=first[1], name="one") + rule(second[0], more=second[1], name="two")
    found = [item.path for item in warnings_of(tmp_path, SMALL, text) if "can never fire" in item.message]
    assert found == (["rules.two"] if warned else [])


@pytest.mark.parametrize(
    ("url", "fine"),
    [
        ("https://hooks.example/x?y=1", True),
        ("http://127.0.0.1:8080/x", True),
        ("http://localhost/x", True),
        ("http://[::1]/x", True),
        ("http://hooks.example/x", False),
        ("http://127.0.0.1.evil.example/x", False),
        ("http://localhost@evil.example/", False),
        ("https://user:pw@hooks.example/", False),
        ("ftp://hooks.example/", False),
        ("https:///x", False),
        ("https://hooks.example:99999/", False),
        ("https://hooks.example/ x", False),
        ("https://hooks.example/#x", False),
        ("hooks.example", False),
    ],
)
def test_a_webhook_is_reached_in_safety_only(tmp_path: Path, url: str, fine: bool) -> None:
    text = MORE.replace("https://chat.example/hook", url)
    if fine:
        assert loaded(tmp_path, SMALL, text, environ=ENVIRON).desk.webhooks["chat"].url == url
    else:
        (one,) = problems_of(tmp_path, SMALL, text, environ=ENVIRON)
        assert one.path == "webhooks.chat.url"


def test_a_webhook_needs_a_secret_that_cannot_be_guessed(tmp_path: Path) -> None:
    (one,) = problems_of(tmp_path, SMALL, MORE, environ={"HOOK": "short"})
    assert (one.path, one.value) == ("webhooks.chat.secret", None)


def test_notes_are_told_to_those_inside_only(tmp_path: Path) -> None:
    (one,) = problems_of(tmp_path, SMALL, MORE + 'events = ["note"]', environ=ENVIRON)
    assert 'audience = "internal"' in one.message
    loaded(tmp_path, SMALL, MORE + 'events = ["note"]\naudience = "internal"', environ=ENVIRON)


def test_the_kinds_and_events_are_those_of_the_code() -> None:
    assert set(EVENTS) <= {str(kind) for kind in EventKind}
    assert set(KINDS) == {str(kind) for kind in MailKind} | {"automatic"}


def test_an_arrival_address_is_a_departments(tmp_path: Path) -> None:
    text = "[arrivals.x]\naddress = 'suport@desk.example'\n"
    (one,) = problems_of(tmp_path, SMALL, text)
    assert (one.path, one.suggestion) == ("arrivals.x.address", "Did you mean support@desk.example?")
    twice = "[arrivals.x]\naddress = 'support@desk.example'\n[arrivals.y]\naddress = 'support@desk.example'\n"
    (one,) = problems_of(tmp_path, SMALL, twice)
    assert one.message == "is the address of arrivals.x too"


@pytest.mark.parametrize(
    ("status", "fine"), [("triage", True), ("on-hold", True), ("triagge", False), ("merged", False)]
)
def test_a_topic_begins_in_a_status_of_the_house_or_a_state(tmp_path: Path, status: str, fine: bool) -> None:
    topic = f"[topics.order]\nname = 'Order'\nstatus = '{status}'\n"
    if fine:
        assert loaded(tmp_path, SMALL, MORE, topic, environ=ENVIRON).desk.topics["order"].status == status
    else:
        (one,) = problems_of(tmp_path, SMALL, MORE, topic, environ=ENVIRON)
        assert (one.path, one.message) == ("topics.order.status", "is no status a ticket can begin in")
