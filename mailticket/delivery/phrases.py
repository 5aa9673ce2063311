"""The words for times, lengths and amounts, by language. Names start with Monday and January."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrases:
    """The words of one language.

    date, moment, appointment  format strings of a day, of a time, and of a time ahead without its year
    day, hour, minute          format strings of lengths; between_units  what joins two of them
    singular                   the counts that take the singular (CLDR's "one" for whole numbers)
    bytes_                     the units of file sizes: one, a thousand, a million
    """

    weekdays: tuple[str, ...]
    months: tuple[str, ...]
    long_weekdays: tuple[str, ...]
    long_months: tuple[str, ...]
    date: str
    moment: str
    appointment: str
    your_time: str
    day: str
    hour: str
    minute: str
    between_units: str = " "
    ahead: str
    ago: str
    singular: tuple[int, ...] = (1,)
    bytes_: tuple[str, str, str] = ("B", "kB", "MB")
    decimal_point: str = ","


ENGLISH = Phrases(
    weekdays=("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
    months=("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
    long_weekdays=("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    long_months=(
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
        "November", "December",
    ),
    date="{weekday} {day} {month} {year}",
    moment="{date}, {time} {zone}",
    appointment="{weekday} {day} {month}, {time} {zone}",
    your_time="your time",
    day="{} d",
    hour="{} h",
    minute="{} min",
    ahead="in {}",
    ago="{} ago",
    decimal_point=".",
)  # fmt: skip
GERMAN = Phrases(
    weekdays=("Mo.", "Di.", "Mi.", "Do.", "Fr.", "Sa.", "So."),
    months=("Jan.", "Feb.", "März", "Apr.", "Mai", "Juni", "Juli", "Aug.", "Sept.", "Okt.", "Nov.", "Dez."),
    long_weekdays=("Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag"),
    long_months=(
        "Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober",
        "November", "Dezember",
    ),
    date="{weekday} {day}. {month} {year}",
    moment="{date}, {time} {zone}",
    appointment="{weekday}, {day}. {month}, {time} Uhr {zone}",
    your_time="Ihrer Zeit",
    day="{} T.",
    hour="{} Std.",
    minute="{} Min.",
    ahead="in {}",
    ago="vor {}",
)  # fmt: skip
FRENCH = Phrases(
    weekdays=("lun.", "mar.", "mer.", "jeu.", "ven.", "sam.", "dim."),
    months=(
        "janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.", "déc.",
    ),
    long_weekdays=("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"),
    long_months=(
        "janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre",
        "novembre", "décembre",
    ),
    date="{weekday} {day} {month} {year}",
    moment="{date}, {time} {zone}",
    appointment="{weekday} {day} {month} à {time} {zone}",
    your_time="(heure de chez vous)",
    day="{} j",
    hour="{} h",
    minute="{} min",
    ahead="dans {}",
    ago="il y a {}",
    singular=(0, 1),
    bytes_=("o", "ko", "Mo"),
)  # fmt: skip
SPANISH = Phrases(
    weekdays=("lun", "mar", "mié", "jue", "vie", "sáb", "dom"),
    months=("ene", "feb", "mar", "abr", "may", "jun", "jul", "ago", "sept", "oct", "nov", "dic"),
    long_weekdays=("lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo"),
    long_months=(
        "enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre",
        "noviembre", "diciembre",
    ),
    date="{weekday} {day} {month} {year}",
    moment="{date}, {time} {zone}",
    appointment="{weekday} {day} de {month} a las {time} {zone}",
    your_time="(su hora local)",
    day="{} d",
    hour="{} h",
    minute="{} min",
    ahead="dentro de {}",
    ago="hace {}",
)  # fmt: skip
PORTUGUESE = Phrases(
    weekdays=("seg.", "ter.", "qua.", "qui.", "sex.", "sáb.", "dom."),
    months=(
        "jan.", "fev.", "mar.", "abr.", "mai.", "jun.", "jul.", "ago.", "set.", "out.", "nov.", "dez.",
    ),
    long_weekdays=(
        "segunda-feira", "terça-feira", "quarta-feira", "quinta-feira", "sexta-feira", "sábado", "domingo",
    ),
    long_months=(
        "janeiro", "fevereiro", "março", "abril", "maio", "junho", "julho", "agosto", "setembro", "outubro",
        "novembro", "dezembro",
    ),
    date="{weekday} {day} {month} {year}",
    moment="{date}, {time} {zone}",
    appointment="{weekday}, {day} de {month}, {time} {zone}",
    your_time="(no seu horário)",
    day="{} d",
    hour="{} h",
    minute="{} min",
    ahead="em {}",
    ago="há {}",
    singular=(0, 1),
)  # fmt: skip
_MONTHS = tuple(f"{month}月" for month in range(1, 13))
JAPANESE = Phrases(
    weekdays=("月", "火", "水", "木", "金", "土", "日"),
    months=_MONTHS,
    long_weekdays=("月", "火", "水", "木", "金", "土", "日"),
    long_months=_MONTHS,
    date="{year}年{month}{day}日({weekday})",
    moment="{date} {time} {zone}",
    appointment="{month}{day}日({weekday}) {time}({zone})",
    your_time="お客様の現地時間",
    day="{}日",
    hour="{}時間",
    minute="{}分",
    between_units="",
    ahead="{}後",
    ago="{}前",
    singular=(),
    decimal_point=".",
)
LANGUAGES = {
    "en": ENGLISH,
    "de": GERMAN,
    "fr": FRENCH,
    "es": SPANISH,
    "pt": PORTUGUESE,
    "ja": JAPANESE,
}


def phrases_of(language: str) -> Phrases:
    """The words for a language tag; English for languages without any."""
    return LANGUAGES.get(language.partition("-")[0].lower(), ENGLISH)
