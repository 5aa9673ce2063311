"""What the desk learns about a person from their mail: the language to answer in, and their clock.

The language, first found first taken: what the mail's headers declare, what is remembered of the
person, what the text shows. Programs declare the language of their menus whatever their user writes,
so a text that is plainly in another language overrules them; and it overrules a memory that was
itself only read from an earlier mail. A choice somebody made for the person stays until it is changed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from mailticket.config.desk import Desk
from mailticket.domain.change import Decision
from mailticket.domain.people_changes import LearnPerson
from mailticket.domain.sender import PersonFacts
from mailticket.domain.types import Facts, Outcome, Trust
from mailticket.mail.types import Reading, Writer

_TAUGHT_BY = (Outcome.NEW_TICKET, Outcome.THREADED)
CHOSEN = "choice"
"""How a language is known that somebody chose, as `person.language_from` has it."""


@dataclass(frozen=True, slots=True)
class Language:
    """A language tag, how it is known ("header", "text", "choice"), and why, in words."""

    tag: str
    known_from: str
    why: str


def language_of(writer: Writer, remembered: PersonFacts) -> Language | None:
    """The language to answer a mail in; None when nothing tells, and the department's is the one."""
    kept = remembered.language
    chosen = kept is not None and remembered.language_from == CHOSEN
    if writer.spoken is not None and writer.plain and not chosen:
        same = _same(writer.declared, writer.spoken)
        if writer.declared is None or not same:
            return Language(writer.spoken, "text", f"the text is plainly {writer.spoken}")
    if writer.declared is not None:
        return Language(writer.declared, "header", f"its headers declare {writer.declared}")
    if kept is not None:
        return Language(kept, remembered.language_from or "text", f"{kept} is remembered of the sender")
    if writer.spoken is not None:
        return Language(writer.spoken, "text", f"the text reads as {writer.spoken}")
    return None


def learn(decision: Decision, reading: Reading, facts: Facts) -> Decision:
    """A decision about an outsider's mail together with what it teaches about its sender.

    Nothing is learnt from a machine, nor from a mail that was proven forged.
    """
    if (
        decision.outcome not in _TAUGHT_BY
        or facts.sender is None
        or reading.classification.automatic
        or decision.trust is Trust.FAILED
    ):
        return decision
    change = _lesson(reading.writer, facts.person, facts.sender)
    if change is None:
        return decision
    return replace(decision, changes=(*decision.changes, change), reasons=(*decision.reasons, change.why))


def _lesson(writer: Writer, known: PersonFacts, sender: str) -> LearnPerson | None:
    """What is new about the sender. A choice somebody made is never unlearnt."""
    found = language_of(writer, known)
    offset = writer.utc_offset if writer.utc_offset is not None else known.utc_offset
    if found is not None and known.language_from != CHOSEN and found.tag != known.language:
        why = f"the sender's language is {found.tag}: {found.why}"
        return LearnPerson(sender, found.tag, found.known_from, offset, why)
    if offset == known.utc_offset:
        return None
    return LearnPerson(sender, known.language, known.language_from, offset, "where the sender's clock stands")


def language_for(person: PersonFacts | None, department: str, desk: Desk) -> str:
    """In which language the desk writes to somebody: theirs, else the department's, else its own."""
    if person is not None and person.language is not None:
        return person.language
    home = desk.departments.get(department)
    return (home.language if home is not None else None) or desk.language


def _same(one: str | None, other: str) -> bool:
    return one is not None and one.partition("-")[0] == other
