"""Running the same thing in several threads at the same moment."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

T = TypeVar("T")


def at_once(work: Callable[[int], T], threads: int = 8) -> list[T]:
    """`work(0)` to `work(threads - 1)`, each in a thread of its own, started together; results in order."""
    barrier = Barrier(threads)

    def start(number: int) -> T:
        barrier.wait(30)
        return work(number)

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(start, range(threads)))
