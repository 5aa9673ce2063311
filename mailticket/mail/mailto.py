"""Links that open a finished mail in any client (RFC 6068)."""

from __future__ import annotations

from urllib.parse import quote

_KEPT = "@+-._~"
"""Characters of an address that every client reads as they are; what else may be special is encoded."""


def mailto_link(address: str, subject: str, body: str) -> str:
    """`mailto:support+TOKEN@desk.example?subject=Take%20it&body=...`.

    Blanks become %20 and line ends %0D%0A, because clients take `+` for a plus sign. An empty subject or
    body is left out.
    """
    fields = [("subject", subject), ("body", "\r\n".join(body.splitlines()))]
    query = "&".join(f"{name}={quote(value, safe='')}" for name, value in fields if value)
    return f"mailto:{quote(address, safe=_KEPT)}" + (f"?{query}" if query else "")
