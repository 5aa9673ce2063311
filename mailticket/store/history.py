"""What was with a sender before: asked only where a rule wants to know."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from mailticket.config.desk import Desk
from mailticket.config.rules import OF_HISTORY
from mailticket.domain.sender import SenderHistory
from mailticket.mail.address import canonical
from mailticket.mail.types import ParsedMail
from mailticket.store.dialect import table_of
from mailticket.store.models import Ticket
from mailticket.store.people import contacts

MOST_COUNTED: Final = 1000
"""Open tickets of one sender are counted up to this."""

_T: Final = table_of(Ticket).c
_OPEN: Final = (
    select(_T.id)
    .where(_T.requester_address == bindparam("sender"), _T.closed_at.is_(None))
    .limit(MOST_COUNTED)
    .subquery()
)
_HOW_MANY_OPEN: Final = select(func.count()).select_from(_OPEN)


def sender_history(session: Session, mail: ParsedMail, sender: str | None, desk: Desk) -> SenderHistory:
    """What the desk's rules want to know of the past of a sender; nothing is asked that none wants."""
    asks_reply_to = any(rule.then.reply_to for rule in desk.rules)
    if sender is None or not (desk.asked & OF_HISTORY or asks_reply_to):
        return SenderHistory()
    answers_go_to = canonical(mail.reply_to[0].address) if asks_reply_to and len(mail.reply_to) == 1 else None
    wanted = {one for one in (sender if "bounced" in desk.asked else None, answers_go_to) if one is not None}
    known = contacts(session, wanted) if wanted else {}
    return SenderHistory(
        open_tickets=_open_tickets(session, sender) if "open_tickets" in desk.asked else 0,
        bounced=sender in known and known[sender].unreachable_since is not None,
        known_reply_to=answers_go_to in known,
    )


def _open_tickets(session: Session, sender: str) -> int:
    return int(session.connection().execute(_HOW_MANY_OPEN, {"sender": sender}).scalar_one())


def history_at(session: Session, sender: str, moment: datetime) -> tuple[bool, int]:
    """(whether the sender had opened a ticket before, how many of theirs were open) at a moment."""
    mine = _T.requester_address == sender
    known = session.execute(select(_T.id).where(mine, _T.created_at < moment).limit(1)).first() is not None
    still_open = (_T.closed_at.is_(None)) | (_T.closed_at > moment)
    rows = select(_T.id).where(mine, _T.created_at < moment, still_open).limit(MOST_COUNTED).subquery()
    return known, int(session.execute(select(func.count()).select_from(rows)).scalar_one())
