"""The two lines by which our own text is known again when it comes back quoted.

Outgoing mails carry, above everything else, a line that asks to reply above it (`marker_line`) and
a body marker `[mt:TOKEN]` (mail/token.py mints and verifies the tokens). Whatever stands below such
a line was written by us or before us, whatever a client did to the mail on the way; other desks
send lines of the same sense, which are recognised too.
"""

from __future__ import annotations

import re
from itertools import islice

MARKER_LINES = {
    "en": "-- Please reply above this line --",
    "de": "-- Bitte oberhalb dieser Zeile antworten --",
    "fr": "-- Merci de répondre au-dessus de cette ligne --",
    "es": "-- Por favor, responda por encima de esta línea --",
    "pt": "-- Por favor, responda acima desta linha --",
    "ja": "-- この行より上に返信を書いてください --",
}
"""By language; each is recognised by `is_marker_line` however it was decorated."""

_MIN_TOKEN, _MAX_TOKEN = 36, 80
_MAX_TOKENS = 64
_MAX_STARTS = 2_000
"""Occurrences of `mt:` that are looked at; a mail of ours that was quoted ten times has ten."""
_MAX_REACH = 400
"""Characters behind `mt:` that are looked at: a token, line breaks and deep quote prefixes."""
_MAX_MARKER = 160
"""A line longer than this is a sentence about replying, not a marker."""

_TOKEN_HINTS = ("mt:", "mt&", "mt%")
_TOKEN_START = re.compile(r"mt(?::|&#58;|&#x3a;|&colon;|%3a)", re.IGNORECASE)
_TOKEN_PIECE = re.compile(r"[a-z2-7]{1,81}", re.ASCII | re.IGNORECASE)
_TOKEN_WRAP = re.compile(r"=?[ \t]*(?:<wbr ?/?>|<br ?/?>)?\r?\n?(?:[ \t>|]|&gt;){0,200}", re.IGNORECASE)
_TOKEN_CLOSE = re.compile(r"\]|&#93;|&#x5d;|&rsqb;|&rbrack;|%5d", re.IGNORECASE)

_ABOVE = re.compile(
    "|".join(
        [
            "(?:above|over) this (?:line|text|message)",
            "(?:oberhalb|über|ueber) dieser (?:zeile|linie)",
            "au[- ]dessus de (?:cette|la) ligne",
            "(?:por )?encima de est[ae] (?:línea|linea)",
            "acima d(?:esta|a) linha",
            "sopra (?:a )?quest[ao] (?:riga|linea)",
            "boven deze (?:regel|lijn)",
            "ovanför (?:den här|denna) (?:raden|linjen|rad|linje)",
            "over denne (?:linje|linjen|linie)",
            "tämän rivin yläpuolelle",
            "(?:powyżej|nad) tej lini[ią]|nad tą linią",
            "nad (?:tímto řádkem|tento řádek|tuto čáru)",
            "выше этой (?:линии|строки|черты)",
            "(?:вище|над) цією лінією|вище цієї лінії|вище цього рядка",
            "bu (?:satırın|çizginin) (?:üstüne|üzerine|üzerinde)",
            "この(?:行|線|ライン)(?:より|の)(?:も)?上",
            "(?:在)?(?:此|这|這|本|该)(?:一)?(?:行|线|線)(?:的)?(?:以|之)?上(?:方|面)?",
            "이 (?:줄|선|라인) ?위",
            "מעל (?:ל)?(?:שורה|קו) (?:זו|זה)",
            "فوق هذا (?:السطر|الخط)",
            "πάνω από αυτή(?:ν)? τη(?:ν)? γραμμή",
            "ezen (?:a )?(?:sor|vonal) fölé|e (?:sor|vonal) fölé",
            "deasupra acestei linii",
        ]
    )
)
_HINTS = (
    "this line", "this text", "this message", "dieser zeile", "dieser linie", "ligne", "línea", "linea",
    "linha",
    "riga", "regel", "lijn", "raden", "linje", "denna rad", "linie", "linią", "linii", "rivin", "řádk",
    "čáru",
    "строки", "линии", "черты", "лінією", "лінії", "рядка", "satırın", "çizginin", "行", "線", "线", "ライン",
    "줄", "선", "라인", "שורה", "קו", "السطر", "الخط", "γραμμή", " fölé",
)  # fmt: skip
_ASCII_HINTS = tuple(hint for hint in _HINTS if hint.isascii())
_ANSWER = re.compile(
    r"repl|respon[ds]|answer|antwort|répon|respuesta|respost|rispo|antwoord|reageer|svar|vasta|"
    r"odpow|odpov|ответ|відпов|yanıt|cevap|返信|回答|回复|回覆|答复|답장|회신|답변|תשוב|השב|رد|απαντ|απάντ|"
    r"válasz|răspun"
)


