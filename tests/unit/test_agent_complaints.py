"""An agent's mail that is not carried out comes back with everything that is wrong with it at once."""

from __future__ import annotations

import pytest

from mailticket.domain.change import ReturnToAgent
from tests.unit.test_leak_guard import decided


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "#asign sam\n#priority nromal\nWhich client do you use?",
            [("#asign sam", "#assign"), ("#priority nromal", "#priority normal")],
        ),
        (
            "#priority nromal\n#status opne\nHello",
            [("#priority nromal", "#priority normal"), ("#status opne", "")],
        ),
        ("Hello\n\n#assign nobody-we-know\n#clsoe", [("#clsoe", "#close"), ("#assign nobody-we-know", "")]),
        ("#asign sam\n#priority normal\nHello", [("#asign sam", "#assign")]),
        ("#asign sam\n#undo", [("#asign sam", "#assign")]),
    ],
)
def test_every_line_that_is_wrong_is_named_with_what_would_do(text: str, told: list[tuple[str, str]]) -> None:
    (back,) = decided(text).changes
    assert isinstance(back, ReturnToAgent)
    assert [(line, nearest) for line, _, nearest in back.problems] == told
