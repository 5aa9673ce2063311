"""The fuzz target itself works: a few hundred mutations, the same every time."""

from __future__ import annotations

import random

from tests.fuzz.fuzz_read import check, mutate
from tests.mails.golden import golden_mails


def test_a_few_hundred_mutated_mails_are_read() -> None:
    chance, seeds = random.Random(20260105), [path.read_bytes() for path in golden_mails()]
    for _ in range(300):
        check(mutate(chance, seeds))
