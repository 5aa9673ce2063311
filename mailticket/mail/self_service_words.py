"""The few words with which a customer asks for something, alone in a mail, in the languages of the templates.

A word counts only when nothing else stands in the mail but thanks, a greeting or the sender's name: "close"
in a sentence is a sentence. Adding a language means adding its words here. Phrases that can be meant
otherwise (`done?`, `open`) are left out: a mail that is not understood is simply read by a person.
"""

from __future__ import annotations

import enum
import re
import unicodedata
from dataclasses import dataclass

_MOST_LINES = 12
_LONGEST = 60


class Wish(enum.StrEnum):
    """What the one word of a mail asks for."""

    STATUS = "status"
    CLOSE = "close"
    REOPEN = "reopen"
    SOLVED = "solved"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Said:
    """A mail of one word."""

    wish: Wish


_WORDS: dict[Wish, dict[str, str]] = {
    Wish.STATUS: {
        "en": "status | my tickets | ticket status | status of my tickets | list my tickets",
        "de": "status | meine tickets | ticketstatus | stand | status meiner tickets",
        "fr": "statut | état | mes tickets | mes demandes | statut de mes tickets",
        "es": "estado | mis tickets | mis solicitudes | estado de mis tickets",
        "pt": "estado | status | meus tickets | os meus tickets | meus pedidos | situação",
        "ja": "ステータス | 状況 | チケット一覧 | 状況確認",
    },
    Wish.CLOSE: {
        "en": "close | close ticket | close this ticket | close it | please close | please close this ticket",
        "de": "schließen | schliessen | ticket schließen | bitte schließen | bitte ticket schließen",
        "fr": "fermer | clore | clôturer | fermer le ticket | merci de fermer | clôturer le ticket",
        "es": "cerrar | cerrar ticket | cerrar el ticket | por favor cerrar",
        "pt": "fechar | encerrar | fechar ticket | fechar o ticket | encerrar o ticket",
        "ja": "完了 | クローズ | 終了 | クローズしてください | 閉じる",
    },
    Wish.REOPEN: {
        "en": "reopen | re-open | reopen ticket | reopen this ticket | please reopen",
        "de": "wieder öffnen | wiedereröffnen | ticket wieder öffnen | bitte wieder öffnen",
        "fr": "rouvrir | réouvrir | rouvrir le ticket",
        "es": "reabrir | reabrir ticket | reabrir el ticket",
        "pt": "reabrir | reabrir ticket | reabrir o ticket",
        "ja": "再開 | 再オープン | 再度オープン",
    },
    Wish.SOLVED: {
        "en": "solved | it is solved | resolved | fixed | problem solved",
        "de": "gelöst | erledigt | behoben | problem gelöst | ist erledigt",
        "fr": "résolu | réglé | c'est résolu | problème résolu",
        "es": "resuelto | solucionado | está resuelto | problema resuelto",
        "pt": "resolvido | solucionado | está resolvido | problema resolvido",
        "ja": "解決 | 解決済み | 解決しました",
    },
    Wish.BROKEN: {
        "en": "still broken | not solved | not fixed | still not working",
        "de": "nicht gelöst | geht immer noch nicht | immer noch kaputt | nicht behoben",
        "fr": "pas résolu | toujours en panne | non résolu",
        "es": "no resuelto | sigue sin funcionar | sigue fallando",
        "pt": "não resolvido | ainda não funciona | continua com problema",
        "ja": "未解決 | まだ直っていません | 解決していません",
    },
}
_POLITE = """
    " thanks | thank you | thx | many thanks | cheers | regards | best regards | kind regards | best |
    hello | hi | please | danke | vielen dank | danke schön | grüße | viele grüße | mit freundlichen
    grüßen | mfg | lg | vg | hallo | guten tag | bitte | merci | merci beaucoup | cordialement | bonjour
    | salutations | bien à vous | gracias | muchas gracias | saludos | un saludo | hola | buenos días |
    obrigado | obrigada | muito obrigado | cumprimentos | atenciosamente | olá | bom dia | ありがとう |
    ありがとうございます | よろしくお願いします | よろしくお願いいたします | お願いします
"""
_QUIET = ".,;:!。、！…*_~\"'“”„»«()[]-–—#/ \t\u00a0\u3000👍🙏🙂😀✅"
_BLANKS = re.compile(r"\s+")


def _fold(line: str) -> str:
    plain = unicodedata.normalize("NFKC", line).casefold().replace("’", "'")
    return _BLANKS.sub(" ", plain).strip(_QUIET)


def _phrases(table: str) -> frozenset[str]:
    return frozenset(_fold(one) for one in table.split("|"))


_MEANING = {
    phrase: wish for wish, languages in _WORDS.items() for table in languages.values()
    for phrase in _phrases(table)
}  # fmt: skip
_THANKS = _phrases(_POLITE)


def one_wish(reply_text: str, sender_name: str = "") -> Wish | None:
    """What a mail's new text asks for, when it holds nothing else; None for any other text.

    sender_name: as in From, for a name below the word. A question mark makes it a question.
    """
    lines = [line for line in reply_text.splitlines() if line.strip()]
    if not lines or len(lines) > _MOST_LINES or any(len(line) > _LONGEST for line in lines):
        return None
    name = set(_fold(sender_name).split())
    found: list[Wish] = []
    for line in lines:
        folded = _fold(line)
        meaning = None if "?" in line or "？" in line else _MEANING.get(folded)
        if meaning is not None:
            found.append(meaning)
        elif "?" in line or not (folded in _THANKS or not folded or (name and set(folded.split()) <= name)):
            return None
    return found[0] if len(found) == 1 else None


_SCORE = re.compile(r"(?:([1-5])(?:\s?/\s?5)?|([★⭐]{1,5})[☆]{0,4})[.!]?")


def score_of(reply_text: str) -> tuple[int, str] | None:
    """(1 to 5, the comment below) of a text whose first line is nothing but a score; None for any other."""
    first, _, rest = unicodedata.normalize("NFKC", reply_text.strip()).partition("\n")
    match = _SCORE.fullmatch(first.strip().replace("\ufe0f", ""))
    if match is None:
        return None
    return int(match[1]) if match[1] else len(match[2]), rest.strip()
