"""The story of a mail: facts and content in, one decision out. Pure, and in the order it reads.

What a mail may do follows from who is proven to write it (trust.py), which ticket its pointers
name (matching.py), and what kind of mail it is (mail/automated.py). `ignored` and `held` are
outcomes, not errors: the mail stays in the inbox, visible and retryable.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from mailticket.config.desk import Desk
from mailticket.domain.absence_commands import without_ticket
from mailticket.domain.absence_learning import ended_by_answer, learn_absence
from mailticket.domain.aliases import ask_owner, settle
from mailticket.domain.change import Decision
from mailticket.domain.console import decide_console
from mailticket.domain.decide_agent import decide_agent, decide_tapped
from mailticket.domain.decide_bounce import decide_bounce
from mailticket.domain.decide_customer import join, open_ticket, record_automatic
from mailticket.domain.decide_direct import decide_direct, has_it
from mailticket.domain.holding import decide_asked
from mailticket.domain.matching import Match, match_agent, match_customer
from mailticket.domain.outside import Outside, decide_outside, passed_on
from mailticket.domain.people_changes import EndAbsence, SetAbsence
from mailticket.domain.person import learn
from mailticket.domain.returned import refused
from mailticket.domain.screening import hold_unknown, screen
from mailticket.domain.self_service import decide_self_service
from mailticket.domain.status import NewLinkedTicket
from mailticket.domain.storms import govern
from mailticket.domain.trust import TrustFinding, allowed, trust_of
from mailticket.domain.types import Arrival, Facts, Outcome, TicketFacts, Trust
from mailticket.mail.types import MailKind, Reading

_ABOUT_OUR_MAIL = (
    MailKind.BOUNCE,
    MailKind.READ_RECEIPT,
    MailKind.FEEDBACK_REPORT,
    MailKind.AUTO_REPLY,
    MailKind.OUT_OF_OFFICE,
    MailKind.CHALLENGE,
)
"""Kinds that answer a mail of ours and say nothing new by themselves: never a ticket of their own."""


def decide(reading: Reading, arrival: Arrival, facts: Facts, desk: Desk, now: datetime) -> Decision:
    """What to do with one mail, and why.

    now: aware UTC. Never raises for anything a mail holds; the same arguments always give the same
    decision, which is what `explain` and `replay` rest on.
    """
    if _is_our_own(reading, desk):
        return Decision(Outcome.IGNORED, (), ("it is a mail this desk sent, come back to it",))
    if reading.classification.bounce is not None:
        return decide_bounce(reading.classification.bounce, facts)
    screened = screen(facts, arrival)
    if screened is not None:
        return screened
    trust = trust_of(reading.mail, arrival, facts, desk)
    if facts.sender is None:
        return _nobody(trust)
    answered = decide_asked(reading, facts, trust, desk, now)
    if answered is not None:
        return answered
    settled = _about_alias(reading, arrival, facts, trust, desk)
    if settled is not None:
        return settled
    if facts.sender_agent is not None:
        asked = decide_console(reading, arrival, facts, facts.sender_agent, trust, desk)
        if asked is not None:
            return asked
        decision = _as_agent(reading, arrival, facts, facts.sender_agent, trust, desk, now)
        if decision is not None:
            return _and_back(decision, facts, facts.sender_agent, desk, now)
    decision = learn(_as_customer(reading, arrival, facts, trust, desk, now), reading, facts)
    return govern(hold_unknown(decision, facts, arrival, desk), facts, desk, now)


def _about_alias(
    reading: Reading, arrival: Arrival, facts: Facts, trust: TrustFinding, desk: Desk
) -> Decision | None:
    """An agent's word on whether an address is theirs, or a mail that has to wait for it."""
    agent = facts.sender_agent
    if agent is None:
        return ask_owner(reading, arrival, facts, trust, desk)
    if facts.challenge is None or desk.agent_by_address.get(facts.sender or "") != agent:
        return None
    return settle(reading, agent, facts.challenge, trust, desk)


def _is_our_own(reading: Reading, desk: Desk) -> bool:
    return desk.instance in reading.mail.header_all("x-mailticket-loop")


def _nobody(trust: TrustFinding) -> Decision:
    why = "nobody can be told to have sent it, so it waits for a person: mailticket inbox list --state held"
    return Decision(Outcome.HELD, (), (*trust.reasons, why), trust.level)


def _as_agent(
    reading: Reading,
    arrival: Arrival,
    facts: Facts,
    agent: str,
    trust: TrustFinding,
    desk: Desk,
    now: datetime,
) -> Decision | None:
    """The decision for a mail from an agent's address; None when it is to be treated as an outsider's.

    The address alone makes nobody an agent. A mail that points at a ticket but proves nothing goes
    back to the agent's known address; one that points nowhere opens a ticket like anybody's.
    """
    proven = allowed(desk.trust, "agent_acts", trust.level)
    passed = passed_on(reading)
    copied = trust.copied and allowed(desk.trust, "agent_acts", Trust.AUTHENTICATED)
    match = match_agent(
        facts, agent, authenticated=trust.level is Trust.AUTHENTICATED, passed_on=passed is not None
    )
    if proven and not reading.classification.automatic and not _done_already(match, facts):
        work = Outside(reading, arrival, facts, agent, trust, match, desk, now)
        outside = decide_outside(work, passed)
        if outside is not None:
            return outside
    answers = match_agent(facts, agent, authenticated=True) if copied else match
    if answers.ticket is not None and (proven or copied) and _is_direct(reading, answers.ticket, facts):
        reasons = (*answers.reasons, *trust.reasons)
        return decide_direct(reading, answers.ticket, agent, trust, desk, reasons, facts=facts, now=now)
    if match.ticket is not None and proven:
        return _about_ticket(reading, facts, match, match.ticket, agent, trust, desk, now)
    if match.ticket is None and proven and not reading.classification.automatic:
        about_oneself = without_ticket(reading, agent, trust.level, facts, desk, now)
        if about_oneself is not None:
            return about_oneself
    if match.suspected is None or _takes_part(facts):
        return None
    return _not_proven(reading, agent, match, trust)


