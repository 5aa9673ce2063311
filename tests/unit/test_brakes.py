"""domain/brakes.py: what lets an automatic mail through, and what stops it."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailticket.config.desk import Brakes
from mailticket.domain.brakes import WINDOWS, Allowed, Braked, Counts, Planned, Which, check, what_is_braked

LIMITS = {
    "address_hour": 5,
    "address_day": 20,
    "domain_hour": 50,
    "template_hour": 300,
    "total_hour": 300,
    "ticket_10_minutes": 10,
    "ticket_hour": 25,
    "ticket_10_hours": 100,
    "same_subject_hour": 2,
}


def test_every_count_has_a_window_and_a_limit() -> None:
    names = {field.name for field in fields(Counts)}
    assert names == set(WINDOWS) == set(LIMITS) == set(get_args(Which))


def test_the_first_mail_goes_out() -> None:
    assert check(Counts(), Brakes()) == Allowed()


@pytest.mark.parametrize("which", LIMITS)
@pytest.mark.parametrize(("beyond", "allowed"), [(-1, True), (0, False), (1, False), (1000, False)])
def test_each_limit_stops_the_mail_after_it(which: Which, beyond: int, allowed: bool) -> None:
    verdict = check(replace(Counts(), **{which: LIMITS[which] + beyond}), Brakes())
    if allowed:
        assert verdict == Allowed()
    else:
        assert isinstance(verdict, Braked)
        assert (verdict.which, verdict.limit) == (which, LIMITS[which])


@pytest.mark.parametrize("which", LIMITS)
def test_a_limit_of_nothing_lets_nothing_through(which: Which) -> None:
    option = which if which in ("total_hour", "same_subject_hour") else f"per_{which}"
    verdict = check(Counts(), Brakes.model_validate({option: 0}))
    assert isinstance(verdict, Braked)
    assert verdict.which == which


def test_the_reason_can_be_shown_to_an_agent() -> None:
    verdict = check(Counts(address_hour=5), Brakes())
    assert isinstance(verdict, Braked)
    assert verdict.reason == "5 automatic mails to this address within an hour, the limit is 5"


def test_the_narrowest_limit_is_named() -> None:
    verdict = check(Counts(address_hour=5, same_subject_hour=2, total_hour=300), Brakes())
    assert isinstance(verdict, Braked)
    assert verdict.which == "same_subject_hour"


@pytest.mark.parametrize(
    ("recipient", "domain"),
    [
        ("ann@customer.example", "customer.example"),
        ("Ann@Customer.EXAMPLE", "customer.example"),
        ("somebody@gmail.com", None),
        ("somebody@GMX.de", None),
        ("somebody@notgmail.com", "notgmail.com"),
    ],
)
def test_users_of_a_mail_provider_do_not_brake_each_other(recipient: str, domain: str | None) -> None:
    planned = Planned(recipient, 1, "Printer", "ticket.autoresp")
    assert planned.domain == domain
    counted = 10_000 if planned.domain else None
    assert isinstance(check(Counts(domain_hour=counted), Brakes()), Braked) is (domain is not None)


@pytest.mark.parametrize(
    ("which", "told"),
    [
        ("address_day", "ann@customer.example"),
        ("ticket_hour", "ann@customer.example"),
        ("domain_hour", "the domain customer.example"),
        ("template_hour", "the template ticket.autoresp"),
        ("total_hour", "all addresses"),
    ],
)
def test_agents_are_told_once_of_what_the_limit_is_about(which: Which, told: str) -> None:
    planned = Planned("ann@customer.example", 1, "Printer", "ticket.autoresp")
    assert what_is_braked(which, planned) == told


@given(st.builds(Counts, *[st.integers(0, 400)] * len(fields(Counts))), st.sampled_from(list(LIMITS)))
def test_more_mail_never_loosens_a_brake(counts: Counts, which: str) -> None:
    more = replace(counts, **{which: getattr(counts, which) + 1})
    if isinstance(check(counts, Brakes()), Braked):
        assert isinstance(check(more, Brakes()), Braked)
