"""What customers can ask for by one tap, and in whose words. Codes are kept for good (taps.py)."""

from __future__ import annotations

import enum
from typing import Final

from mailticket.domain.requests import Tap
from mailticket.domain.status import FINISHED, Status
from mailticket.domain.types import TicketFacts

_CODE_BITS = 6


class CustomerAction(enum.IntEnum):
    """What a link in a customer's mail asks for; codes from `taps.FIRST_OF_CUSTOMERS` on."""

    CLOSE = 32
    SOLVED = 33
    BROKEN = 34
    RATE = 35
    """Its argument is the score, 1 to 5."""
    STATUS = 36
    REOPEN = 37


LABELS: Final[dict[str, dict[CustomerAction, str]]] = {
    "en": {
        CustomerAction.CLOSE: "Close it, it has been settled",
        CustomerAction.SOLVED: "Yes, it is solved",
        CustomerAction.BROKEN: "No, it is still not solved",
        CustomerAction.STATUS: "See all my open tickets",
        CustomerAction.REOPEN: "Open it again",
    },
    "de": {
        CustomerAction.CLOSE: "Schließen, es hat sich erledigt",
        CustomerAction.SOLVED: "Ja, es ist gelöst",
        CustomerAction.BROKEN: "Nein, es ist noch nicht gelöst",
        CustomerAction.STATUS: "Alle meine offenen Tickets sehen",
        CustomerAction.REOPEN: "Wieder öffnen",
    },
    "fr": {
        CustomerAction.CLOSE: "Clore, c'est réglé",
        CustomerAction.SOLVED: "Oui, c'est résolu",
        CustomerAction.BROKEN: "Non, ce n'est pas résolu",
        CustomerAction.STATUS: "Voir toutes mes demandes en cours",
        CustomerAction.REOPEN: "Rouvrir",
    },
    "es": {
        CustomerAction.CLOSE: "Cerrar, ya está solucionado",
        CustomerAction.SOLVED: "Sí, está resuelto",
        CustomerAction.BROKEN: "No, sigue sin resolverse",
        CustomerAction.STATUS: "Ver todas mis solicitudes abiertas",
        CustomerAction.REOPEN: "Reabrir",
    },
    "pt": {
        CustomerAction.CLOSE: "Encerrar, já está resolvido",
        CustomerAction.SOLVED: "Sim, está resolvido",
        CustomerAction.BROKEN: "Não, ainda não está resolvido",
        CustomerAction.STATUS: "Ver todos os meus pedidos abertos",
        CustomerAction.REOPEN: "Reabrir",
    },
    "ja": {
        CustomerAction.CLOSE: "解決したのでクローズする",
        CustomerAction.SOLVED: "はい、解決しました",
        CustomerAction.BROKEN: "いいえ、まだ解決していません",
        CustomerAction.STATUS: "未完了のチケットをすべて見る",
        CustomerAction.REOPEN: "再開する",
    },
}
"""The words of the links, by language; one that is not here reads English."""
SCORES: Final[dict[str, tuple[str, str, str, str, str]]] = {
    "en": ("1: bad", "2: not good", "3: all right", "4: good", "5: very good"),
    "de": ("1: schlecht", "2: nicht gut", "3: in Ordnung", "4: gut", "5: sehr gut"),
    "fr": ("1 : mauvais", "2 : pas bien", "3 : correct", "4 : bien", "5 : très bien"),
    "es": ("1: mal", "2: no muy bien", "3: regular", "4: bien", "5: muy bien"),
    "pt": ("1: mau", "2: não muito bom", "3: razoável", "4: bom", "5: muito bom"),
    "ja": ("1：悪い", "2：あまり良くない", "3：普通", "4：良い", "5：とても良い"),
}
_SEND_IT: Final = {
    "en": "Just send this mail.",
    "de": "Senden Sie diese Mail einfach ab.",
    "fr": "Envoyez simplement ce message.",
    "es": "Simplemente envíe este mensaje.",
    "pt": "Basta enviar esta mensagem.",
    "ja": "このままメールを送信してください。",
}
_BODIES: Final = frozenset(_SEND_IT.values())

_SETTLED: Final = frozenset({"ticket.reply", "ticket.resolved", "ticket.autoresolved"})
"""Mails that say that a ticket is solved, so that the customer may have another opinion."""
_NOTHING_OFFERED: Final = frozenset({"held.ask", "ticket.overlimit"})
"""A question with answers of its own, and a mail that mostly a machine gets."""


def expected_body() -> frozenset[str]:
    """The texts that links put into the mails they open."""
    return _BODIES


def label_of(action: CustomerAction, language: str) -> str:
    """The words of a link."""
    return LABELS.get(language[:2], LABELS["en"])[action]


def customer_taps(template: str, ticket: TicketFacts, language: str) -> tuple[Tap, ...]:
    """What the customer who gets a mail about `ticket` can ask for by one tap."""
    spoken = language[:2] if language[:2] in LABELS else "en"
    if template == "ticket.satisfaction":
        return tuple(
            _tap(CustomerAction.RATE, SCORES[spoken][score - 1], ticket, spoken, argument=score)
            for score in (5, 4, 3, 2, 1)
        )
    if template in _NOTHING_OFFERED:
        return ()
    actions = _fitting(template, ticket.status)
    return tuple(_tap(action, LABELS[spoken][action], ticket, spoken) for action in actions)


def _fitting(template: str, status: str) -> tuple[CustomerAction, ...]:
    """What makes sense of a ticket in this state."""
    if status not in FINISHED:
        return (CustomerAction.CLOSE, CustomerAction.STATUS)
    if status in (Status.ARCHIVED, Status.MERGED):
        return (CustomerAction.STATUS,)
    if template in _SETTLED:
        return (CustomerAction.SOLVED, CustomerAction.BROKEN, CustomerAction.STATUS)
    return (CustomerAction.REOPEN, CustomerAction.STATUS)


def _tap(action: CustomerAction, label: str, ticket: TicketFacts, spoken: str, *, argument: int = 0) -> Tap:
    code = action | argument << _CODE_BITS
    return Tap(action.name.lower(), label, code, f"{label} ({ticket.number})", _SEND_IT[spoken])