def _about_ticket(
    reading: Reading,
    facts: Facts,
    match: Match,
    ticket: TicketFacts,
    agent: str,
    trust: TrustFinding,
    desk: Desk,
    now: datetime,
) -> Decision:
    """The decision for a mail that an agent is proven to have sent about `ticket`."""
    reasons = (*match.reasons, *trust.reasons)
    if reading.classification.automatic:
        learnt = learn_absence(reading, facts, agent, match, trust, desk, now)
        if learnt is not None:
            return learnt
        why = f"an automatic mail of {agent} ({reading.classification.kind}) is never an answer"
        return Decision(Outcome.IGNORED, (), (*reasons, why), trust.level, ticket.id)
    if ticket.id in facts.already_in:
        return _already(match, trust)
    if facts.tapped is not None and facts.tapped.ticket_id == ticket.id:
        return decide_tapped(
            reading, facts.tapped, ticket, agent, trust.level, desk, reasons, facts=facts, now=now
        )
    entry = match.evidence.entry if match.evidence else 0
    return decide_agent(reading, ticket, agent, trust.level, desk, reasons, facts=facts, entry=entry, now=now)


def _done_already(match: Match, facts: Facts) -> bool:
    return match.ticket is not None and match.ticket.id in facts.already_in


def _is_direct(reading: Reading, ticket: TicketFacts, facts: Facts) -> bool:
    """Whether it is an answer that its reader has already, and that the ticket does not hold yet."""
    if reading.classification.automatic or ticket.id in facts.already_in:
        return False
    return bool(has_it(reading.mail, ticket.participants))


def _and_back(decided: Decision, facts: Facts, agent: str, desk: Desk, now: datetime) -> Decision:
    """An agent who does something is there, unless a date was set or the mail is about just that."""
    ended = ended_by_answer(facts, agent, desk, now)
    if ended is None or decided.outcome is not Outcome.AGENT_ACTED:
        return decided
    if any(isinstance(change, SetAbsence | EndAbsence) for change in decided.changes):
        return decided
    return replace(decided, changes=(*decided.changes, ended), reasons=(*decided.reasons, ended.why))


def _takes_part(facts: Facts) -> bool:
    """An agent can be a customer too, with a ticket of their own."""
    return any(facts.sender in ticket.participants for ticket in facts.tickets.values())


def _not_proven(reading: Reading, agent: str, match: Match, trust: TrustFinding) -> Decision:
    assert match.suspected is not None
    if reading.classification.automatic or trust.level is Trust.FAILED:
        why = "nothing proves that the agent wrote it, and no answer may go to such a mail"
        return Decision(Outcome.HELD, (), (*match.reasons, *trust.reasons, why), trust.level)
    why = f"it names #{match.suspected.number}, but nothing proves that {agent} wrote it"
    return refused(reading, agent, why, (*match.reasons, *trust.reasons), trust.level)


def _already(match: Match, trust: TrustFinding) -> Decision:
    assert match.ticket is not None
    why = f"ticket #{match.ticket.number} holds this very mail already"
    return Decision(Outcome.IGNORED, (), (*match.reasons, why), trust.level, match.ticket.id)


def _as_customer(
    reading: Reading, arrival: Arrival, facts: Facts, trust: TrustFinding, desk: Desk, now: datetime
) -> Decision:
    kind = reading.classification.kind
    match = match_customer(facts, forged=not allowed(desk.trust, "join", trust.level))
    if match.ticket is not None and match.ticket.id in facts.already_in:
        return _already(match, trust)
    if match.ticket is not None and reading.classification.automatic:
        why = f"an automatic mail ({kind}): kept on the ticket, answered by nobody"
        return _with(match.reasons, record_automatic(reading, facts, match.ticket, trust, why))
    if kind in _ABOUT_OUR_MAIL:
        why = f"an automatic mail ({kind}) that belongs to no ticket"
        return Decision(Outcome.IGNORED, (), (*match.reasons, *trust.reasons, why), trust.level)
    served = decide_self_service(reading, facts, trust, desk, now, match)
    if isinstance(served, Decision):
        return _with(match.reasons, served)
    reading = served or reading
    if match.ticket is None and not arrival.released and not allowed(desk.trust, "open_ticket", trust.level):
        return _held_by_policy(match, trust)
    if match.ticket is None:
        return open_ticket(reading, arrival, facts, match, trust, desk, now)
    joined = join(reading, arrival, facts, match.ticket, trust, desk, now, conflict=match.conflict)
    if isinstance(joined, NewLinkedTicket):
        return open_ticket(reading, arrival, facts, match, trust, desk, now, predecessor=match.ticket)
    return _with(match.reasons, joined)


def _held_by_policy(match: Match, trust: TrustFinding) -> Decision:
    why = f"at the level {trust.level} nobody opens a ticket here ([trust] open_ticket), so it waits"
    return Decision(Outcome.HELD, (), (*match.reasons, *trust.reasons, why), trust.level)


def _with(reasons: tuple[str, ...], decision: Decision) -> Decision:
    return replace(decision, reasons=(*reasons, *decision.reasons))
