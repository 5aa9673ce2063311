"""Pictures of the mails in a real browser, and whether anything in them is wider than the screen.

    python -m bench.screens FOLDER [LANGUAGE ...]

writes a sheet of every mail to customers for each language, as a phone (380 pixels) and a desktop (900)
show it, light and dark, and prints what overflows. Needs Chromium; no part of the test suite does more
than ask it for widths (tests/unit/test_screens.py).
"""

from __future__ import annotations

import html
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from mailticket.delivery.catalogue import CATALOGUE
from mailticket.delivery.context import context_of
from mailticket.delivery.letter import FileView, Letter, Passage, Receipt, TapLink
from mailticket.delivery.phrases import LANGUAGES
from mailticket.delivery.render import Renderer
from mailticket.delivery.sample_parts import sample_ticket
from mailticket.delivery.samples import samples_of
from mailticket.domain.customer_taps import customer_taps
from mailticket.domain.types import TicketFacts
from mailticket.mail.mailto import mailto_link
from mailticket.mail.marker import marker_line

PHONE, DESKTOP = 380, 900
_HEIGHT = 760
_WORD = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft" * 2
_ADDRESS = f"{'very.long.local.part.' * 3}x@{'sub-domain.' * 6}customer.example"
_LINK = f"https://portal.bank.example/{'path/' * 20}?token={'0123456789abcdef' * 8}"


@dataclass(frozen=True, slots=True)
class Page:
    """One mail as a browser gets it."""

    name: str
    html: str


def chromium() -> str | None:
    """The browser's path, None where there is none."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def pages(language: str, codes: Iterable[str]) -> Iterator[Page]:
    """Every sample of some templates in a language, and each with the hardest things to lay out."""
    renderer = Renderer()
    for code in codes:
        letters = {occasion: sample() for occasion, sample in samples_of(code).items()}
        for occasion, letter in (letters | {"hard": hard(letters["usual"])}).items():
            reply = (marker_line(language), letter.reply[1]) if letter.reply is not None else None
            actions = _links(code, language) if letter.recipient.kind == "customer" else letter.actions
            context = context_of(replace(letter, reply=reply, actions=actions))
            yield Page(f"{code}.{occasion}", renderer.render(code, language, context).html)


def _links(code: str, language: str) -> tuple[TapLink, ...]:
    """What a customer's mail offers, in the language's own words."""
    now = datetime(2026, 11, 3, tzinfo=UTC)
    ended = any(word in code for word in ("resolved", "closed", "satisfaction"))
    ticket = TicketFacts(
        id=1, number="20261103-0001", subject="", status="resolved" if ended else "open", department="it",
        topic=None, priority="normal", sla_plan=None, assignee=None, team=None, requester=_ADDRESS,
        requester_name="", participants=frozenset(), created_at=now,
    )  # fmt: skip
    taps = customer_taps(code, ticket, language)
    return tuple(TapLink(tap.name, tap.label, mailto_link(_ADDRESS, tap.subject, tap.body)) for tap in taps)


def hard(letter: Letter) -> Letter:
    """A letter with words, addresses, links and file names that have no place to break."""
    words = f"{_WORD}\n\n{_LINK}\n\n{_ADDRESS}\n\n    indented {_WORD}"
    ticket = letter.ticket or sample_ticket()
    return replace(
        letter,
        ticket=replace(ticket, subject=_WORD, name=_WORD, email=_ADDRESS, department=_WORD, assigned=_WORD),
        recipient=replace(letter.recipient, name=_WORD),
        message=letter.message and replace(letter.message, text=words, attachments=(f"{_WORD}.pdf",)),
        response=letter.response and Passage(words, _WORD, letter.now),
        note=letter.note and Passage(words, _WORD, letter.now),
        received=Receipt(_WORD, 1, (FileView(f"{_WORD}.pdf", 1_234_567),)),
        signature=f"{_WORD}\n{_LINK}",
        comments=words if letter.comments else "",
    )


def too_wide(found: Iterable[Page], width: int) -> list[str]:
    """The names of the pages that are wider than `width` pixels. Raises RuntimeError without a browser."""
    everything = list(found)
    frames = "".join(
        f'<iframe style="width:{width}px;height:400px;border:0" srcdoc="{html.escape(page.html)}"></iframe>'
        for page in everything
    )
    script = (
        "window.onload = () => { document.title = JSON.stringify([...document.querySelectorAll('iframe')]"
        ".map(f => f.contentDocument.documentElement.scrollWidth)) }"
    )
    document = f"<!DOCTYPE html><meta charset=utf-8><title></title><script>{script}</script>{frames}"
    dom = _browse(document, "--dump-dom", f"--window-size={width + 400},2000")
    widths = json.loads(dom.partition("<title>")[2].partition("</title>")[0])
    assert len(widths) == len(everything)
    return [f"{page.name}: {seen} px" for page, seen in zip(everything, widths, strict=True) if seen > width]


def sheet(found: Iterable[Page], width: int, target: Path, *, dark: bool) -> None:
    """A picture of pages beside each other, each `width` pixels wide."""
    everything = list(found)
    columns = 4 if width == PHONE else 2
    cells = "".join(
        f'<div><p>{html.escape(page.name)}</p><iframe style="width:{width}px;height:{_HEIGHT}px;border:0" '
        f'srcdoc="{html.escape(page.html)}"></iframe></div>'
        for page in everything
    )
    style = (
        ":root{color-scheme:light dark}body{margin:8px;font:11px sans-serif;display:grid;gap:8px;"
        f"grid-template-columns:repeat({columns},{width}px)}}p{{margin:2px}}"
    )
    document = f"<!DOCTYPE html><meta charset=utf-8><style>{style}</style>{cells}"
    rows = -(-len(everything) // columns)
    size = f"--window-size={columns * (width + 8) + 16},{rows * (_HEIGHT + 32) + 16}"
    _browse(document, f"--screenshot={target}", size, *(["--force-dark-mode"] if dark else []))


def _browse(document: str, *options: str) -> str:
    browser = chromium()
    if browser is None:
        raise RuntimeError("there is no Chromium here")
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "page.html"
        page.write_text(document, encoding="utf-8")
        plain = ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars")
        done = subprocess.run(
            [browser, *plain, f"--user-data-dir={folder}/profile", *options, page.as_uri()],
            capture_output=True, text=True, timeout=120, check=True,
        )  # fmt: skip
    return done.stdout


def main(arguments: list[str]) -> None:
    """Write the sheets, and say what overflows."""
    folder, *languages = arguments
    Path(folder).mkdir(parents=True, exist_ok=True)
    customers = [code for code, spec in CATALOGUE.items() if spec.audience == "customer"]
    agents = [code for code, spec in CATALOGUE.items() if spec.audience == "agent"]
    for language in languages or [*LANGUAGES, "agents"]:
        codes, tag = (agents, "en") if language == "agents" else (customers, language)
        found = list(pages(tag, codes))
        for width in (PHONE, DESKTOP):
            for dark in (False, True):
                target = Path(folder) / f"{language}-{width}{'-dark' if dark else ''}.png"
                sheet(found, width, target.absolute(), dark=dark)
            print(f"{language} at {width} px, too wide: {too_wide(found, width) or 'nothing'}")


if __name__ == "__main__":
    main(sys.argv[1:])
