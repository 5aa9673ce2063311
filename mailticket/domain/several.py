"""One mail to several of our departments: it comes once for each, and makes one ticket, or linked ones.

Which copy is worked on first must not matter. So the home of the ticket is the department that the
mail's own header names first (To before Cc), whichever address this copy came to; the others are
referred to. A copy that comes when the ticket is there adds its department, where the header did not
name it (Bcc), or nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from mailticket.config.desk import Desk
from mailticket.domain.change import Change, Decision
from mailticket.domain.tie_changes import Link, Refer
from mailticket.domain.trust import TrustFinding
from mailticket.domain.types import Arrival, Facts, Outcome, TicketFacts
from mailticket.mail.address import canonical, without_extension
from mailticket.mail.types import ParsedMail

SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Home:
    """Where a mail counts as having arrived, and the other departments it was sent to."""

    arrival: Arrival
    facts: Facts
    others: tuple[str, ...] = ()


def home_of(mail: ParsedMail, arrival: Arrival, facts: Facts, desk: Desk) -> Home:
    """Where what this mail opens belongs: as if this copy had arrived there, and no other."""
    if desk.two_departments != "refer" or facts.department is None:
        return Home(arrival, facts)
    addressed: dict[str, str] = {}
    for entry in (*mail.to, *mail.cc):
        address = without_extension(canonical(entry.address))
        department = desk.department_by_address.get(address)
        if department is not None:
            addressed.setdefault(department, address)
    addressed.setdefault(facts.department, arrival.recipient)
    first = next(iter(addressed))
    if len(addressed) == 1 or (first == facts.department and not arrival.recipient):
        return Home(arrival, facts)
    own = arrival.recipient if first == facts.department else addressed[first]
    others = tuple(sorted(one for one in addressed if one != first))
    return Home(replace(arrival, recipient=own), replace(facts, department=first), others)


def same_mail(facts: Facts, desk: Desk, trust: TrustFinding) -> Decision | None:
    """What a further copy of a mail does whose ticket is there; None where it opens a ticket of its own."""
    twin = facts.twin
    if twin is None or desk.two_departments != "refer":
        return None
    why = f"this very mail, sent to another department too, is on ticket #{twin.number} already"
    here = facts.department
    if here is None or here == twin.department or here in twin.referred:
        return Decision(Outcome.IGNORED, (), (*trust.reasons, why), trust.level, twin.id)
    change = Refer(twin.id, here, SYSTEM, f"the mail was sent to {desk.departments[here].name} too")
    return Decision(Outcome.THREADED, (change,), (*trust.reasons, why, change.why), trust.level, twin.id)


def ties(home: Home, department: str, twin: TicketFacts | None, desk: Desk) -> list[Change]:
    """What ties a new ticket in `department` to the other departments the mail was sent to."""
    made: list[Change] = [
        Refer(None, other, SYSTEM, f"the mail was sent to {desk.departments[other].name} too")
        for other in home.others
        if other != department
    ]
    if twin is not None and desk.two_departments == "link":
        made.append(Link(None, twin.id, SYSTEM, f"the same mail opened #{twin.number} in another department"))
    return made
