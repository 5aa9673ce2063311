"""Further addresses of agents: a token from an address we do not know makes us ask, and one reply settles it.

A token belongs to one agent. When mail with it comes from somewhere else, it may be the agent's
other mail account, or somebody to whom the agent passed a mail on. Nobody acts as the agent until
the agent has said yes, from a known address, with the token of the question; the mail waits so
long. After "no", or without an answer in time, it counts as any outsider's.
"""

from __future__ import annotations

from mailticket.config.desk import Desk
from mailticket.domain.change import Decision
from mailticket.domain.people_changes import AskAgent, SettleAlias
from mailticket.domain.returned import refused
from mailticket.domain.sender import AliasFacts, AliasState
from mailticket.domain.trust import TrustFinding
from mailticket.domain.types import Arrival, Facts, Outcome, Trust
from mailticket.mail.types import Reading

_AGENT = "agent:"
_YES = frozenset(["yes", "y", "confirm", "confirmed", "ok", "ja", "oui", "si", "sí", "sim", "tak", "да"])
_NO = frozenset(["no", "n", "deny", "denied", "nein", "non", "não", "nie", "нет"])
_AROUND = " \t\"'.,;:!#*/_-"
_LONGEST = 40


def ask_owner(
    reading: Reading, arrival: Arrival, facts: Facts, trust: TrustFinding, desk: Desk
) -> Decision | None:
    """The decision to wait for an agent's word about a mail from an unknown address with their token.

    None when there is nothing to ask: no token of an agent, a sender who takes part in the ticket
    anyway, a robot, a forged mail, or a question that was answered with no, or not at all.
    """
    agent = _owner(facts, desk)
    if agent is None or facts.sender is None or trust.level is Trust.FAILED:
        return None
    if reading.classification.automatic or facts.sender in desk.department_by_address:
        return None
    alias = facts.alias
    if alias is not None and not _open_question(alias, agent, arrival, desk):
        return None
    name = desk.agents[agent].name
    found = f"it carries a token made for {name}, but comes from {facts.sender}"
    if alias is not None and alias.state is AliasState.PENDING:
        why = f"{found}: {name} was asked already whether that address is theirs, and it waits for the answer"
        return Decision(Outcome.HELD, (), (*trust.reasons, why), trust.level)
    why = f"{found}: {name} is asked whether that address is theirs, and it waits for the answer"
    change = AskAgent(agent, facts.sender, reading.content.reply, reading.mail.subject, why)
    return Decision(Outcome.HELD, (change,), (*trust.reasons, why), trust.level)


def _owner(facts: Facts, desk: Desk) -> str | None:
    """Whose token the mail carries; None for a participant, who writes for themselves."""
    for evidence in facts.evidence:
        party = evidence.party or ""
        agent = party.removeprefix(_AGENT)
        if party.startswith(_AGENT) and agent in desk.agents:
            taking_part = facts.tickets[evidence.ticket_id].participants
            return None if facts.sender in taking_part else agent
    return None


def _open_question(alias: AliasFacts, agent: str, arrival: Arrival, desk: Desk) -> bool:
    """Whether the agent may be asked, or is being asked, about the mail that has arrived."""
    if alias.agent != agent or alias.state in (AliasState.DENIED, AliasState.CONFIRMED):
        return False
    waited = arrival.received_at <= alias.asked_at + desk.trust.challenge_expires
    return alias.state is AliasState.PENDING or not waited


def settle(reading: Reading, agent: str, alias: AliasFacts, trust: TrustFinding, desk: Desk) -> Decision:
    """The decision for an agent's answer to the question about `alias`; its first line is yes or no.

    The caller has checked that the mail comes from a known address of the agent and carries the
    token of the question.
    """
    told = f"it answers the question whether {alias.address} belongs to {desk.agents[agent].name}"
    if trust.level is Trust.FAILED:
        return Decision(Outcome.HELD, (), (told, *trust.reasons), trust.level)
    if reading.classification.automatic:
        why = f"an automatic mail ({reading.classification.kind}) is no answer"
        return Decision(Outcome.IGNORED, (), (told, why), trust.level)
    said = _first_word(reading.content.reply)
    if said is None:
        return _not_understood(reading, agent, told)
    wanted = AliasState.CONFIRMED if said else AliasState.DENIED
    if alias.state is wanted:
        return Decision(Outcome.IGNORED, (), (told, f"it is {wanted} already"), Trust.TOKEN)
    why = f"{desk.agents[agent].name} {'confirms' if said else 'denies'} that {alias.address} is theirs"
    change = SettleAlias(alias.id, said, f"{_AGENT}{agent}", why)
    return Decision(Outcome.AGENT_ACTED, (change,), (told, why), Trust.TOKEN)


def _first_word(text: str) -> bool | None:
    """Yes, no, or None when the first line is neither."""
    line = next((line.strip() for line in text.splitlines() if line.strip()), "")
    word = line[:_LONGEST].strip(_AROUND).casefold()
    return True if word in _YES else False if word in _NO else None


def _not_understood(reading: Reading, agent: str, told: str) -> Decision:
    why = "the first line of the answer must be yes or no"
    return refused(reading, agent, why, (told,), Trust.TOKEN)
