"""Custom fields: what somebody wrote becomes a value of the field's type, or a reason why it cannot."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mailticket.config import field_values
from mailticket.config.capture import extractor
from mailticket.config.desk import Desk
from mailticket.config.field_values import FieldProblem, shown
from mailticket.config.lifecycle import CustomField
from mailticket.domain.change import Change
from mailticket.domain.tie_changes import SetCustomField
from mailticket.domain.types import FieldValue
from mailticket.mail.nearest import nearest
from mailticket.mail.types import Reading

__all__ = ["FieldProblem", "field_changes", "from_mail", "read_value", "shown", "visible_to"]


def read_value(field: CustomField, text: str) -> FieldValue | FieldProblem:
    """The value a text stands for, as in `field_values.read_value`; a problem names the choice it is near."""
    value = field_values.read_value(field, text)
    if not isinstance(value, FieldProblem) or not field.choices:
        return value
    folded = {choice.casefold(): choice for choice in field.choices}
    close = nearest(" ".join(text.split()).casefold(), folded)
    return FieldProblem(value.reason, folded[close] if close else "")


def visible_to(desk: Desk, fields: Mapping[str, FieldValue], *, customer: bool) -> Iterator[tuple[str, str]]:
    """(name, value) of the fields of a ticket that somebody may read, in the order of the configuration."""
    for key, field in desk.fields.items():
        value = fields.get(key)
        if value is not None and (field.visible or not customer):
            yield field.name, shown(value)
    for key, value in fields.items():
        if key not in desk.fields and value is not None and not customer:
            yield key, shown(value)


def from_mail(
    desk: Desk, department: str, topic: str | None, subject: str, body: str
) -> Iterator[tuple[str, FieldValue | FieldProblem, str]]:
    """(key, value or problem, where it was found) of each field whose pattern finds something in a mail."""
    for key, field in desk.fields.items():
        if field.pattern is None or not field.belongs_to(department, topic):
            continue
        for place, text in (("subject", subject), ("body", body)):
            if field.pattern_in not in (place, "both"):
                continue
            found = extractor(field.pattern).value_in(text)
            if found is not None:
                yield key, read_value(field, found), place
                break


def field_changes(
    reading: Reading, department: str, topic: str | None, desk: Desk
) -> tuple[list[Change], list[str]]:
    """What the patterns take from a mail that opens a ticket, and why the rest is left out."""
    changes: list[Change] = []
    misfits: list[str] = []
    found = from_mail(desk, department, topic, reading.mail.subject, reading.mail.text) if desk.fields else ()
    for key, value, place in found:
        if isinstance(value, FieldProblem):
            misfits.append(f"not set from the {place}: {value.reason}")
        elif value is not None:
            why = f"{desk.fields[key].name} {value}: found in the {place}"
            changes.append(SetCustomField(None, key, value, "system", why))
    return changes, misfits
