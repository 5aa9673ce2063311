"""domain/routing.py: which rule fires on what, what wins, and that the reasons say so."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from mailticket.config.desk import Condition, Desk
from mailticket.domain.routing import MailFacts, Route, route

MAIL = MailFacts(
    sender="Ann.Lee@Customer.example",
    sender_name="Ann Lee",
    recipient="support@desk.example",
    reply_to="helpdesk@customer.example",
    subject="Outage of online banking",
    body="Hello,\n\nthe site is down since 9:40.\nOrder #12345 is lost.\n",
    headers=(
        ("x-priority", "1 (Highest)"),
        ("received", "from a.example by b.example"),
        ("received", "from relay.customer.example by desk.example"),
    ),
    department_by_address="support",
)


def desk(**more: Any) -> Desk:
    value: dict[str, Any] = {
        "name": "Desk",
        "instance": "desk1",
        "default_department": "support",
        "default_priority": "normal",
        "departments": {
            "support": {"name": "Support", "addresses": ["support@desk.example"]},
            "it": {"name": "IT", "addresses": ["it@desk.example"], "sla_plan": "it-plan"},
            "quiet": {"name": "Quiet", "addresses": ["q@desk.example"], "acknowledge": False},
        },
        "agents": {
            "bob": {"name": "Bob", "addresses": ["bob@staff.example"]},
            "eve": {"name": "Eve", "addresses": ["eve@staff.example"]},
        },
        "teams": {"ops": {"name": "Operations", "members": ["bob"]}},
        "priorities": {
            name: {"name": name, "urgency": urgency}
            for urgency, name in enumerate(("emergency", "high", "normal", "low"), 1)
        },
        "topics": {
            "banking": {
                "name": "Online banking",
                "department": "it",
                "priority": "high",
                "sla_plan": "topic-plan",
                "agent": "eve",
                "team": "ops",
            },
            "silent": {"name": "Silent", "acknowledge": False},
            "bare": {"name": "Bare"},
        },
        "sla_plans": {key: {"name": key} for key in ("it-plan", "topic-plan", "rule-plan", "desk-plan")},
    }
    return Desk.model_validate(value | more)


def rule(name: str, then: dict[str, Any], *when: tuple[str, str, str], **more: Any) -> dict[str, Any]:
    conditions = [{"field": field, "how": how, "value": value} for field, how, value in when]
    return {"name": name, "when": conditions, "then": then, **more}


def routed(*rules: dict[str, Any], mail: MailFacts = MAIL, **more: Any) -> Route:
    return route(mail, desk(rules=list(rules), **more))


CONDITIONS = [
    # field, comparison, value, holds
    ("sender", "equal", "ann.lee@customer.example", True),
    ("sender", "equal", " ANN.LEE@CUSTOMER.EXAMPLE ", True),
    ("sender", "equal", "ann@customer.example", False),
    ("sender", "not_equal", "ann@customer.example", True),
    ("sender", "not_equal", "ann.lee@customer.example", False),
    ("sender", "contains", "lee@", True),
    ("sender", "contains", "bob", False),
    ("sender", "not_contains", "bob", True),
    ("sender", "not_contains", "LEE", False),
    ("sender", "starts", "ann.", True),
    ("sender", "starts", "lee", False),
    ("sender", "not_starts", "lee", True),
    ("sender", "not_starts", "ANN", False),
    ("sender", "ends", "customer.EXAMPLE", True),
    ("sender", "ends", "customer", False),
    ("sender", "not_ends", ".test", True),
    ("sender", "not_ends", ".example", False),
    ("sender", "matches", r"@Customer\.example$", True),
    ("sender", "matches", r"@customer\.example$", False),  # patterns mind case
    ("sender", "matches", r"(?i)@customer\.example$", True),
    ("sender", "not_matches", r"@other\.example$", True),
    ("sender", "not_matches", r"(?i)@customer", False),
    ("sender_name", "equal", "ann lee", True),
    ("sender_name", "contains", "lee", True),
    ("sender_name", "ends", "ann", False),
    ("sender_domain", "equal", "customer.example", True),
    ("sender_domain", "equal", "example", False),
    ("sender_domain", "ends", ".example", True),
    ("sender_domain", "starts", "@", False),
    ("recipient", "equal", "support@desk.example", True),
    ("recipient", "equal", "it@desk.example", False),
    ("recipient", "starts", "support+", False),
    ("reply_to", "ends", "@customer.example", True),
    ("reply_to", "equal", "", False),
    ("subject", "contains", "outage", True),
    ("subject", "contains", "OUTAGE OF", True),
    ("subject", "starts", "outage", True),
    ("subject", "ends", "banking", True),
    ("subject", "equal", "outage", False),
    ("subject", "matches", r"\b[Oo]ut(age|ing)\b", True),
    ("subject", "not_matches", r"^Re:", True),
    ("body", "contains", "is down", True),
    ("body", "contains", "is up", False),
    ("body", "starts", "hello,", True),
    ("body", "ends", "lost.", True),  # blanks at the end of a text do not count
    ("body", "matches", r"#\d{5}\b", True),
    ("body", "matches", r"(?m)^Order\s+#?\d+", True),
    ("body", "matches", r"^Order", False),  # the beginning of the text, without (?m)
    ("body", "matches", r"site.*Order", False),  # the dot stays in its line
    ("body", "matches", r"(?s)site.*Order", True),
    ("header:X-Priority", "starts", "1", True),
    ("header:x-priority", "contains", "HIGHEST", True),
    ("header:X-Priority", "equal", "1", False),
    ("header:X-Priority", "not_equal", "3", True),
    ("header:Received", "contains", "relay.customer.example", True),  # any of several
    ("header:Received", "contains", "a.example by b.example", True),
    ("header:Received", "not_contains", "relay", False),  # none of several
    ("header:Received", "matches", r"^from relay", True),
    ("header:X-Spam-Flag", "equal", "yes", False),  # a missing header has no value
    ("header:X-Spam-Flag", "contains", "a", False),
    ("header:X-Spam-Flag", "equal", "", False),
    ("header:X-Spam-Flag", "not_equal", "yes", True),
    ("header:X-Spam-Flag", "matches", ".*", False),
    ("header:X-Spam-Flag", "not_matches", "yes", True),
    ("subject", "matches", "(", False),  # the configuration refuses it; here it never fires
    ("subject", "not_matches", "(", False),
    ("subject", "not_matches", r"(a)\1", False),
]


@pytest.mark.parametrize(("field", "how", "value", "holds"), CONDITIONS)
def test_a_condition_holds_or_not(field: str, how: Any, value: str, holds: bool) -> None:
    # Built past validation, so that what the configuration refuses can be asked too.
    condition = Condition.model_construct(field=field, how=how, value=value)
    base = desk(rules=[rule("r", {"department": "it"})])
    ruled = base.model_copy(update={"rules": (base.rules[0].model_copy(update={"when": (condition,)}),)})
    assert bool(route(MAIL, ruled).fired) is holds


@pytest.mark.parametrize("how", ["equal", "contains", "starts", "ends"])
def test_upper_and_lower_case_are_one_in_any_script(how: str) -> None:
    mail = replace(MAIL, subject="STRASSE ΟΔΟΣ")
    assert routed(rule("r", {}, ("subject", how, "straße οδος")), mail=mail).fired == ("r",)


@pytest.mark.parametrize(
    ("match", "values", "fires"),
    [
        ("all", ("outage", "banking"), True),
        ("all", ("outage", "printer"), False),
        ("any", ("printer", "banking"), True),
        ("any", ("printer", "scanner"), False),
        ("all", (), True),
        ("any", (), True),
    ],
)
def test_all_or_any_of_the_conditions(match: str, values: tuple[str, ...], fires: bool) -> None:
    conditions = [("subject", "contains", value) for value in values]
    assert bool(routed(rule("r", {}, *conditions, match=match)).fired) is fires


OUTAGE = ("subject", "contains", "outage")


@pytest.mark.parametrize(
    ("rules", "by_address", "expected"),
    [
        # the department: rule, address, topic, default
        (
            [rule("r", {"department": "quiet", "topic": "banking"}, OUTAGE)],
            "support",
            {"department": "quiet"},
        ),
        ([rule("r", {"topic": "banking"}, OUTAGE)], "support", {"department": "support"}),
        ([rule("r", {"topic": "banking"}, OUTAGE)], None, {"department": "it"}),
        ([rule("r", {"topic": "bare"}, OUTAGE)], None, {"department": "support"}),
        ([], "it", {"department": "it"}),
        ([], None, {"department": "support"}),
        # the priority: rule, topic, default
        ([rule("r", {"topic": "banking", "priority": "low"}, OUTAGE)], None, {"priority": "low"}),
        ([rule("r", {"topic": "banking"}, OUTAGE)], None, {"priority": "high"}),
        ([rule("r", {"topic": "bare"}, OUTAGE)], None, {"priority": "normal"}),
        # the SLA plan: rule, topic, department, default
        ([rule("r", {"topic": "banking", "sla_plan": "rule-plan"}, OUTAGE)], "it", {"sla_plan": "rule-plan"}),
        ([rule("r", {"topic": "banking"}, OUTAGE)], "it", {"sla_plan": "topic-plan"}),
        ([rule("r", {"topic": "bare"}, OUTAGE)], "it", {"sla_plan": "it-plan"}),
        ([rule("r", {"department": "it"}, OUTAGE)], "support", {"sla_plan": "it-plan"}),
        ([], "support", {"sla_plan": None}),
        # who gets it: the rule's agent and team, else the topic's
        ([rule("r", {"topic": "banking"}, OUTAGE)], None, {"agent": "eve", "team": "ops"}),
        ([rule("r", {"topic": "banking", "agent": "bob"}, OUTAGE)], None, {"agent": "bob", "team": None}),
        ([rule("r", {"topic": "bare", "team": "ops"}, OUTAGE)], None, {"agent": None, "team": "ops"}),
        ([], None, {"agent": None, "team": None}),
        # acknowledged only where rule, topic and department allow it
        ([], "support", {"acknowledge": True}),
        ([], "quiet", {"acknowledge": False}),
        ([rule("r", {"topic": "silent"}, OUTAGE)], "support", {"acknowledge": False}),
        ([rule("r", {"acknowledge": False}, OUTAGE)], "support", {"acknowledge": False}),
        ([rule("r", {"acknowledge": True}, OUTAGE)], "quiet", {"acknowledge": False}),
        # a later rule overrides an earlier one, in what it names
        (
            [
                rule("a", {"priority": "high", "agent": "bob", "acknowledge": False}, OUTAGE),
                rule("b", {"priority": "emergency", "acknowledge": True}, OUTAGE),
            ],
            "support",
            {"priority": "emergency", "agent": "bob", "acknowledge": True, "fired": ("a", "b")},
        ),
        # but not one after a rule that stops
        (
            [rule("a", {"priority": "high"}, OUTAGE, stop=True), rule("b", {"priority": "low"}, OUTAGE)],
            "support",
            {"priority": "high", "fired": ("a",)},
        ),
        # a rule that does not fire does not stop
        (
            [rule("a", {}, ("subject", "equal", "x"), stop=True), rule("b", {"priority": "low"}, OUTAGE)],
            "support",
            {"priority": "low", "fired": ("b",)},
        ),
        # tags add up, each once
        (
            [rule("a", {"tags": ["bank", "web"]}, OUTAGE), rule("b", {"tags": ["web", "vip"]}, OUTAGE)],
            "support",
            {"tags": ("bank", "web", "vip")},
        ),
        # a refusal is the last word
        (
            [rule("a", {"reject": "No mail, please."}, OUTAGE), rule("b", {"priority": "low"}, OUTAGE)],
            "support",
            {"reject": "No mail, please.", "fired": ("a",), "priority": "normal"},
        ),
    ],
)
def test_what_wins(rules: list[dict[str, Any]], by_address: str | None, expected: dict[str, Any]) -> None:
    found = routed(*rules, mail=replace(MAIL, department_by_address=by_address))
    assert {name: getattr(found, name) for name in expected} == expected


def test_the_desks_own_plan_is_the_last_resort() -> None:
    assert routed(default_sla_plan="desk-plan").sla_plan == "desk-plan"


def test_the_reasons_tell_the_whole_story() -> None:
    outages = rule(
        "outages",
        {"topic": "banking", "priority": "emergency", "tags": ["outage"], "acknowledge": False},
        OUTAGE,
        ("header:X-Priority", "starts", "1"),
    )
    assert routed(outages).reasons == (
        'rule "outages" matched: subject contains "outage" and header X-Priority starts with "1"',
        'topic "banking": rule "outages"',
        'department "support": mail to support@desk.example',
        'priority "emergency": rule "outages"',
        'SLA plan "topic-plan": topic "banking"',
        'assigned to agent "eve": topic "banking"',
        'assigned to team "ops": topic "banking"',
        'no acknowledgement: rule "outages"',
    )


@pytest.mark.parametrize(
    ("rules", "by_address", "reason"),
    [
        ([], "support", None),
        ([], "quiet", 'no acknowledgement: department "quiet"'),
        ([rule("r", {"topic": "silent"}, OUTAGE)], "quiet", 'no acknowledgement: topic "silent"'),
        ([rule("r", {"acknowledge": False}, OUTAGE)], "quiet", 'no acknowledgement: rule "r"'),
    ],
)
def test_a_missing_acknowledgement_has_its_reason(
    rules: list[dict[str, Any]], by_address: str, reason: str | None
) -> None:
    found = routed(*rules, mail=replace(MAIL, department_by_address=by_address))
    told = [sentence for sentence in found.reasons if "acknowledgement" in sentence]
    assert told == ([reason] if reason else [])


def test_a_long_value_is_cut_in_the_reasons() -> None:
    mail = replace(MAIL, subject="y" * 100)
    assert routed(rule("r", {}, ("subject", "equal", "y" * 100)), mail=mail).reasons[0] == (
        f'rule "r" matched: subject is "{"y" * 57}..."'
    )
    assert '"yyy"' in routed(rule("r", {}, ("subject", "contains", "yyy")), mail=mail).reasons[0]


def test_a_pattern_that_cannot_be_used_is_told_in_the_reasons() -> None:
    bad = Condition.model_construct(field="subject", how="matches", value="(")
    base = desk(rules=[rule("r", {"priority": "low"})])
    ruled = base.model_copy(update={"rules": (base.rules[0].model_copy(update={"when": (bad,)}),)})
    found = route(MAIL, ruled)
    assert found.fired == ()
    assert found.reasons[0].startswith('rule "r": its pattern "(" is not used: is not a regular expression')


def test_only_the_first_64_thousand_characters_of_a_text_are_looked_at() -> None:
    mail = replace(MAIL, body="x" * 65_530 + "secret" + "needle")
    assert routed(rule("r", {}, ("body", "contains", "secret")), mail=mail).fired == ("r",)
    assert routed(rule("r", {}, ("body", "contains", "needle")), mail=mail).fired == ()
