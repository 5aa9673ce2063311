"""The line that introduces a quoted mail: "On Tue, 4 Feb 2020 at 10:05, Bob <bob@b.example> wrote:".

Every client words it in its own way and in the language of its user, and many wrap it over two or
three lines. So the recogniser weighs shape (an address, a date, a time, a colon at the end), which
is the same in all languages, and a table of the verbs and lead words of about thirty languages.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

MAX_INTRO = 360
"""Characters; a longer stretch is a sentence, not an intro."""
_MAX_PIECES = 4
_MAX_SPREAD = 7
"""Lines, blank ones included, over which an intro may be spread."""

_VERB = re.compile(
    r"\b(?:wrote|writes|schrieb|schreibt|geschrieben|a écrit|a ecrit|écrivait|escribió|escribio|escribía|"
    r"va escriure|escreveu|escreve|ha scritto|scrive|scrisse|schreef|schrijft|geschreven|skrev|skriver|"
    r"skrifaði|kirjoitti|kirjoittaa|kirjutas|napisał|napisała|pisze|napisana przez|napisal|napsal|napsala|"
    r"píše|napísal|napísala|je napisal|je napisao|napisao je|napisala je|je pisao|написал|написала|"
    r"написали|пишет|писал|"
    r"писав|написав|пише|написа|yazdı|yazmış|yazdi|şunu yazdı|έγραψε|γράφει|írta|a scris|rakstīja|rašė|"
    r"menulis|đã viết|viết|skryf|idatzi du|escribiu|shkroi)(?:\(a\)|/a|\(ла\)|\(-а\))?"
    r"(?=[\s:,.*_>)/(：-]|$)|написал\(а\)|napsal\(a\)|napisał\(a\)|napísal\(a\)|"
    r"写道|寫道|写到|写了|のメール|書きました|さんは書|は書き|작성|쓴 글|썼습니다|님이 씀|"
    r"כתב|כתבה|كتب|كتبت|تمت كتابة|نوشت|เขียน|ने लिखा",
    re.IGNORECASE,
)
_LEAD = re.compile(
    r"(?:on|am|le|el|em|il|il giorno|op|den|på|pe|la|în|in data|w dniu|dnia|dne|dňa|dana|στις|την|vào|pada|"
    r"quoting|zitat von|citando|citerar|cita de|citaat van|citation de|in reply to|a dia|el dia|no dia|"
    r"wiadomość napisana|mensagem|a las|"
    r"بتاريخ|في|در|בתאריך|ב|在|于|於|ในวันที่|เมื่อ)(?=[\s\d-]|$)",
    re.IGNORECASE,
)
_QUOTING = re.compile(
    r"(?:quoting|zitat von|citando|cita de|citaat van|citerar|citation de|citát|cytowanie|цитирую|цитата)\s",
    re.IGNORECASE,
)
_DATE_LEAD = re.compile(r"(?:[^\W\d]{1,12}[.,]{0,2}\s{1,2}){0,2}\d")
_ADDRESS = re.compile(r"[^\s<>()\[\]\"']@[\w\[]")
_ANGLE = re.compile(r"[<(\[（]\s{0,2}(?:mailto:)?[^\s<>()\[\]]{1,120}@[^\s<>()]")
_ENDS_IN_ADDRESS = re.compile(
    r"[<(\[（]\s?[^\s<>()\[\]]{1,120}@[^\s<>]{1,120}[>)\]）]{1,2}\s?[:：]$"
    r"|\d[:.]\d\d(?::\d\d)?(?: [+-]\d{4})?,? [^\W\d]{1,8} [^\s<>@]{1,80}@[^\s<>@]{1,120}:$"
)
"""A sender at the very end: in brackets, or right behind a time and one word (Tuta's "10:05 by a@b:")."""
_YEAR = re.compile(r"(?<!\d)(?:19|20|25)\d\d(?!\d)|\d年|\d년")
_DAY = re.compile(r"(?<!\d)\d{1,4}\.?[./ -]\s?\d{1,2}\.?[./ -]\s?\d{1,4}(?!\d)|\d月|\d월")
_MONTH_DAY = re.compile(
    r"\b(?:jan|feb|fév|fev|mar|mär|maa|apr|avr|abr|may|mai|mag|maj|jun|juin|jul|juil|lug|aug|août|ago|"
    r"sep|set|oct|okt|ott|out|nov|dec|dez|déc|dic)[^\W\d]{0,8}\.?\s{1,2}\d{1,2}\b"
    r"|\d{1,2}\.?\s(?:de\s)?(?:jan|feb|fév|fev|mar|mär|apr|avr|abr|may|mai|mag|maj|jun|juin|jul|juil|lug|"
    r"aug|août|ago|sep|set|oct|okt|ott|out|nov|dec|dez|déc|dic|янв|фев|мар|апр|мая|июн|июл|авг|сен|окт|"
    r"ноя|дек)",
    re.IGNORECASE,
)
_TIME = re.compile(
    r"(?<!\d)\d{1,2}\s?[:.h时時点點시]\s?\d{2}(?!\d)|\d{1,2}\s?(?:am|pm|a\.m|p\.m)\b", re.IGNORECASE
)
_PRONOUN_WROTE = re.compile(
    r"\b(?:i|you|we|he|she|they|it|who|ich|du|sie|wir|er|ihr|man|j'ai|vous|nous|il|elle|tu|yo|usted|ella|"
    r"nosotros|eu|você|ele|ela|io|lei|lui|noi|ik|je|jij|u|wij|hij|zij|jag|ni|vi|han|hon|du|jeg|hun|minä|"
    r"ja|ty|on|ona|já|я|вы|мы|он|она)\s(?:wrote|writes|said|sent|schrieb|a écrit|avez écrit|escribió|"
    r"escreveu|"
    r"ha scritto|schreef|skrev|kirjoitti|napisał|napsal|написал|пишет)",
    re.IGNORECASE,
)
_SENTENCE_END = re.compile(r"(?:[!?。！？]|[^\W\d]{6,}\.)$")
_RUNS_ON = re.compile(r"[<(\[]$|@[\w.-]*$")
_FARSI_ARABIC_DIGITS = {0x0660 + i: str(i) for i in range(10)} | {0x06F0 + i: str(i) for i in range(10)}


_GLUED = re.compile(r"[\w.,!?;:)] ?-{0,12} ?(?=On (?:[A-Z][a-z]{2,8},? |\d))")


class Intro(NamedTuple):
    """An intro found: it begins in line `first` and ends with line `last`.

    strong  it introduces a quote whatever follows; a weak one only where `>` lines or a quote by
            the HTML's structure follow
    """

    first: int
    last: int
    strong: bool


def may_end_intro(text: str) -> bool:
    """True when a line can be the last of an intro: a cheap test for every line.

    text: the line, stripped and free of directional marks.
    """
    tail = text[-1]
    if tail in "*_ ":
        text = text.rstrip("*_ ")
        tail = text[-1:]
    if tail in ":：":
        return True
    if tail in ">)":
        return "@" in text
    if text.endswith("--"):
        return 16 < len(text) < MAX_INTRO
    return text.endswith(("写道", "寫道", "geschreven", "wrote"))


def grade(text: str) -> int:
    """How much a stretch of text looks like an intro: 2 strong, 1 weak, 0 not at all.

    text: up to MAX_INTRO characters, the lines joined with single blanks.
    """
    text = text.strip("*_ ").translate(_FARSI_ARABIC_DIGITS)
    if not text or len(text) > MAX_INTRO:
        return 0
    colon = text[-1] in ":："
    dashed = text.startswith("--") and text.endswith("--")
    verb = _VERB.search(text) is not None
    if not (colon or dashed or verb):
        return 1 if _DATE_LEAD.match(text) and _ANGLE.search(text) and _YEAR.search(text) else 0
    address = _ADDRESS.search(text) is not None
    year = _YEAR.search(text) is not None
    dated = year or _DAY.search(text) is not None or _MONTH_DAY.search(text) is not None
    timed = _TIME.search(text) is not None
    if not (verb or address):
        return 1 if colon and dated and timed and len(text) < 160 else 0
    if verb:
        return _grade_verb(text, colon or dashed, address, dated, timed)
    if dated and _begins_with_date(text) and _ENDS_IN_ADDRESS.search(text):
        return 2
    if address and _QUOTING.match(text):
        return 2
    return 1 if colon and (dated or timed) else 0


def _grade_verb(text: str, closed: bool, address: bool, dated: bool, timed: bool) -> int:
    if text.startswith("--") and _VERB.search(text, max(0, len(text) - 24)):
        return 2
    led = _LEAD.match(text.lstrip("- ")) is not None or _DATE_LEAD.match(text) is not None
    angle = address and _ANGLE.search(text) is not None
    if not closed:
        return 2 if led and angle and dated else 0
    if address and dated and (led or angle):
        return 2
    if dated and timed and led and not _PRONOUN_WROTE.search(text):
        return 2
    if angle and len(text) < 160 and _VERB.search(text, max(0, len(text) - 24)):
        return 2
    return 1 if address or dated or len(text) < 80 else 0


def glued_intro(line: str) -> int | None:
    """Where in a line "... that is all On Wed, Apr 4, 2012 at 3:59 PM, a@b wrote:" the intro begins.

    Some clients drop the line break before it. None for a line that is not so.
    """
    if len(line) > 2 * MAX_INTRO or not line.rstrip().endswith("wrote:"):
        return None
    for match in _GLUED.finditer(line):
        if grade(line[match.end() :]) == 2:
            return match.end()
    return None


def find_intro(lines: Sequence[str], last: int, floor: int) -> Intro | None:
    """The intro whose last line is `last`, or None.

    lines  stripped lines without directional marks; "" for a blank one
    last   a line for which `may_end_intro` held
    floor  the first line that may belong to the intro
    """
    window: list[int] = []
    best: Intro | None = None
    index = last
    while index >= floor and len(window) < _MAX_PIECES and last - index < _MAX_SPREAD:
        if lines[index]:
            window.insert(0, index)
            joined = " ".join(lines[at] for at in window)
            if len(joined) > MAX_INTRO:
                break
            spread = len(window) > 1
            found = grade(joined) if not spread or _continues(lines, window) else 0
            if found == 2 and _begins_with_date(joined):
                return Intro(_reach_up(lines, index, floor), last, strong=True)
            if found == 2 and (best is None or not best.strong):
                best = Intro(_reach_up(lines, index, floor), last, strong=True)
            if found == 1 and best is None and not spread:
                best = Intro(_reach_up(lines, index, floor), last, strong=False)
        index -= 1
    return best


def _continues(lines: Sequence[str], window: Sequence[int]) -> bool:
    """Whether the lines of a window can be one wrapped intro."""
    first = lines[window[0]]
    if _SENTENCE_END.search(first):
        return False
    opens = _opens(first)
    if window[1] - window[0] > 1:  # a blank line between: only where the next line cannot stand alone
        return opens and lines[window[1]][0] in "<["
    return opens or lines[window[1]][0] in "<([" or _RUNS_ON.search(first) is not None


def _begins_with_date(line: str) -> bool:
    bare = line.lstrip("*_- ")
    return _LEAD.match(bare) is not None or _DATE_LEAD.match(bare) is not None


def _opens(line: str) -> bool:
    return _begins_with_date(line) or _ANGLE.search(line) is not None


def _reach_up(lines: Sequence[str], first: int, floor: int) -> int:
    """The line in which an intro really begins, when what was found starts in the middle of it."""
    line = lines[first]
    if first <= floor or not lines[first - 1]:
        return first
    above = lines[first - 1]
    if _SENTENCE_END.search(above) or above[-1] in ":：":
        return first
    bare = line.lstrip("*_- ")
    if (line[0] in "<([" or _RUNS_ON.search(above)) and len(above) < 80:
        return first - 1
    if _LEAD.match(bare) is None and _LEAD.match(above) is not None and any(c.isdigit() for c in above):
        return first - 1
    return first


_INVISIBLE = dict.fromkeys(
    [*range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070), 0xFEFF, 0x00AD, 0x061C]
)


def invisible_removed(text: str) -> str:
    """Text without zero-width and directional characters, which clients strew over intros and dates."""
    return text.translate(_INVISIBLE)
