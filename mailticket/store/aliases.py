"""Further addresses of agents, and the questions about them. Runs in the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from mailticket.config.desk import Desk
from mailticket.domain.people_changes import AskAgent
from mailticket.domain.sender import AliasFacts, AliasState
from mailticket.mail.token import Claims, Role, who_of
from mailticket.store.models import AgentAlias, Inbound

_ACTING = (Role.AGENT, Role.ACTION, Role.CHALLENGE)
"""Roles in which a token's bearer may be an agent."""


@dataclass(frozen=True, slots=True)
class WhoseAddress:
    """agent: its address or confirmed alias it is; alias, challenge: as in `Facts`."""

    agent: str | None
    alias: AliasFacts | None = None
    challenge: AliasFacts | None = None


def whose_address(session: Session, sender: str | None, desk: Desk, claims: Sequence[Claims]) -> WhoseAddress:
    """Which agent a canonical address belongs to, and what was asked about it.

    claims: of the tokens the mail carries. Only an agent's token makes an alias act, so nothing else
    costs a query.
    """
    agent = desk.agent_by_address.get(sender) if sender else None
    if sender is None or not any(claim.role in _ACTING for claim in claims):
        return WhoseAddress(agent)
    if agent is not None:
        return WhoseAddress(agent, challenge=challenge_of(session, claims, agent))
    alias = alias_of(session, sender)
    if alias is None or alias.state is not AliasState.CONFIRMED or alias.agent not in desk.agents:
        return WhoseAddress(None, alias)
    return WhoseAddress(alias.agent, alias)


def alias_of(session: Session, address: str) -> AliasFacts | None:
    """What is known of a canonical address as an agent's alias; None when nobody ever asked."""
    row = session.execute(select(AgentAlias).where(AgentAlias.address == address)).scalar_one_or_none()
    return _facts(row) if row is not None else None


def challenge_of(session: Session, claims: Iterable[Claims], agent: str) -> AliasFacts | None:
    """The alias that `agent` was asked about, by a token that was made for this agent."""
    for claim in claims:
        if claim.role is Role.CHALLENGE and claim.who == who_of(f"agent:{agent}"):
            row = session.get(AgentAlias, claim.ticket)
            if row is not None and row.agent == agent:
                return _facts(row)
    return None


def ask(session: Session, change: AskAgent, inbound_id: int, now: datetime) -> int:
    """Remember that an agent is asked about an address; the alias's id, for the token of the question."""
    row = session.execute(
        select(AgentAlias).where(AgentAlias.address == change.address).with_for_update()
    ).scalar_one_or_none()
    if row is None:
        row = AgentAlias(address=change.address)
        session.add(row)
    row.agent, row.state = change.agent, AliasState.PENDING.value
    row.inbound_id, row.created_at = inbound_id, now
    row.settled_at = row.settled_by = None
    session.flush()
    return row.id


def settle(session: Session, alias_id: int, confirmed: bool, actor: str, now: datetime) -> int:
    """Keep the answer, and have the mails that waited for it worked on; returns how many."""
    row = session.get_one(AgentAlias, alias_id, with_for_update=True)
    row.state = (AliasState.CONFIRMED if confirmed else AliasState.DENIED).value
    row.settled_at, row.settled_by = now, actor
    return _work_on([row.address], session, now)


def expire(session: Session, asked_before: datetime, now: datetime) -> int:
    """Give up the questions without an answer; their mails count as outsiders'. Returns how many."""
    addresses = (
        session.execute(
            update(AgentAlias)
            .where(AgentAlias.state == AliasState.PENDING.value, AgentAlias.created_at <= asked_before)
            .values(state=AliasState.EXPIRED.value, settled_at=now, settled_by="system")
            .returning(AgentAlias.address)
        )
        .scalars()
        .all()
    )
    _work_on(addresses, session, now)
    return len(addresses)


def add_confirmed(session: Session, address: str, agent: str, actor: str, now: datetime) -> int:
    """An operator says that an address is an agent's; returns how many mails waited for that."""
    row = session.execute(select(AgentAlias).where(AgentAlias.address == address)).scalar_one_or_none()
    if row is None:
        row = AgentAlias(address=address, created_at=now, inbound_id=None)
        session.add(row)
    row.agent, row.state = agent, AliasState.CONFIRMED.value
    row.settled_at, row.settled_by = now, actor
    return _work_on([address], session, now)


def remove(session: Session, address: str) -> bool:
    """Forget an address; the next mail from it asks again. False when it was not there."""
    row = session.execute(select(AgentAlias).where(AgentAlias.address == address)).scalar_one_or_none()
    if row is not None:
        session.delete(row)
    return row is not None


def list_aliases(session: Session) -> list[AgentAlias]:
    """All of them, by agent and address."""
    return list(session.execute(select(AgentAlias).order_by(AgentAlias.agent, AgentAlias.address)).scalars())


def _work_on(addresses: Sequence[str], session: Session, now: datetime) -> int:
    """Put the held mails of these senders back into work, whatever they were held for."""
    if not addresses:
        return 0
    changed = session.execute(
        update(Inbound)
        .where(Inbound.state == "held", func.lower(Inbound.sender).in_(addresses))
        .values(
            state="pending",
            attempts=0,
            parse_kills=0,
            lease_until=None,
            finished_at=None,
            next_try_at=now,
        )
        .returning(Inbound.id)
    ).all()
    return len(changed)


def _facts(row: AgentAlias) -> AliasFacts:
    return AliasFacts(row.id, row.address, row.agent, AliasState(row.state), row.created_at)
