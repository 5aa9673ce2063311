"""Fixtures of the edges: a store in memory, and servers on top of it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest

from tests.edge.fakes import RecordingStore
from tests.edge.serving import SALES, SUPPORT, Servers


@pytest.fixture
def store() -> RecordingStore:
    """Serves two addresses."""
    return RecordingStore(SUPPORT, SALES)


@pytest.fixture
def serve(store: RecordingStore) -> Iterator[Servers]:
    """Starts servers on `store`."""
    with contextlib.ExitStack() as stack:
        yield Servers(store, stack)
