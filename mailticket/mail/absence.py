"""The date on which somebody who is away says to be back.

All words here are case-folded (ß is ss, final ς is σ), as is the text they are looked for in.
Dates are read in 21 languages. Only a date with a cue counts, one that says "back on" more than one
that says "until"; of a range, its end. A missing year is the one that makes the date fall from a
month before to eleven months after the mail's Date, never taken from a clock.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

_LONGEST = 2_500
_MOST_DATES = 12
_PAST = timedelta(days=31)
_FUTURE = timedelta(days=750)

_MONTHS = (
    "january jan januar jänner jänner. janvier janv enero ene gennaio gen janeiro januari januar "
    "tammikuuta tammikuun stycznia sty ledna января янв січня ocak january januarie ianuarie január "
    "ιανουαρίου",
    "february feb februar feber février févr fév febrero febbraio febb fevereiro fev februari februar "
    "helmikuuta lutego února февраля фев лютого şubat februarie február φεβρουαρίου",
    "march mar märz mär mrz mars marzo março maart mrt marts maaliskuuta marca března марта мар березня "
    "mart martie március μαρτίου",
    "april apr avril avr abril abr aprile huhtikuuta kwietnia dubna апреля апр квітня nisan aprilie "
    "április απριλίου",
    "may mai mayo maggio mag maio mei maj toukokuuta maja května мая травня mayıs május μαΐου",
    "june jun juni juin junio giugno giu junho kesäkuuta czerwca června июня июн червня haziran iunie "
    "június ιουνίου",
    "july jul juli juillet juil julio luglio lug julho heinäkuuta lipca července июля июл липня temmuz "
    "iulie július ιουλίου",
    "august aug août agosto ago augustus augusti elokuuta sierpnia srpna августа авг серпня ağustos "
    "augusztus αυγούστου",
    "september sep sept septembre septiembre settembre sett setembro syyskuuta września září сентября "
    "сен вересня eylül septembrie szeptember σεπτεμβρίου",
    "october oct oktober okt octobre octubre ottobre ott outubro out oktober lokakuuta października "
    "října октября окт жовтня ekim octombrie október οκτωβρίου",
    "november nov novembre noviembre novembro marraskuuta listopada listopadu ноября ноя листопада "
    "kasım noiembrie νοεμβρίου",
    "december dec dezember dez décembre déc diciembre dic dicembre dezembro desember des joulukuuta "
    "grudnia prosince декабря дек грудня aralık decembrie δεκεμβρίου",
)
"""January to December, as dates spell them in the languages of mail/automated_words.py."""

_MONTH_OF = {
    name.casefold(): number for number, names in enumerate(_MONTHS, start=1) for name in names.split()
}
_MONTH = "|".join(re.escape(name) for name in sorted(_MONTH_OF, key=len, reverse=True))
_ORDINAL = r"(?:st|nd|rd|th|er|º|°|\.)?"
_YEAR = r"(?P<{0}>20\d\d)"

_DATE = re.compile(
    "|".join(
        (
            rf"(?<![\d./-]){_YEAR.format('y1')}[-/.](?P<m1>\d\d?)[-/.](?P<d1>\d\d?)(?![\d/-])",
            rf"(?:{_YEAR.format('y2')}\s?[年년]\s?)?(?P<m2>\d\d?)\s?[月월]\s?(?P<d2>\d\d?)\s?[日日일]",
            r"(?<![\d./-])(?P<d3>\d\d?)\s?[./-]\s?(?P<m3>\d\d?)"
            r"(?:\s?[./-]\s?(?P<y3>20\d\d|\d\d))?(?![\d/-])",
            rf"(?<![\d./-])(?P<d4>\d\d?){_ORDINAL}\s?(?:of |de |d[eo] )?(?P<m4>{_MONTH})(?![^\W\d_])\.?"
            rf"(?:,?\s(?:de |del |do )?{_YEAR.format('y4')})?",
            rf"(?<![^\W\d_])(?P<m5>{_MONTH})\.?\s(?P<d5>\d\d?){_ORDINAL}(?![\d:])(?:,?\s{_YEAR.format('y5')})?",
        )
    )
)

_WEEKDAY = (
    r"(?:(?:mon|tues|wednes|thurs|fri|satur|sun)day|(?:mon|diens|donners|frei|sams|sonn)tag|mittwoch|"
    r"(?:lun|mar|mercre|jeu|vendre|same)di|dimanche|lunes|martes|miércoles|jueves|viernes|sábado|domingo|"
    r"(?:lune|marte|mercole|giove|vener)dì|sabato|domenica|(?:segunda|terça|quarta|quinta|sexta)(?:-feira)?|"
    r"(?:maan|dins|woens|donder|vrij|zater|zon)dag|(?:mån|tis|ons|tors|fre|lör|lør|sön|søn|tirs|man)dag(?:en)?)"
)
_NEXT = (
    r"(?:\s{0,3}(?:the|den|dem|le|el|il|o|dia|día|giorno))?"
    rf"(?:\s{{0,3}}{_WEEKDAY},?)?(?:\s(?:the|den|le))?\s{{0,3}}$"
)
_GAP = r"[^\d.!?\n]{0,28}$"
_RETURN_BEFORE = re.compile(
    r"\b(?:back|return(?:ing|s)?|available again|reachable again|resume|wieder|zurück|zurueck|retour|"
    r"regres\w{0,6}|vuelv\w{0,3}|vuelta|volver\w{0,3}|rientr\w{0,4}|ritorn\w{0,5}|tornerò|torno|"
    r"retorn\w{0,6}|volt\w{0,5}|terug|weer (?:aanwezig|bereikbaar)|tillbaka|åter|tilbage|tilbake|"
    r"palaan|jälleen|takaisin|wrac\w{0,4}|powr\w{0,6}|wróc\w{0,3}|vrát\w{0,5}|zpět|верн\w{0,5}|"
    r"возвращ\w{0,6}|поверн\w{0,6}|visszatér\w{0,4}|ismét|rev(?:in|eni)\w{0,3}|întorc|επιστρέ\w{0,3})\b"
    + _GAP,
)
_UNTIL_BEFORE = re.compile(
    r"(?:\b(?:until|till|through|thru|up to|bis|einschliesslich|jusqu['’](?:au|à)|hasta|fino al?|sino al?|"
    r"até|tot|t/m|t\.e\.m\.|tot en met|till och med|t\.o\.m\.?|til og med|μέχρι|έωσ|până)\b"
    + _GAP
    + r")|(?:(?:\b(?:to|til|and|zum|au|al|y|ao|a|à|en|och|og|do|до|по|la|pe)\b|[-–—至到])"
    + _NEXT
    + ")"
)
_BEHIND = r"\.?\s?(?:\([^()\n]{1,6}\))?\s?"
_RETURN_AFTER = re.compile(
    _BEHIND + r"(?:より|から|以降|に(?:出社|復帰|戻)|返回|回来|回到|恢复|上班|복귀|부터|"
    r"[\w'’]{0,4}\s?(?:döneceğim|dönüyorum)|"
    r"[^\d\n]{0,14}\b(?:wieder|zurück|weer|terug|tillbaka|åter|tilbage|tilbake|vissza|ismét|újra|palaan|"
    r"ponownie|znów|opět)\b)"
)
_UNTIL_AFTER = re.compile(
    _BEHIND + r"(?:まで|迄|止|为止|為止|까지|[\w'’]{0,4}\s?(?:tarihine\s)?kadar|saakka|asti|"
    r"-?[a-záéíóöőúüű]{0,3}ig\b)"
)
_SINCE_AFTER = re.compile(_BEHIND + r"(?:から|より|부터|起)[^\n]{0,12}\d")


@dataclass(frozen=True, slots=True)
class _Named:
    when: date
    returns: bool
    until: bool


def return_date(subject: str, text: str, sent: datetime | None) -> date | None:
    """The date of return that an absence names; None where it names none that is certain.

    sent: the mail's Date; without it only a date with a year counts.
    """
    for place in (text, subject):
        named = list(_named_dates(place[:_LONGEST].casefold(), sent.date() if sent else None))
        for wanted in ([one for one in named if one.returns], [one for one in named if one.until]):
            if wanted:
                return max(one.when for one in wanted[:3])
    return None


def _named_dates(text: str, sent: date | None) -> Iterator[_Named]:
    count = 0
    for match in _DATE.finditer(text):
        count += 1
        if count > _MOST_DATES:
            return
        when = _when(match, sent)
        if when is None:
            continue
        before = text[max(0, match.start() - 60) : match.start()]
        after = text[match.end() : match.end() + 40]
        since = bool(_SINCE_AFTER.match(after))
        returns = bool(_RETURN_BEFORE.search(before) or _RETURN_AFTER.match(after)) and not since
        until = bool(_UNTIL_BEFORE.search(before) or _UNTIL_AFTER.match(after)) and not since
        yield _Named(when, returns, until)


def _when(match: re.Match[str], sent: date | None) -> date | None:
    groups = match.groupdict()
    form = next(number for number in "12345" if groups[f"d{number}"] is not None)
    day, month, year = groups[f"d{form}"], groups[f"m{form}"], groups[f"y{form}"]
    assert day is not None
    assert month is not None
    number = int(month) if month.isdigit() else _MONTH_OF[month]
    readings = [(int(day), number)]
    if form == "3" and "/" in match.group():
        readings.append((number, int(day)))  # American: month first
    found = {one for pair in readings if (one := _dated(*pair, year, sent)) is not None}
    return found.pop() if len(found) == 1 else None


def _dated(day: int, month: int, year: str | None, sent: date | None) -> date | None:
    """The date in its plausible year; None for no date at all or one long past or far away."""
    if year is not None:
        years = [int(year) + (2000 if len(year) == 2 else 0)]
    elif sent is not None:
        years = [sent.year, sent.year + 1]
    else:
        return None
    for one in years:
        try:
            when = date(one, month, day)
        except ValueError:
            continue
        if sent is None or sent - _PAST <= when <= sent + _FUTURE:
            return when
    return None
