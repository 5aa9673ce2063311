"""Foreign text in an automatic mail: kept readable, but nothing in it becomes a link."""

from __future__ import annotations

import re

_SCHEME = re.compile(r"ttp(?=s?:)", re.IGNORECASE)
_DOT_IN_NAME = re.compile(r"(?<=\w)[.。．｡](?=\w\w)")


def defang(text: str) -> str:
    """`https://evil.example` -> `hxxps[:]//evil[.]example`: mail programs make no link of it."""
    broken_up = _DOT_IN_NAME.sub("[.]", _SCHEME.sub("xxp", text))
    return broken_up.replace("://", "[:]//").replace("@", "[at]")
