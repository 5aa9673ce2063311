"""Fuzz the reading of mail: `python -m tests.fuzz.fuzz_read [--seconds 1800] [--seed 1] [--keep DIR]`.

Runs coverage-guided where atheris is installed (`pip install atheris`; then all further arguments go to
libFuzzer: `python -m tests.fuzz.fuzz_read --atheris -max_total_time=1800`), otherwise by own mutations of
the golden mails. A find is written to DIR; reduce it and keep it as a golden mail (tests/mails/README.md).
"""

from __future__ import annotations

import argparse
import importlib
import random
import sys
import time
import traceback
from pathlib import Path

from mailticket.mail.charset import clean_text
from mailticket.mail.read import read
from tests.mails.golden import golden_mails
from tests.unit.test_parse_properties import FRAGMENTS

CPU_SECONDS = 2.0


def check(raw: bytes) -> None:
    """Read one mail and assert what must hold for any bytes."""
    start = time.process_time()
    reading = read(raw)
    spent = time.process_time() - start
    mail, text = reading.mail, reading.mail.text
    assert spent < CPU_SECONDS, f"{spent:.1f} s"
    for value in (text, mail.subject, mail.html or "", reading.content.reply, mail.sender.shown.name):
        assert clean_text(value) == value
    spans = reading.content.spans
    assert "".join(text[span.start : span.end] for span in spans) == (text if spans else "")
    assert all(one.size == len(one.data) for one in mail.attachments)


def mutate(chance: random.Random, seeds: list[bytes]) -> bytes:
    """One mail of the seeds with a few bytes, fragments and stretches of others put in or taken out."""
    raw = bytearray(chance.choice(seeds)[:30_000])
    for _ in range(chance.choice((1, 2, 4, 8, 20))):
        at = chance.randrange(len(raw) + 1)
        kind = chance.randrange(6)
        if kind == 0:
            raw[at:at] = chance.choice(FRAGMENTS)
        elif kind == 1:
            del raw[at : at + chance.randrange(1, 40)]
        elif kind == 2:
            raw[at : at + 1] = bytes([chance.randrange(256)])
        elif kind == 3:
            other = chance.choice(seeds)
            start = chance.randrange(len(other) + 1)
            raw[at:at] = other[start : start + chance.randrange(200)]
        elif kind == 4:
            raw[at:at] = chance.choice(FRAGMENTS) * chance.choice((3, 50, 500))
        else:
            raw[at:at] = raw[at : at + chance.randrange(300)]
    return bytes(raw)


def run_mutations(seconds: float, seed: int, keep: Path) -> int:
    """Mutate for so many seconds; the number of finds, one for each place that raised."""
    chance, seeds = random.Random(seed), [path.read_bytes() for path in golden_mails()]
    end, count = time.monotonic() + seconds, 0
    places: set[str] = set()
    while time.monotonic() < end:
        raw = mutate(chance, seeds)
        count += 1
        try:
            check(raw)
        except Exception as exc:
            place = repr(traceback.extract_tb(exc.__traceback__)[-1:])
            if place not in places:
                places.add(place)
                keep.mkdir(parents=True, exist_ok=True)
                found = keep / f"find-{seed}-{count}.eml"
                found.write_bytes(raw)
                print(f"{found}: {exc!r}", file=sys.stderr)
    print(f"{count} mails, {len(places)} finds")
    return len(places)


def run_atheris(arguments: list[str]) -> None:
    """Hand over to libFuzzer; does not return."""
    atheris = importlib.import_module("atheris")
    atheris.instrument_all()
    atheris.Setup([sys.argv[0], *arguments], check)
    atheris.Fuzz()


def main() -> int:
    """The command line; exit status 1 when something was found."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=1800.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, default=Path("fuzz-finds"))
    parser.add_argument("--atheris", action="store_true")
    options, rest = parser.parse_known_args()
    if options.atheris:
        run_atheris(rest)
    return 1 if run_mutations(options.seconds, options.seed, options.keep) else 0


if __name__ == "__main__":
    sys.exit(main())
