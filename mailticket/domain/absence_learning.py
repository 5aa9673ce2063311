"""What an agent's own mails tell about being away: an out-of-office reply begins it, an answer ends it."""

from __future__ import annotations

from datetime import UTC, datetime, time

from mailticket.config.desk import Desk
from mailticket.domain.absence import Absence, Source, absence_of, until_words, zone_of
from mailticket.domain.absence_commands import end_absence
from mailticket.domain.change import Change, Decision
from mailticket.domain.matching import Match
from mailticket.domain.people_changes import EndAbsence, SetAbsence
from mailticket.domain.trust import TrustFinding
from mailticket.domain.types import Facts, Outcome, Trust
from mailticket.mail.types import MailKind, Reading


def learn_absence(
    reading: Reading, facts: Facts, agent: str, match: Match, trust: TrustFinding, desk: Desk, now: datetime
) -> Decision | None:
    """The decision for an out-of-office reply of `agent` to an alert; None where nothing is learnt from it.

    Only a reply with the token made for this very agent, from one of the agent's addresses, counts: so
    nobody else can send an agent away. It never comes onto the ticket, and nobody is told of it now: the
    agent reads no mail, and a mail to an out-of-office may be answered by it.
    """
    said = reading.classification
    if said.kind is not MailKind.OUT_OF_OFFICE or not desk.absence.learn:
        return None
    if trust.level is not Trust.TOKEN or match.evidence is None or match.evidence.party != f"agent:{agent}":
        return None
    name = desk.agents[agent].name
    until = now + (desk.absence.longest if said.returns_on is not None else desk.absence.undated)
    if said.returns_on is not None:
        begins = datetime.combine(said.returns_on, time(0), zone_of(desk, agent)).astimezone(UTC)
        until = min(begins, until)
    known = absence_of(desk, facts.presence, agent, now)
    if until <= now or (known is not None and (known.until is None or until <= known.until)):
        why = f"an out-of-office reply of {name} that tells nothing new: kept off the ticket"
        return _recorded((), match, trust, why)
    found = Absence(agent, now, until, Source.AUTO_REPLY)
    why = f"an out-of-office reply of {name} to an alert: away {until_words(desk, found)}"
    change = SetAbsence(
        agent, now, until, None, str(Source.AUTO_REPLY), reading.mail.subject[:200], "system", why
    )
    return _recorded((change,), match, trust, why)


def _recorded(changes: tuple[Change, ...], match: Match, trust: TrustFinding, why: str) -> Decision:
    return Decision(Outcome.RECORDED, changes, (*match.reasons, *trust.reasons, why), trust.level)


def ended_by_answer(facts: Facts, agent: str, desk: Desk, now: datetime) -> EndAbsence | None:
    """An agent who writes is back, where no date was set by hand: what was learnt, or open, ends.

    A date that somebody set holds: whoever answers one mail from the beach goes on being stood in for,
    and a deputy too many does less harm than one too few.
    """
    word = facts.presence.last_word(agent, now)
    if word is None or word.here or (word.until is not None and word.source is not Source.AUTO_REPLY):
        return None
    name = desk.agents[agent].name
    return end_absence(agent, desk, now, f"agent:{agent}", f"{name} writes, and so is back")
