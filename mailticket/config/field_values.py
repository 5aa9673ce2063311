"""Values of custom fields: a text, written by a person or in a rule, becomes one, or a reason why not."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Final

from mailticket.config.lifecycle import CustomField

FieldValue = str | int | float | None
"""What a ticket keeps: a text (choices and ISO dates too), a number, or nothing."""

LONGEST: Final = 500
"""Characters of a text."""
NOTHING: Final = frozenset({"none", "-", "--"})
"""What takes a value away."""
_NUMBER = re.compile(r"[+-]?[0-9]{1,15}(?:\.[0-9]{1,9})?", re.ASCII)
_GROUPED = re.compile(r"(?<=[0-9])[ '_\u00a0\u202f](?=[0-9]{3}(?![0-9]))")
_DATE = re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})", re.ASCII)
_DOTTED = re.compile(r"([0-9]{1,2})\.\s?([0-9]{1,2})\.\s?([0-9]{4})", re.ASCII)


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """Why a text is no value of a field, as a sentence. `nearest` is a value that may be meant, or ""."""

    reason: str
    nearest: str = ""


def read_value(field: CustomField, text: str) -> FieldValue | FieldProblem:
    """The value a text stands for; None for "none" and "-", which take it away.

    Numbers may have blanks or apostrophes between thousands; dates are 2026-11-21 or 21.11.2026.
    """
    words = " ".join(text.split())
    if words.casefold() in NOTHING:
        return None
    if not words:
        return FieldProblem(f"{field.name} needs a value, or none")
    match field.type:
        case "number":
            return _number(field, words)
        case "date":
            return _date(field, words)
        case "choice":
            return _choice(field, words)
        case _:
            return _text(field, words)


def shown(value: FieldValue) -> str:
    """A value in words; "" for none."""
    return "" if value is None else str(value)


def _text(field: CustomField, words: str) -> FieldValue | FieldProblem:
    if len(words) > LONGEST:
        return FieldProblem(f"{field.name} takes at most {LONGEST} characters")
    return words


def _number(field: CustomField, words: str) -> FieldValue | FieldProblem:
    plain = _GROUPED.sub("", unicodedata.normalize("NFKC", words)).replace("−", "-")
    if "," in plain and "." not in plain and plain.count(",") == 1:
        plain = plain.replace(",", ".")
    if _NUMBER.fullmatch(plain) is None:
        return FieldProblem(f'{field.name} is a number, such as 12 or 3.5; "{words[:40]}" is none')
    try:
        number = Decimal(plain)
    except InvalidOperation:  # pragma: no cover -- the pattern lets nothing else through
        return FieldProblem(f"{field.name} is a number")
    return int(number) if number == number.to_integral_value() else float(number)


def _date(field: CustomField, words: str) -> FieldValue | FieldProblem:
    plain = unicodedata.normalize("NFKC", words)
    iso, dotted = _DATE.fullmatch(plain), _DOTTED.fullmatch(plain)
    problem = FieldProblem(f'{field.name} is a date, such as 2026-11-21; "{words[:40]}" is none')
    if iso is None and dotted is None:
        return problem
    parts = iso.groups() if iso is not None else dotted.groups()[::-1] if dotted is not None else ()
    try:
        return date(*map(int, parts)).isoformat()
    except ValueError:
        return problem


def _choice(field: CustomField, words: str) -> FieldValue | FieldProblem:
    wanted = words.casefold()
    for choice in field.choices:
        if choice.casefold() == wanted:
            return choice
    beginning = [choice for choice in field.choices if choice.casefold().startswith(wanted)]
    if len(beginning) == 1:
        return beginning[0]
    there = ", ".join(field.choices)
    return FieldProblem(f'{field.name} is one of: {there}; not "{words[:40]}"')
