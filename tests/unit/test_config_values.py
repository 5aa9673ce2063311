"""What options accept, and how they refuse."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from mailticket.config.problems import did_you_mean, dotted, mask_url, shown
from mailticket.config.rules import ConditionField
from mailticket.config.values import (
    Address,
    ClockTime,
    Day,
    Duration,
    InstanceId,
    Intervals,
    Line,
    PositiveDuration,
    TimeZone,
    Weekday,
    key_mistake,
    parse_interval,
)


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("45s", 45),
        ("30m", 1800),
        ("18h", 64800),
        ("1h30m", 5400),
        ("2d", 172800),
        ("1w", 604800),
        (" 1H 30M ", 5400),
    ],
)
def test_a_duration_is_a_sum_of_counts_with_units(written: str, seconds: int) -> None:
    assert TypeAdapter(Duration).validate_python(written) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "written", ["", "5", "5 minutes", "h", "-5m", "1.5h", 300, True, "9999999w", "1h-30m", "٣h"]
)
def test_what_is_no_duration_is_refused(written: Any) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Duration).validate_python(written)


@given(st.text(max_size=30))
def test_any_text_is_a_duration_or_refused(text: str) -> None:
    try:
        value = TypeAdapter(Duration).validate_python(text)
    except ValidationError:
        return
    assert timedelta(0) <= value <= timedelta(days=3660)


def test_no_time_at_all_is_a_duration_but_not_a_positive_one() -> None:
    assert TypeAdapter(Duration).validate_python("0s") == timedelta(0)
    with pytest.raises(ValidationError):
        TypeAdapter(PositiveDuration).validate_python("0s")


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("support@desk.example", "support@desk.example"),
        ("Helen@DESK.example", "Helen@desk.example"),
        ("help@desk.test", "help@desk.test"),
        ("help@mail.local", "help@mail.local"),
        ("help@localhost", "help@localhost"),
        ("hilfe@bücher.example", "hilfe@xn--bcher-kva.example"),
    ],
)
def test_an_address_is_kept_with_its_domain_in_ascii(written: str, kept: str) -> None:
    assert TypeAdapter(Address).validate_python(written) == kept


@pytest.mark.parametrize(
    "written",
    [
        "",
        "support",
        "@desk.example",
        "a b@desk.example",
        "a@b@desk.example",
        "a@desk",
        "a@.local",
        "@localhost",
    ],
)
def test_what_is_no_address_is_refused(written: str) -> None:
    with pytest.raises(ValidationError, match="is not a mail address"):
        TypeAdapter(Address).validate_python(written)


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/New_York"])
def test_time_zones_are_those_of_the_iana_database(zone: str) -> None:
    assert TypeAdapter(TimeZone).validate_python(zone) == zone


@pytest.mark.parametrize(
    "zone", ["", "Europe", "Berlin", "../etc/passwd", "/etc/localtime", "Europe/Berln", "\0"]
)
def test_what_is_no_time_zone_is_refused(zone: str) -> None:
    with pytest.raises(ValidationError, match="is not a known time zone"):
        TypeAdapter(TimeZone).validate_python(zone)


@pytest.mark.parametrize(
    ("text", "minutes"),
    [("09:00-17:30", (540, 1050)), ("00:00-24:00", (0, 1440)), ("09:00 - 12:00", (540, 720))],
)
def test_an_interval_is_minutes_since_midnight(text: str, minutes: tuple[int, int]) -> None:
    assert parse_interval(text) == minutes


@pytest.mark.parametrize(
    "text",
    [
        "",
        "9-17",
        "9:00-17:00",
        "09:00-08:00",
        "09:00-09:00",
        "22:00-06:00",
        "09:60-10:00",
        "09:00-24:01",
        "25:00-26:00",
    ],
)
def test_what_is_no_interval_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_interval(text)


@given(st.text(max_size=15))
def test_any_text_is_an_interval_within_a_day_or_refused(text: str) -> None:
    try:
        start, end = parse_interval(text)
    except ValueError:
        return
    assert 0 <= start < end <= 1440


def test_intervals_may_touch_and_come_in_any_order_but_not_overlap() -> None:
    adapter = TypeAdapter(Intervals)
    assert adapter.validate_python(["13:00-17:00", "09:00-13:00"]) == ("13:00-17:00", "09:00-13:00")
    with pytest.raises(ValidationError, match="overlap"):
        adapter.validate_python(["09:00-17:00", "12:00-13:00"])


@pytest.mark.parametrize(
    ("kind", "written"),
    [
        (ClockTime, 8),
        (ClockTime, "25:00"),
        (ClockTime, "08:00Z"),
        (Day, 20261224),
        (Day, "2026-13-01"),
        (Weekday, "someday"),
        (Line, ""),
        (Line, "two\nlines"),
        (Line, "a bell \x07"),
        (InstanceId, "a b"),
        (InstanceId, "-a"),
        (InstanceId, "a@b"),
        (ConditionField, "subjct"),
        (ConditionField, "header:"),
        (ConditionField, "header:X Y"),
    ],
)
def test_values_of_other_kinds_are_refused(kind: Any, written: Any) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(kind).validate_python(written)


def test_a_header_is_a_field_of_a_condition() -> None:
    assert TypeAdapter(ConditionField).validate_python("Header: X-Spam-Flag") == "header:X-Spam-Flag"


@pytest.mark.parametrize("key", ["", "IT", "a b", "-a", "ä", "a" * 41, "a.b"])
def test_keys_that_no_command_could_name_are_refused(key: str) -> None:
    assert key_mistake(key) is not None


@pytest.mark.parametrize("key", ["it", "2nd-level", "a_b", "a" * 40])
def test_plain_keys_are_accepted(key: str) -> None:
    assert key_mistake(key) is None


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (("departments", "it", "addresses", 0), "departments.it.addresses[0]"),
        (("rules", "Big outage", "when", 1, "how"), 'rules."Big outage".when[1].how'),
        ((), ""),
    ],
)
def test_a_path_is_written_as_in_toml(path: tuple[str | int, ...], text: str) -> None:
    assert dotted(path) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("x", "'x'"),
        (True, "true"),
        (5, "5"),
        (["a", 1], "['a', 1]"),
        ({"password": "hunter2"}, None),
        ([{"password": "hunter2"}], None),
        ("x" * 200, "'" + "x" * 76 + "..."),
        ("smtp://me:hunter2@host", "'smtp://me:***@host'"),
    ],
)
def test_a_value_is_shown_shortened_and_without_passwords(value: Any, text: str | None) -> None:
    assert shown(value) == text


@pytest.mark.parametrize(
    ("url", "masked"),
    [
        ("postgresql://u:p@w/@host/db", "postgresql://u:***@host/db"),
        ("postgresql://host:5432/db", "postgresql://host:5432/db"),
        ("postgresql://host/db?user=u&password=hunter2&x=1", "postgresql://host/db?user=u&password=***&x=1"),
        ("sqlite:////var/x.db", "sqlite:////var/x.db"),
    ],
)
def test_a_url_loses_its_password(url: str, masked: str) -> None:
    assert mask_url(url) == masked


def test_the_nearest_word_is_suggested_whatever_its_case() -> None:
    assert did_you_mean("EUROPE/BERLN", ["Europe/Berlin", "Europe/Bern"]) == "Did you mean Europe/Berlin?"
    assert did_you_mean("zzz", ["b", "a"]) == "Known are: a, b"
    assert did_you_mean("zzz", []) is None
