"""store/aliases.py: one question per address, and the mails that wait for its answer."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Engine, update

from mailticket.domain.people_changes import AskAgent
from mailticket.domain.sender import AliasState
from mailticket.mail.token import Role, mint, verify
from mailticket.store import aliases
from mailticket.store.engine import reading, transaction
from mailticket.store.inbox import InboundState, Inbox
from mailticket.store.models import Inbound
from tests.store.conftest import NOW, MakeMail

HOME = "sam@home.example"
SECRET = b"0123456789abcdef0123456789abcdef"
ASK = AskAgent("sam", HOME, "text", "subject", "why")


def held(engine: Engine, inbox: Inbox, mail: MakeMail, sender: str) -> int:
    """A mail of this sender, on hold."""
    (receipt,) = inbox.store([mail(sender)])
    with transaction(engine) as session:
        session.execute(
            update(Inbound).where(Inbound.id == receipt.inbound_id).values(state="held", sender=sender)
        )
    return receipt.inbound_id


def test_an_answer_puts_the_mails_that_waited_back_into_work(
    engine: Engine, inbox: Inbox, mail: MakeMail
) -> None:
    first, second = (held(engine, inbox, mail, sender) for sender in (HOME, "Sam@Home.example"))
    other = held(engine, inbox, mail, "eve@home.example")
    with transaction(engine) as session:
        alias = aliases.ask(session, ASK, first, NOW)
        assert aliases.settle(session, alias, True, "agent:sam", NOW) == 2
    assert [inbox.show(item).state for item in (first, second, other)] == [
        InboundState.PENDING,
        InboundState.PENDING,
        InboundState.HELD,
    ]
    with reading(engine) as session:
        found = aliases.alias_of(session, HOME)
        assert found is not None
        assert found.state is AliasState.CONFIRMED


def test_a_question_expires_once_and_can_then_be_asked_again(
    engine: Engine, inbox: Inbox, mail: MakeMail
) -> None:
    waiting = held(engine, inbox, mail, HOME)
    with transaction(engine) as session:
        first = aliases.ask(session, ASK, waiting, NOW)
        assert aliases.expire(session, NOW - timedelta(seconds=1), NOW) == 0
        assert aliases.expire(session, NOW, NOW + timedelta(days=1)) == 1
        assert aliases.expire(session, NOW, NOW + timedelta(days=1)) == 0
    assert inbox.show(waiting).state is InboundState.PENDING
    with transaction(engine) as session:
        later = NOW + timedelta(days=2)
        assert aliases.ask(session, ASK, waiting, later) == first
        found = aliases.alias_of(session, HOME)
        assert found is not None
        assert (found.state, found.asked_at) == (AliasState.PENDING, later)


def test_only_the_token_of_the_question_made_for_the_agent_leads_to_the_alias(
    engine: Engine, inbox: Inbox, mail: MakeMail
) -> None:
    waiting = held(engine, inbox, mail, HOME)
    with transaction(engine) as session:
        alias = aliases.ask(session, ASK, waiting, NOW)

        def leads(role: Role, number: int, identity: str, agent: str = "sam") -> bool:
            claims = verify(SECRET, mint(SECRET, role, number, 0, identity))
            assert claims is not None
            return aliases.challenge_of(session, [claims], agent) is not None

        assert leads(Role.CHALLENGE, alias, "agent:sam")
        assert not leads(Role.CHALLENGE, alias, "agent:sue")
        assert not leads(Role.CHALLENGE, alias, "agent:sue", "sue")
        assert not leads(Role.CHALLENGE, alias + 1, "agent:sam")
        assert not leads(Role.AGENT, alias, "agent:sam")
        assert not leads(Role.CUSTOMER, alias, "agent:sam")


def test_an_operator_can_confirm_and_forget(engine: Engine) -> None:
    with transaction(engine) as session:
        aliases.add_confirmed(session, HOME, "sam", "operator", NOW)
        assert [(row.address, row.state) for row in aliases.list_aliases(session)] == [(HOME, "confirmed")]
        assert aliases.remove(session, HOME)
        assert not aliases.remove(session, HOME)
        assert aliases.list_aliases(session) == []
