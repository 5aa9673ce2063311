"""What a mail tells of the person who wrote it: their language, and how far they are from UTC.

Only enough evidence counts: a short or mixed text says nothing, and then whoever asks falls back on
what else is known. None of it decides anything but in which words, and which clock, we answer.
"""

from __future__ import annotations

import re
from collections import Counter

from mailticket.mail.language_words import VOTES
from mailticket.mail.types import Content, ParsedMail, Writer

_LOOKED_AT = 4_000
"""Characters of the new text that vote."""
_WORD = re.compile(r"[^\W\d_]+")
_UNSPOKEN = re.compile(r"\S*[@/\\]\S*|\S+\.(?:[a-z]{2,4})\b", re.IGNORECASE)
"""Addresses, links, paths and file names: their parts are no words of the writer."""
_KANA = re.compile(r"[\u3041-\u3096\u30a1-\u30fa]")
_LETTER = re.compile(r"[^\W\d_]")
_MOST_OF_ONE_WORD = 3
"""A word repeated over and over votes no more often than this."""
_ENOUGH, _PLAIN = 3, 10
"""Votes, and different words, that make a text's language sure; and so sure that no header is believed
which says otherwise."""
_LEAD, _PLAIN_LEAD = 1.4, 2.5
"""How many times the votes of the next language it has to have."""
_SHARE = 0.25
"""Part of all words that have to vote for it: a stack trace with three English words is no English."""

_TAG = re.compile(r"\s*([A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8}){0,3})\s*(?:;\s*q\s*=\s*([01](?:\.\d{1,3})?))?\s*")
_MOST_TAGS = 20
_NOT_A_LANGUAGE = frozenset({"und", "mul", "zxx", "mis"})
_OFFSET = re.compile(r"\d\d:\d\d(?::\d\d)?\s+([+-])(\d\d)([0-5]\d)\b")
_FARTHEST = 14 * 60


def writer_of(mail: ParsedMail, content: Content) -> Writer:
    """What one mail says of its writer. Never raises; linear in at most some thousand characters."""
    spoken, plain = spoken_language(f"{mail.subject}\n{content.reply[:_LOOKED_AT]}")
    return Writer(declared_language(mail), spoken, plain, utc_offset(mail))


def declared_language(mail: ParsedMail) -> str | None:
    """The language tag a mail declares: Content-Language (RFC 3282), else the best of Accept-Language."""
    for name in ("content-language", "accept-language"):
        value = mail.header(name)
        ranked = _ranked((value or "")[:500])
        if ranked:
            return ranked[0]
    return None


def _ranked(value: str) -> list[str]:
    """The tags of a header, the most wanted first; those of equal weight keep their order."""
    found: list[tuple[float, str]] = []
    for part in value.split(",")[:_MOST_TAGS]:
        match = _TAG.fullmatch(part)
        if match is not None and match[1].lower() not in _NOT_A_LANGUAGE:
            weight = float(match[2]) if match[2] else 1.0
            if weight > 0:
                found.append((weight, _tag(match[1])))
    return [tag for _, tag in sorted(found, key=lambda item: -item[0])]


def _tag(text: str) -> str:
    """A tag in its usual case, at most a language and a region: `PT-br` -> `pt-BR` (RFC 5646 2.1.1)."""
    language, *rest = text.split("-")
    region = next((part.upper() for part in rest if len(part) == 2 and part.isalpha()), "")
    return f"{language.lower()}-{region}" if region else language.lower()


def spoken_language(text: str) -> tuple[str | None, bool]:
    """The language a text is written in, and whether that is beyond doubt; (None, False) in any doubt."""
    text = _UNSPOKEN.sub(" ", text[: 2 * _LOOKED_AT])
    kana = len(_KANA.findall(text))
    if kana >= 3 and kana * 5 >= len(_LETTER.findall(text)):
        return "ja", kana >= _PLAIN
    words = Counter(_WORD.findall(text.casefold()))
    votes: Counter[str] = Counter()
    for word, times in words.items():
        for language in VOTES.get(word, ()):
            votes[language] += min(times, _MOST_OF_ONE_WORD)
    if sum(word in VOTES for word in words) < _ENOUGH:
        return None, False
    return _elected(votes, sum(min(times, _MOST_OF_ONE_WORD) for times in words.values()))


def _elected(votes: Counter[str], words: int) -> tuple[str | None, bool]:
    ranked = votes.most_common(2)
    if not ranked:
        return None, False
    (language, most), second = ranked[0], ranked[1][1] if len(ranked) > 1 else 0
    if most < _ENOUGH or most < _LEAD * second or most < _SHARE * words or most - second < 2:
        return None, False
    return language, most >= _PLAIN and most >= _PLAIN_LEAD * second


def utc_offset(mail: ParsedMail) -> int | None:
    """Minutes east of UTC of the writer's clock, from the Date header (RFC 5322, 3.3); None when it says
    nothing: many programs write UTC whoever writes, and -0000 means just that."""
    match = _OFFSET.search((mail.header("date") or "")[:100])
    if match is None:
        return None
    minutes = (int(match[2]) * 60 + int(match[3])) * (-1 if match[1] == "-" else 1)
    return minutes if minutes and abs(minutes) <= _FARTHEST else None
