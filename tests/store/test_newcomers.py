"""An agent's first alerts explain how to answer; whoever has had ten knows it."""

from __future__ import annotations

from email.message import EmailMessage

from sqlalchemy import Engine, func, select

from mailticket.store.engine import reading
from mailticket.store.models import AgentPrimer
from mailticket.store.newcomers import FIRST
from tests.store.small_desk import SAM, SUPPORT, SmallDesk


def text(mail: EmailMessage) -> str:
    part = mail.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def test_only_the_first_alerts_of_an_agent_list_the_commands(engine: Engine) -> None:
    desk = SmallDesk(engine)
    for number in range(FIRST + 3):
        asked = f"c{number}@customer.example"
        desk.receive(
            f"From: {asked}\r\nTo: {SUPPORT}\r\nSubject: Help {number}\r\nMessage-ID: <{number}@customer>\r\n"
            "\r\nIt burns.\r\n".encode(),
            sender=asked,
        )
    alerts = [text(mail) for mail in desk.to(SAM)]
    assert len(alerts) == FIRST + 3
    listed = ["Move it to a department" in alert for alert in alerts]
    assert listed == [True] * FIRST + [False] * 3
    assert all("#note" in alert and "#help" in alert for alert in alerts)
    assert not any(
        "Move it to a department" in text(mail) for mail in desk.sent if SAM not in str(mail["To"])
    )
    with reading(engine) as session:
        assert session.execute(select(func.count()).select_from(AgentPrimer)).scalar_one() == FIRST
