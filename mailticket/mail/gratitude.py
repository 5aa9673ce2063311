"""Whether a reply says thanks and nothing else. Pure, and strict: in doubt it does not.

A thanks-only reply to a finished ticket does not reopen it (`domain/decide_customer.py`). Nobody looks
at what is taken for one by mistake, while a thanks that reopens costs one command. So all of it must
hold: the text is short, it thanks in one of six languages, and every other word of it is a greeting, a
closing, praise or the writer's name; no question, no "but", no "not", no digit, no link, no address,
no file. What a text is taken for is said with the words that prove it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Final

from mailticket.mail.gratitude_words import ASKING, DOUBTS, FILLERS, THANKS

MOST_CHARACTERS: Final = 240
MOST_WORDS: Final = 30
_WORD: Final = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_NEVER: Final = re.compile(
    r"[?？¿0-9０-９@#]|https?:|www\.|://|\.(?:com|net|org|de|fr|es|br|jp|example)\b", re.IGNORECASE
)
_CLAUSES: Final = re.compile(r"[.,;:!\n]+")
_JAPANESE: Final = re.compile(r"[\u3041-\u30ff\u4e00-\u9fff]")
_FOLD: Final = str.maketrans({"’": "'", "‘": "'", "´": "'", "`": "'"})
_BETWEEN_JAPANESE: Final = re.compile(r"[\s、。，．!！.,~〜ー♪・…:：()（）「」＼／\-]+")


@dataclass(frozen=True, slots=True)
class Gratitude:
    """A thanks and nothing else. language: ISO 639-1; said: the words that thank."""

    language: str
    said: str

    @property
    def evidence(self) -> str:
        """Why it is taken for one, in words."""
        return f'it says "{self.said}" and nothing else'


def gratitude(text: str, names: Iterable[str] = (), *, files: int = 0) -> Gratitude | None:
    """What a text thanks with, if that is all it does; None in any doubt.

    text   the new text of a reply, without quoted text and signature
    names  of the writer, and of who may be addressed: their words say nothing
    files  how many there are in the mail beyond decoration
    """
    plain = unicodedata.normalize("NFC", text).translate(_FOLD).strip()
    if files or not plain or len(plain) > MOST_CHARACTERS or _NEVER.search(plain):
        return None
    known = {word.casefold() for name in names for word in _WORD.findall(name)}
    if _JAPANESE.search(plain):
        return _japanese(plain, known)
    for language in THANKS:
        if language != "ja":
            clauses = [_words(clause, language) for clause in _CLAUSES.split(plain)]
            said = _only_thanks([one for one in clauses if one], language, known)
            if said is not None:
                return Gratitude(language, said)
    return None


def _words(text: str, language: str) -> list[str]:
    """The words of a text in lower case; French ones without what is elided before them."""
    words = [word.casefold() for word in _WORD.findall(text)]
    return [part for word in words for part in word.split("'")] if language == "fr" else words


def _only_thanks(clauses: list[list[str]], language: str, names: set[str]) -> str | None:
    """The phrase that thanks, where every word of the text thanks, fills, or is a name."""
    words = [word for clause in clauses for word in clause]
    if len(words) > MOST_WORDS or any(clause[0] in _phrases(ASKING[language]) for clause in clauses):
        return None
    line = f" {' '.join(words)} "
    if any(f" {doubt} " in line for doubt in _phrases(DOUBTS[language])):
        return None
    said = next((phrase for phrase in _phrases(THANKS[language]) if f" {phrase} " in line), None)
    if said is None:
        return None
    spoken = {word for phrase in _phrases(THANKS[language]) for word in phrase.split()}
    allowed = spoken | set(_phrases(FILLERS[language])) | names
    unknown = [word for word in words if word not in allowed]
    return None if unknown else said


def _japanese(text: str, names: set[str]) -> Gratitude | None:
    """There are no blanks between words: what thanks and what fills is taken off until nothing is left."""
    if any(doubt in text for doubt in _phrases(DOUBTS["ja"])):
        return None
    rest = text.casefold()
    said = next((phrase for phrase in _phrases(THANKS["ja"]) if phrase in rest), None)
    if said is None:
        return None
    for name in sorted(names, key=len, reverse=True):
        rest = rest.replace(name, " ")
    for piece in (*_phrases(THANKS["ja"]), *_phrases(FILLERS["ja"])):
        rest = rest.replace(piece, " ")
    return Gratitude("ja", said) if not _BETWEEN_JAPANESE.sub("", rest) else None


@cache
def _phrases(joined: str) -> tuple[str, ...]:
    """The phrases of a list, the longest first."""
    return tuple(sorted(set(joined.split("|")), key=len, reverse=True))