def marker_line(language: str) -> str:
    """The line to write above an outgoing mail's text.

    language: a tag such as `de` or `pt-BR`; English where there is no text for it.
    """
    return MARKER_LINES.get(language.replace("_", "-").partition("-")[0].lower(), MARKER_LINES["en"])


def may_have_marker(text: str) -> bool:
    """False when no line of `text` can be a marker line: a cheap test before looking at every line."""
    if text.isascii():
        folded = text.lower()
        return any(hint in folded for hint in _ASCII_HINTS)
    folded = text.casefold()
    return any(hint in folded for hint in _HINTS)


def is_marker_line(line: str) -> bool:
    """True for a line of ours, or of another desk, that asks to reply above it.

    line: one line of text, quote prefixes removed. It must say "above this line" in a language we
    know, be short, and be set off by two or more non-letters at both ends or speak of replying:
    a person's "see the photo above this line" is neither.
    """
    text = line.strip()
    if not 5 <= len(text) <= _MAX_MARKER:
        return False
    text = text.casefold()
    if _ABOVE.search(text) is None:
        return False
    decorated = not (text[0].isalnum() or text[1].isalnum() or text[-1].isalnum() or text[-2].isalnum())
    return decorated or (len(text) <= 100 and _ANSWER.search(text) is not None)


def find_tokens(text: str) -> tuple[str, ...]:
    """The tokens of all `mt:TOKEN` markers, in order, each once, in lower case, not yet verified.

    text: plain text or HTML source. A token survives quote prefixes, a line break inside it when
    the closing bracket follows, and HTML entities for its punctuation. Linear time.
    """
    lowered = text.lower()
    if not any(hint in lowered for hint in _TOKEN_HINTS):
        return ()
    found: dict[str, None] = {}
    for match in islice(_TOKEN_START.finditer(text), _MAX_STARTS):
        token = _token_at(text, match.end())
        if token is not None:
            found[token] = None
            if len(found) == _MAX_TOKENS:
                break
    return tuple(found)


def _token_at(text: str, start: int) -> str | None:
    """The token that begins at `start`, in lower case; None when none does."""
    reach = text[start : start + _MAX_REACH]
    first = _TOKEN_PIECE.match(reach)
    if first is None:
        return None
    token, end = first[0], first.end()
    while _TOKEN_CLOSE.match(reach, end) is None:
        wrap = _TOKEN_WRAP.match(reach, end)
        piece = _TOKEN_PIECE.match(reach, wrap.end()) if wrap and wrap.end() > end else None
        if piece is None or len(token) + len(piece[0]) > _MAX_TOKEN:
            token = first[0]  # no closing bracket in reach: only the unbroken piece is certain
            break
        token, end = token + piece[0], piece.end()
    return token.lower() if _MIN_TOKEN <= len(token) <= _MAX_TOKEN else None


def tokens_of(text: str, html_source: str | None) -> tuple[str, ...]:
    """`find_tokens` of a mail's text and HTML source together, the text's first."""
    found = dict.fromkeys(find_tokens(text))
    if html_source is not None:
        found.update(dict.fromkeys(find_tokens(html_source)))
    return tuple(found)
